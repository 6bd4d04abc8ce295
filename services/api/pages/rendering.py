"""Templates to answers: every value is escaped, a name that a template misspells is an error, and nothing is cached.

The policy lets a page load from this server only, and run or style nothing that stands in it. The referrer policy is
`same-origin`, because with `no-referrer` a browser hides the `Origin` of a form, which forms.py demands.
"""

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.api.agents.words import is_silent
from services.api.fields import to_text
from services.api.notifications.service import Notifications
from services.api.pages import cookies, looks
from services.api.pages.static_files import StaticFiles
from services.api.pages.visitors import Visitor
from services.api.words import ago, clock, seconds, time_of_day, when

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
_BELL = 5


class Pages:
    """Renders pages. `clock` in Unix milliseconds."""

    def __init__(self, files: StaticFiles, notifications: Notifications, now: Callable[[], int]) -> None:
        self._notifications, self.now = notifications, now
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(static=files.paths, looks=looks, time_of_day=time_of_day, is_silent=is_silent)
        self._templates.filters.update(moment=to_text)

    async def show(
        self, visitor: Visitor, template: str, *, status: HTTPStatus = HTTPStatus.OK, **values: Any
    ) -> Response:
        """A page for a signed-in person, with the bell; what was kept of a form is shown this once."""
        bell = await self._notifications.mine(visitor.caller, limit=_BELL)
        values |= {"visitor": visitor, "bell": bell, "kept": visitor.draft is not None}
        answer = self._answer(template, status, **values)
        if visitor.draft is not None:
            cookies.forget(answer)
        return answer

    def plain(self, template: str, *, status: HTTPStatus = HTTPStatus.OK, **values: Any) -> Response:
        """A page for anyone, without a top bar."""
        return self._answer(template, status, visitor=None, bell=None, **values)

    def arriving(self) -> Response:
        """Asks for the same page once more, as from this server.

        A browser that follows a link of another site keeps the session's cookie back. With the request that this page
        begins it sends it, so whoever is signed in need not sign in again.
        """
        answer = self.plain("arriving.html")
        answer.headers["refresh"] = "0"
        return answer

    def _answer(self, template: str, status: HTTPStatus, **values: Any) -> Response:
        now = self.now()
        text = self._templates.get_template(template).render(
            **values,
            now=now,
            ago=lambda at: ago(at, now),
            told_when=lambda at: when(at, now),
            clock=lambda at: clock(at, now),
            seconds=lambda at: seconds(at, now),
        )
        return HTMLResponse(text, status_code=status, headers=HEADERS)


def go(path: str) -> Response:
    """After a form: the browser gets the page at `path`, so that loading it again repeats nothing."""
    return RedirectResponse(path, status_code=HTTPStatus.SEE_OTHER, headers={"cache-control": "no-store"})
