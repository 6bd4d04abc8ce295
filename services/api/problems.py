"""Errors as `application/problem+json` (RFC 9457): the only module that knows HTTP status codes.

Each problem has a stable `code` for programs and a `detail` for people. A validation error names each field, the rule
that it breaks and, by it, what would be right; it never repeats the input, which may be a password.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from libs.broker.errors import BrokerError
from libs.domain.errors import KeyturnError, RuleError
from libs.store.errors import OutcomeUnknownError, StoreError
from libs.wire.reasons import SENTENCES
from services.api.errors import (
    AgentRefusedError,
    ApprovalPendingError,
    AwayError,
    ChangedMeanwhileError,
    ConfirmFirstError,
    ConflictError,
    DeclinedError,
    GatewayError,
    InvalidError,
    NotAllowedError,
    NotSignedInError,
    NotThereError,
    SlowDownError,
    WrongSetupCodeError,
    WrongSignInError,
)

MEDIA_TYPE = "application/problem+json"

_STATUS: Mapping[type[GatewayError], HTTPStatus] = {
    NotSignedInError: HTTPStatus.UNAUTHORIZED,
    WrongSignInError: HTTPStatus.UNAUTHORIZED,
    ConfirmFirstError: HTTPStatus.UNAUTHORIZED,
    WrongSetupCodeError: HTTPStatus.FORBIDDEN,
    NotAllowedError: HTTPStatus.FORBIDDEN,
    NotThereError: HTTPStatus.NOT_FOUND,
    InvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ConflictError: HTTPStatus.CONFLICT,
    DeclinedError: HTTPStatus.CONFLICT,
    ChangedMeanwhileError: HTTPStatus.PRECONDITION_FAILED,
    SlowDownError: HTTPStatus.TOO_MANY_REQUESTS,
    AwayError: HTTPStatus.SERVICE_UNAVAILABLE,
    AgentRefusedError: HTTPStatus.FORBIDDEN,
    ApprovalPendingError: HTTPStatus.CONFLICT,
}

_CODE_STATUS: Mapping[str, HTTPStatus] = {
    "signature_missing": HTTPStatus.UNAUTHORIZED,
    "signature_invalid": HTTPStatus.UNAUTHORIZED,
    "clock_skew": HTTPStatus.UNAUTHORIZED,
    "nonce_used": HTTPStatus.UNAUTHORIZED,
    "session_ended": HTTPStatus.UNAUTHORIZED,
    "agent_unknown": HTTPStatus.UNAUTHORIZED,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "not_json": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "budget_spent": HTTPStatus.TOO_MANY_REQUESTS,
}
"""Where a code says more than the kind of its error."""

_CHALLENGES: Mapping[str, str] = {
    "not_signed_in": "Bearer",
    "wrong_sign_in": "Bearer",
    # RFC 9470, section 3: the token is good, and what is asked for wants a fresher sign of its person.
    "confirm_first": 'Bearer error="insufficient_user_authentication", max_age=300',
}

_AWAY: Mapping[type[KeyturnError], tuple[str, str]] = {
    OutcomeUnknownError: (
        "outcome_unknown",
        "The store's answer was lost, so this may or may not be done. Look before you repeat it.",
    ),
    StoreError: ("store_away", "The store does not answer, and nothing was changed. Try again in a moment."),
    BrokerError: ("broker_away", "The broker does not answer. Try again in a moment."),
}
"""Retryable failures behind the gateway; the first that fits counts."""

TITLES: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "This is no request that Keyturn understands",
    HTTPStatus.UNAUTHORIZED: "Not signed in",
    HTTPStatus.FORBIDDEN: "Not allowed",
    HTTPStatus.NOT_FOUND: "Not there",
    HTTPStatus.METHOD_NOT_ALLOWED: "Not with this method",
    HTTPStatus.CONFLICT: "Not now",
    HTTPStatus.PRECONDITION_FAILED: "Changed meanwhile",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Too large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "Another media type is needed",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Something in the request is not right",
    HTTPStatus.TOO_MANY_REQUESTS: "Slow down",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Keyturn made a mistake",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not available at the moment",
}

_FIELD = {"type": "object", "properties": {"field": {"type": "string"}, "problem": {"type": "string"}}}
_PROBLEM = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string", "description": "What kind of problem it is, for people."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What happened and what to do, for people."},
        "code": {"type": "string", "pattern": "^[a-z][a-z0-9_]{1,63}$", "description": "Stable, for programs."},
        "errors": {"type": "array", "items": _FIELD, "description": "With `invalid`: each field and what is right."},
        "retry_after": {"type": "integer", "description": "Seconds, where it is worth to try again."},
    },
}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {"description": "What is wrong, with a stable code.", "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
}
"""For each route's description in OpenAPI."""

_log = logging.getLogger(__name__)


def problem(status: HTTPStatus, code: str, detail: str, **extra: Any) -> Response:
    """One problem as an answer; `extra` are its further members."""
    body = {
        "type": "about:blank",
        "title": TITLES.get(status, status.phrase),
        "status": int(status),
        "detail": detail,
        "code": code,
        **extra,
    }
    headers = {"cache-control": "no-store"}
    if "retry_after" in extra:
        headers["retry-after"] = str(extra["retry_after"])
    if status is HTTPStatus.TOO_MANY_REQUESTS and "retry_after" in extra:
        policy = "requests" if code == "too_many_requests" else "tries"
        headers["ratelimit"] = f'"{policy}";r=0;t={extra["retry_after"]}'
    if code in _CHALLENGES:
        headers["www-authenticate"] = _CHALLENGES[code]
    return JSONResponse(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of an error: its status, its stable code, its sentence, and what else a program may use."""

    status: HTTPStatus
    code: str
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)


NOT_THERE = Said(HTTPStatus.NOT_FOUND, "not_there", "There is no such page, or it is not yours to see.")
INVALID = HTTPStatus.UNPROCESSABLE_ENTITY
"""A form with a field that breaks a rule."""


def said_of_framework(error: HTTPException) -> Said:
    """What a page says of what the framework itself refuses."""
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.NOT_FOUND:
        return NOT_THERE
    return Said(status, "bad_request", "This address takes no such request. Go back, and use the buttons of the page.")


def said_of(error: Exception) -> Said:
    """What is said of any error that a route lets through, on a page as in a problem; one of ours is logged."""
    if isinstance(error, GatewayError):
        return _said_of_refusal(error)
    if isinstance(error, RuleError):
        return Said(HTTPStatus.CONFLICT, error.reason.value, " ".join(SENTENCES[error.reason]))
    if isinstance(error, StoreError | BrokerError) and error.retryable:
        code, detail = _AWAY[next(kind for kind in _AWAY if isinstance(error, kind))]
        return Said(HTTPStatus.SERVICE_UNAVAILABLE, code, detail, {"retry_after": 2})
    _log.error("a request ended in an error of ours", exc_info=error)
    detail = "The fault is on the server's side and stands in its log. Look at the state before you repeat this."
    return Said(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", detail)


def of_error(error: Exception) -> Response:
    """The problem that tells of any error that a route lets through."""
    said = said_of(error)
    return problem(said.status, said.code, said.detail, **said.extra)


def _said_of_refusal(error: GatewayError) -> Said:
    if isinstance(error, DeclinedError) and error.again:
        return Said(HTTPStatus.SERVICE_UNAVAILABLE, error.stable, error.sentence, {"retry_after": 2})
    status = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    return Said(_CODE_STATUS.get(error.stable, status), error.stable, error.sentence, error.extra)


def _sentence(item: Mapping[str, Any]) -> str:
    """The rule that one field breaks, in words, without the input."""
    context = item.get("ctx", {})
    match item["type"]:
        case "missing":
            return "This field is required."
        case "extra_forbidden":
            return "There is no such field here."
        case "json_invalid":
            return "The body is not JSON."
        case "string_pattern_mismatch":
            return f"It must match the pattern {context['pattern']}"
        case "value_error":
            return str(context.get("error", "This value is not right."))
    return str(item["msg"])


def _fields(items: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [
        {"field": ".".join(str(part) for part in item["loc"] if part not in ("body", "query", "path")) or "body",
         "problem": _sentence(item)}
        for item in items[:20]
    ]  # fmt: skip


def of_validation(items: Sequence[Mapping[str, Any]]) -> Response:
    """The problem that names each wrong field and its rule."""
    errors = _fields(items)
    detail = "; ".join(f"{each['field']}: {each['problem']}" for each in errors[:5])
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", detail, errors=errors)


def of_refusal(error: HTTPException) -> Response:
    """The problem for what the framework itself refuses: unknown routes and methods."""
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.NOT_FOUND:
        return problem(status, "route_unknown", "There is no such route. `/openapi.json` lists them all.")
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        return problem(status, "method_not_allowed", "This route takes another method; `/openapi.json` lists them all.")
    return problem(status, "bad_request", status.phrase)


def install(app: FastAPI) -> None:
    """Makes every error of `app` a problem."""

    async def validation(_request: Request, error: Exception) -> Response:
        return of_validation(error.errors() if isinstance(error, RequestValidationError) else ())

    async def refusal(_request: Request, error: Exception) -> Response:
        return of_refusal(error) if isinstance(error, HTTPException) else of_error(error)

    async def any_error(_request: Request, error: Exception) -> Response:
        return of_error(error)

    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, refusal)
    for kind in (GatewayError, RuleError, StoreError, BrokerError):
        app.add_exception_handler(kind, any_error)
    app.add_exception_handler(Exception, any_error)
