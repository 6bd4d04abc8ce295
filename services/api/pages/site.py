"""The page put together: an application of its own beside the interface for programs, on the same services.

a request -> by_path -- a page's path, or a browser that asks for text/html --> the page
                     `- all others ---------------------------------------> the interface
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from libs.broker.errors import BrokerError
from libs.domain.errors import RuleError
from libs.store.errors import StoreError
from services.api.about.service import About
from services.api.accounts.service import Accounts
from services.api.errors import GatewayError, SecondFactorFirstError
from services.api.notifications.service import Notifications
from services.api.pages import (
    about,
    access_tokens,
    accounts,
    admitting,
    agents,
    audit,
    changing,
    confirming,
    cookies,
    design,
    downloading,
    groups,
    me,
    notifications,
    people,
    resources,
    revealing,
    second_factor,
    set_up,
    sharing,
    signing_in,
)
from services.api.pages.about import Health
from services.api.pages.asking import AccountForms
from services.api.pages.entry import Entry
from services.api.pages.forms import StaleFormError
from services.api.pages.places import HOME, after_signing_in, is_page
from services.api.pages.rendering import Pages, go
from services.api.pages.static_files import StaticFiles
from services.api.pages.time_line import TimeLine
from services.api.pages.visitors import SignInFirstError, posts, visits
from services.api.people import People
from services.api.poll import App, Receive, Scope, Send
from services.api.problems import NOT_THERE, TITLES, Said, said_of, said_of_framework
from services.api.resources.finding import Finder
from services.api.resources.handing import HandingOver
from services.api.resources.looking import Looking
from services.api.resources.service import Resources
from services.api.reveals.service import Reveals
from services.api.setup.service import Setup
from services.api.tasks.asking import TaskAsking
from services.api.tasks.service import Tasks


@dataclass(frozen=True)
class Services:
    """What the pages show and ask; the same objects that the interface has. `now` in Unix milliseconds."""

    about: About
    setup: Setup
    resources: Resources
    finder: Finder
    looking: Looking
    accounts: Accounts
    tasks: Tasks
    asking: TaskAsking
    reveals: Reveals
    registry: agents.Registry
    archive: audit.Archive
    people: People
    handing: HandingOver
    health: Health
    notifications: Notifications
    now: Callable[[], int]


def build(services: Services) -> FastAPI:
    """The application of the pages."""
    files, folk = StaticFiles(), services.people
    pages = Pages(files, services.notifications, services.now)
    entry, forms = Entry(pages, folk.sessions), AccountForms(pages, services.accounts, services.asking)
    find = folk.sessions.find
    confirm = folk.sessions.confirm
    see, post = visits(find), posts(find, confirm)
    see_entering, post_entering = visits(find, incomplete=True), posts(find, confirm, incomplete=True)
    reveal = revealing.Revealing(pages, forms, services.accounts, services.reveals, folk.sessions)
    line = TimeLine(services.tasks, services.archive.trail)
    site = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)

    @site.get("/")
    async def home() -> Response:
        return go(HOME)

    for router in (
        files.router(),
        set_up.router(pages, entry, services.setup, services.about),
        signing_in.router(pages, entry, folk.sessions, services.about, post_entering),
        signing_in.second_step(entry, folk.sessions),
        access_tokens.router(pages, folk.tokens, see, post),
        second_factor.router(pages, folk.factor, see_entering, post_entering),
        second_factor.ending(pages, folk.factor, post),
        resources.router(
            pages,
            services.finder,
            services.resources,
            services.looking,
            services.accounts,
            tasks=services.tasks,
            agents=services.registry.agents,
            see=see,
            post=post,
        ),
        accounts.router(
            pages, services.resources, services.accounts, services.tasks, services.registry.agents, line, see
        ),
        changing.router(forms, services.asking, see, post),
        revealing.router(forms, reveal, see, post),
        notifications.router(pages, services.notifications, see),
        agents.router(pages, services.registry, see),
        audit.router(pages, services.archive, see),
        groups.router(pages, folk.groups, see, post),
        groups.members(pages, folk.groups, see, post),
        groups.ending(pages, folk.groups, see, post),
        sharing.router(pages, services.resources, services.accounts, folk.shares, see=see, post=post),
        sharing.owner(pages, services.resources, services.handing, see, post),
        people.router(pages, folk.users, folk.sessions, see, post),
        people.changing(pages, folk.users, folk.sessions, see, post),
        people.signing_out(folk.users, post),
        me.router(pages, folk.mine, see, post),
        about.router(pages, services.about, services.health, see),
        downloading.router(pages, services.registry.packages, services.resources, see, post),
        admitting.enrolments(pages, services.registry.enrolments, see, post),
        admitting.incidents(pages, services.registry.incidents, see, post),
        admitting.agents(pages, services.resources, services.registry.revoking, see, post),
        admitting.machines(pages, services.resources, services.registry, see, post),
        admitting.tokens(pages, services.registry.tokens, see, post),
        design.router(pages, see),
    ):
        site.include_router(router)
    confirming.install(site, pages)
    _refuse_in_words(site, pages)
    return site


def _refuse_in_words(site: FastAPI, pages: Pages) -> None:
    """Makes every error of `site` a page."""

    def show(said: Said, back: str | None = None, *, again: bool = False) -> Response:
        title = TITLES.get(said.status, said.status.phrase)
        return pages.plain("error.html", status=said.status, title=title, detail=said.detail, back=back, again=again)

    async def sign_in_first(request: Request, error: Exception) -> Response:
        if not isinstance(error, SignInFirstError):
            return show(said_of(error))
        if request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site":
            return pages.arriving()
        path = after_signing_in(error.path)
        answer = go(f"/sign-in?next={quote(path, safe='/')}")
        cookies.keep(answer, path, error.fields)
        return answer

    async def stale(_request: Request, error: Exception) -> Response:
        if not isinstance(error, StaleFormError):
            return show(said_of(error))
        path = after_signing_in(error.path)
        answer = show(said_of(error), path)
        cookies.keep(answer, path, error.fields)
        return answer

    async def not_there(_request: Request, error: Exception) -> Response:
        return show(said_of_framework(error) if isinstance(error, HTTPException) else NOT_THERE)

    async def any_error(request: Request, error: Exception) -> Response:
        said = said_of(error)
        return show(said, again=request.method == "GET" and said.status is HTTPStatus.SERVICE_UNAVAILABLE)

    site.add_exception_handler(SignInFirstError, sign_in_first)
    site.add_exception_handler(StaleFormError, stale)
    site.add_exception_handler(SecondFactorFirstError, _second_factor_first)
    site.add_exception_handler(RequestValidationError, not_there)
    site.add_exception_handler(HTTPException, not_there)
    for kind in (GatewayError, RuleError, StoreError, BrokerError, Exception):
        site.add_exception_handler(kind, any_error)


async def _second_factor_first(_request: Request, _error: Exception) -> Response:
    return go("/me/second-factor")


class ByPath:
    """Browsers to the page, programs to the interface."""

    def __init__(self, site: App, interface: App) -> None:
        self._site, self._interface = site, interface

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = scope["type"] == "http" and (is_page(scope["path"]) or _asks_for_a_page(scope))
        await (self._site if page else self._interface)(scope, receive, send)


def _asks_for_a_page(scope: Scope) -> bool:
    """A browser that was given a wrong address gets words; what programs call answers programs."""
    programs = ("/v1", "/agent", "/openapi.json")
    accepts = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return b"text/html" in accepts and not scope["path"].startswith(programs)
