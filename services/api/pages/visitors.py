"""Who looks at a page: a signed-in person by the cookie, or nobody, who is asked to sign in and comes back."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from fastapi import Request

from libs.wire.secret import Secret
from services.api.access import Caller
from services.api.auth import Find, address, cookie_of, hashed
from services.api.errors import ConfirmFirstError, InvalidError, SecondFactorFirstError
from services.api.pages.cookies import Draft, draft_of
from services.api.pages.forms import StaleFormError, belongs, problems, read, token_of

AGAIN, AGAIN_CODE = "again", "again_code"
"""The fields of who says again who they are."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in person, and what the forms of the session carry."""

    caller: Caller
    form: str = field(repr=False)
    draft: Draft | None = None

    @property
    def typed(self) -> Mapping[str, str]:
        """What was typed into the form on this page before a session was lost, passwords excepted."""
        return {} if self.draft is None else self.draft.fields


@dataclass(frozen=True, slots=True)
class Posted:
    """A form of this visitor."""

    visitor: Visitor
    fields: Mapping[str, str] = field(repr=False)

    @property
    def code(self) -> Secret | None:
        """The code of a second factor, where one was typed."""
        typed = self.fields.get("code", "").strip()
        return Secret(typed) if typed else None

    def text(self, name: str) -> str:
        """What was typed; line breaks as one line feed, as they were typed."""
        return self.fields.get(name, "").replace("\r\n", "\n")


class SignInFirstError(Exception):
    """Nobody is signed in; `path` is where to go afterwards, `fields` what was typed there."""

    def __init__(self, path: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(path)
        self.path, self.fields = path, fields or {}


class NotConfirmedError(ConfirmFirstError):
    """What was typed to say again who they are is not right; `wrong` says which field."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__()
        self.wrong = wrong


Confirm = Callable[[Caller, Secret, Secret | None], Awaitable[Caller]]
Visits = Callable[[Request], Awaitable[Visitor]]
Posts = Callable[[Request], Awaitable[Posted]]


async def visitor_of(find: Find, request: Request) -> Visitor | None:
    """The signed-in person, if any."""
    token = cookie_of(request)
    if token is None:
        return None
    caller = await find(hashed(token), address(request), "page")
    return None if caller is None else Visitor(caller, token_of(token))


def visits(find: Find, *, incomplete: bool = False) -> Visits:
    """The dependency of a page: who looks at it; with `incomplete`, also who lacks a second factor that is wanted."""

    async def visitor(request: Request) -> Visitor:
        found = await visitor_of(find, request)
        if found is None:
            query = f"?{request.url.query}" if request.url.query else ""
            raise SignInFirstError(f"{request.url.path}{query}")
        if found.caller.incomplete and not incomplete:
            raise SecondFactorFirstError
        return replace(found, draft=draft_of(request))

    return visitor


def posts(find: Find, confirm: Confirm, *, incomplete: bool = False) -> Posts:
    """The dependency of a form: who sent it, and what is in it; `incomplete` as `visits` has it.

    A form may come with what its person typed to say again who they are, and then stands in `request.state.posted`.
    """

    async def posted(request: Request) -> Posted:
        fields = await read(request)
        token = cookie_of(request)
        visitor = await visitor_of(find, request)
        if token is None or visitor is None:
            raise SignInFirstError(request.url.path, fields)
        if not belongs(fields, token):
            raise StaleFormError(request.url.path, fields)
        if visitor.caller.incomplete and not incomplete:
            raise SecondFactorFirstError
        request.state.posted = Posted(visitor, fields)
        if AGAIN in fields:
            visitor = replace(visitor, caller=await _again(confirm, visitor.caller, fields))
        return Posted(visitor, fields)

    return posted


async def _again(confirm: Confirm, caller: Caller, fields: Mapping[str, str]) -> Caller:
    """The person, who has said again who they are.

    Raises:
        NotConfirmedError: what was typed is not right.
        SlowDownError: too many were wrong.
    """
    code = fields.get(AGAIN_CODE, "").strip()
    try:
        return await confirm(caller, Secret(fields[AGAIN]), Secret(code) if code else None)
    except InvalidError as error:
        names = {"password": AGAIN, "code": AGAIN_CODE}
        raise NotConfirmedError({names[name]: why for name, why in problems(error).items()}) from error
