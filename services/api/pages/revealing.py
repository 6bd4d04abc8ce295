"""*Reveal*: why, the person's own password again, and then every password that may be live, for half a minute.

A browser with scripts makes a key for the one request and sends its public half with the form; what comes back is
sealed to it, and its script (`static/reveal.js`) opens it. Without scripts the gateway makes the key, which the page
and the audit say. Either way it is this one template that says what is known of each candidate.
"""

from base64 import b64encode
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.responses import Response

from libs.domain.errors import RuleError
from libs.domain.state import VersionState
from libs.wire.ids import AccountId
from libs.wire.reasons import VERSIONS
from libs.wire.requests import RevealedVersion
from libs.wire.secret import Secret
from services.api.accounts.schemas import RevealBody
from services.api.accounts.service import Accounts
from services.api.errors import GatewayError, InvalidError
from services.api.pages.asking import AccountForms, password_of
from services.api.pages.forms import problems
from services.api.pages.rendering import Pages
from services.api.pages.spelling import ALPHABET, spell
from services.api.pages.visitors import Posted, Posts, Visitor, Visits
from services.api.problems import INVALID, said_of
from services.api.reveals.service import Reveals
from services.api.sessions.service import Sessions

SHOWN_SECONDS = 30
_NO_KEY = b64encode(bytes(32)).decode()


class Revealing:
    """Asks for a reveal and shows what came."""

    def __init__(
        self, pages: Pages, forms: AccountForms, accounts: Accounts, reveals: Reveals, sessions: Sessions
    ) -> None:
        self._pages, self._forms, self._accounts = pages, forms, accounts
        self._reveals, self._sessions = reveals, sessions

    async def reveal(self, posted: Posted, account: str) -> Response:
        """What may be live; the form again, with what is wrong, where nothing was revealed."""
        visitor = posted.visitor
        try:
            return await self._revealed(posted, account)
        except (ValidationError, InvalidError) as error:
            given: dict[str, Any] = {"status": INVALID, "wrong": problems(error)}
        except (GatewayError, RuleError) as error:
            said = said_of(error)
            given = {"status": said.status, "notice": said.detail}
        return await self._forms.form("reveal.html", visitor, account, posted.fields, **given)

    async def _revealed(self, posted: Posted, account: str) -> Response:
        visitor, key = posted.visitor, posted.fields.get("recipient")
        body = RevealBody(recipient=key or _NO_KEY, reason=posted.text("reason").strip())
        await self._accounts.one(visitor.caller, account)
        caller = await self._sessions.confirm(visitor.caller, password_of(posted), posted.code)
        if key:
            answer = await self._reveals.reveal(caller, account, body)
            found = [_candidate(each, None) for each in answer.versions]
        else:
            opened = await self._reveals.opened_here(caller, account, body.reason)
            found = [_candidate(each.version, each.password) for each in opened]
        shown = await self._pages.show(
            visitor,
            "revealed.html",
            status=HTTPStatus.OK,
            account=await self._accounts.one(visitor.caller, account),
            candidates=found,
            by_key=bool(key),
            reason=body.reason,
            shown_seconds=SHOWN_SECONDS,
            alphabet=dict(ALPHABET) if key else {},
        )
        if not key:
            shown.headers["refresh"] = f"{SHOWN_SECONDS};url=/accounts/{account}"
        return shown


def _candidate(version: RevealedVersion, password: Secret | None) -> dict[str, Any]:
    """What is shown of one; its password only where this server opened it."""
    (box,) = version.sealed.boxes
    spelt = None if password is None else spell(password)
    return {
        "version": version,
        "state": VersionState(version.state),
        "known": VERSIONS[version.state],
        "suite": version.sealed.suite,
        "box": b64encode(box.box).decode(),
        "text": "" if spelt is None else spelt.text,
        "letters": () if spelt is None else spelt.letters,
    }


def router(forms: AccountForms, revealing: Revealing, see: Visits, post: Posts) -> APIRouter:
    routes = APIRouter()

    @routes.get("/accounts/{account}/reveal")
    async def ask(visitor: Annotated[Visitor, Depends(see)], account: AccountId) -> Response:
        return await forms.opened("reveal.html", visitor, account)

    @routes.post("/accounts/{account}/reveal")
    async def reveal(posted: Annotated[Posted, Depends(post)], account: AccountId) -> Response:
        return await revealing.reveal(posted, account)

    return routes
