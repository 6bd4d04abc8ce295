"""`GET /v1/about`: for anyone."""

from fastapi import APIRouter

from services.api.about.schemas import AboutView
from services.api.about.service import About
from services.api.problems import PROBLEMS


def router(about: About) -> APIRouter:
    routes = APIRouter(prefix="/v1/about", tags=["about"], responses=PROBLEMS)

    @routes.get("", summary="What this server is")
    async def show() -> AboutView:
        return await about.show()

    return routes
