"""Forms about one account, shown and sent: what they ask of the same service that the interface asks.

What was typed stays in a form that was refused, passwords excepted; those are typed again. Each form that is shown has
a name of its own, and asks once: a double click, or the browser's second try, leads to the task that the first made.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.responses import Response

from libs.domain.errors import RuleError
from libs.wire.requests import Policy
from libs.wire.secret import Secret
from services.api.accounts.schemas import AdoptBody, ResetBody, VerifyBody
from services.api.accounts.service import Accounts
from services.api.errors import GatewayError, InvalidError
from services.api.pages.forms import problems
from services.api.pages.rendering import Pages, go
from services.api.pages.visitors import Posted, Visitor
from services.api.problems import INVALID, said_of
from services.api.tasks.asking import TaskAsking
from services.api.tasks.schemas import AskedView
from services.api.tasks.warnings import which

ONCE = "once"
"""The field with the form's name."""

_EMPTY = {"how": "generate", "length": str(Policy().length), "alphabet": Policy().alphabet, "unlock": "", "note": "",
          "reason": ""}  # fmt: skip


class AccountForms:
    """The forms of *Account Actions*."""

    def __init__(self, pages: Pages, accounts: Accounts, asking: TaskAsking) -> None:
        self._pages, self._accounts, self._asking = pages, accounts, asking

    async def opened(self, template: str, visitor: Visitor, account: str) -> Response:
        """The form, with what was typed before a session was lost."""
        return await self.form(template, visitor, account, visitor.typed)

    async def reset(self, posted: Posted, account: str) -> Response:
        """A new password is asked for."""

        async def ask() -> AskedView:
            return await self._asking.reset(posted.visitor.caller, account, _reset_of(posted), once=posted.text(ONCE))

        return await self._asked("change.html", posted, account, ask)

    async def adopt(self, posted: Posted, account: str) -> Response:
        """The live password is stated."""

        async def ask() -> AskedView:
            body = AdoptBody(password=password_of(posted), note=posted.text("note"))
            return await self._asking.adopt(posted.visitor.caller, account, body, once=posted.text(ONCE))

        return await self._asked("adopt.html", posted, account, ask)

    async def verify(self, posted: Posted, account: str) -> Response:
        """A comparison is asked for."""

        async def ask() -> AskedView:
            body = VerifyBody(note=posted.text("note"))
            return await self._asking.verify(posted.visitor.caller, account, body, once=posted.text(ONCE))

        return await self._asked("verify.html", posted, account, ask)

    async def _asked(
        self, template: str, posted: Posted, account: str, ask: Callable[[], Awaitable[AskedView]]
    ) -> Response:
        """The account's page when the request stands; the form again, with what is wrong, when it was refused."""
        visitor, typed = posted.visitor, posted.fields
        try:
            answer = await ask()
        except (ValidationError, InvalidError) as error:
            return await self.form(template, visitor, account, typed, status=INVALID, wrong=problems(error))
        except (GatewayError, RuleError) as error:
            said = said_of(error)
            return await self.form(template, visitor, account, typed, status=said.status, notice=said.detail)
        warned = urlencode([("warned", each.value) for each in which(answer.warnings)])
        return go(f"/accounts/{account}{'?' if warned else ''}{warned}")

    async def form(
        self, template: str, visitor: Visitor, account: str, typed: Mapping[str, str], **values: Any
    ) -> Response:
        """The form, filled in with what was typed, and with what is wrong of it."""
        view = await self._accounts.one(visitor.caller, account)
        shown = {name: typed.get(name, default) for name, default in _EMPTY.items()}
        shown[ONCE] = secrets.token_urlsafe(16)
        given: dict[str, Any] = {"wrong": {}, "notice": None, **values}
        return await self._pages.show(visitor, template, account=view, typed=shown, **given)


def password_of(posted: Posted) -> Secret:
    """What was typed.

    Raises:
        InvalidError: nothing was.
    """
    typed = posted.fields.get("password", "")
    if not typed:
        raise InvalidError("password", "Type a password.")
    return Secret(typed)


def _reset_of(posted: Posted) -> ResetBody:
    """The request that the form describes.

    Raises:
        ValidationError: a field breaks a rule.
        InvalidError: no password was typed.
    """
    note, unlock = posted.text("note"), posted.text("unlock") == "yes"
    if posted.text("how") == "type":
        return ResetBody(password=password_of(posted), unlock=unlock, note=note)
    policy = Policy.model_validate({"length": posted.text("length"), "alphabet": posted.text("alphabet")})
    return ResetBody(policy=policy, unlock=unlock, note=note)
