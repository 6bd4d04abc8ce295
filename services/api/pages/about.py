"""*About*: which version this is, whether what it stands on answers, and whose work is in it."""

import platform
from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from libs.service.health import Says
from services.api.about.libraries import libraries
from services.api.about.service import About
from services.api.pages.rendering import Pages
from services.api.pages.visitors import Visitor, Visits

Health = Mapping[str, Callable[[], Says]]
"""The parts behind the gateway, by name."""


def router(pages: Pages, about: About, health: Health, see: Visits) -> APIRouter:
    routes = APIRouter(prefix="/admin/about")

    @routes.get("")
    async def show(visitor: Annotated[Visitor, Depends(see)]) -> Response:
        return await pages.show(
            visitor,
            "about.html",
            about=await about.show(),
            python=platform.python_version(),
            health={name: says() for name, says in health.items()},
            libraries=libraries(),
        )

    return routes
