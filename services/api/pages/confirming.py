"""*Say again who you are*: a form that has to wait for its person, and is then sent as it was.

Reveals and changes of people ask for the password in their own forms. All others that change who may do what are asked
for without it, and come here where the person signed in longer ago (`access.confirmed`).
"""

from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from starlette.responses import Response

from services.api.errors import ConfirmFirstError
from services.api.pages.places import place
from services.api.pages.rendering import Pages
from services.api.pages.visitors import NotConfirmedError, Posted

CARRIED = frozenset({"kind", "with", "account", "level", "user_name"})
"""What such a form carries on. A field that could be secret is never added here."""


def install(site: FastAPI, pages: Pages) -> None:
    """Makes `site` ask, wherever a form needs a person who showed just now who they are."""

    async def confirm_first(request: Request, error: Exception) -> Response:
        posted: Posted = request.state.posted
        return await pages.show(
            posted.visitor,
            "again.html",
            status=HTTPStatus.UNAUTHORIZED,
            path=request.url.path,
            back=place(urlsplit(request.headers.get("referer", "")).path),
            carried={name: value for name, value in posted.fields.items() if name in CARRIED},
            wrong=error.wrong if isinstance(error, NotConfirmedError) else {},
            notice=None,
        )

    site.add_exception_handler(ConfirmFirstError, confirm_first)
