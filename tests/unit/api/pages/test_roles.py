"""Every page and form, asked by nobody, by its owner, by another user and by an administrator."""

import pytest

from libs.domain.accounts import Account
from libs.store.groups import Group, Groups
from libs.store.resources import Resource
from libs.store.users import User
from libs.wire.ids import Noun, new_id
from services.api.pages.rendering import HEADERS
from tests.unit.api.pages.browser import ORIGIN, Browser, forms
from tests.unit.api.world import PASSWORD, World

CALLERS = ("nobody", "ben", "eve", "ada")

# For each page: what nobody, the owner, another user and an administrator get. 303 leads nobody to sign in.
PAGES: dict[str, tuple[int, int, int, int]] = {
    "/resources": (303, 200, 200, 200),
    "/resources/{resource}": (303, 200, 404, 200),
    "/accounts/{account}": (303, 200, 404, 200),
    "/accounts/{account}/change": (303, 200, 404, 200),
    "/accounts/{account}/adopt": (303, 200, 404, 200),
    "/accounts/{account}/verify": (303, 200, 404, 200),
    "/accounts/{account}/reveal": (303, 200, 404, 200),
    "/tasks/{task}": (303, 303, 404, 303),
    "/notifications": (303, 200, 200, 200),
    "/admin/agents": (303, 200, 200, 200),
    "/admin/agents/download": (303, 200, 200, 200),
    "/admin/enrolments/{enrolment}": (303, 200, 404, 200),
    "/admin/tokens/{token}/revoke": (303, 200, 404, 200),
    "/admin/incidents/{incident}/close": (303, 200, 404, 200),
    "/admin/agents/{resource}/revoke": (303, 403, 403, 200),
    "/admin/agents/{resource}/choose": (303, 403, 403, 303),  # there is nothing to choose
    "/admin/about": (303, 200, 200, 200),
    "/people": (303, 403, 403, 200),
    "/people/new": (303, 403, 403, 200),
    "/people/{user}/change": (303, 403, 403, 200),
    "/people/groups": (303, 200, 200, 200),
    "/people/groups/new": (303, 403, 403, 200),
    "/people/groups/{group}": (303, 404, 404, 200),
    "/people/groups/{group}/remove": (303, 403, 403, 200),
    "/resources/{resource}/sharing": (303, 200, 404, 200),
    "/resources/{resource}/sharing/new": (303, 200, 404, 200),
    "/resources/{resource}/owner": (303, 200, 404, 200),
    "/me": (303, 200, 200, 200),
    "/me/access-tokens": (303, 200, 200, 200),
    "/me/access-tokens/new": (303, 200, 200, 200),
    "/me/second-factor": (303, 200, 200, 200),
    "/me/password": (303, 200, 200, 200),
    "/audit": (303, 403, 403, 200),
    "/audit/export": (303, 403, 403, 200),
    "/design": (303, 200, 200, 200),
}
# For each form: the same, when it is sent with the token of who sends it. 303 leads to what was done.
FORMS: dict[str, tuple[dict[str, str], tuple[int, int, int, int]]] = {
    "/accounts/{account}/change": ({"how": "generate", "length": "24", "alphabet": "full"}, (303, 303, 404, 303)),
    "/accounts/{account}/adopt": ({"password": "Is-live-now-1"}, (303, 409, 404, 409)),  # it is in sync
    "/accounts/{account}/verify": ({}, (303, 303, 404, 303)),
    "/accounts/{account}/reveal": ({"reason": "x", "password": "is-not-theirs"}, (303, 422, 404, 422)),
    "/resources/{resource}/discover": ({}, (303, 303, 404, 303)),
    "/tasks/{task}/cancel": ({}, (303, 303, 404, 303)),
    "/admin/agents/download": ({"platform": "linux", "user_name": "ben"}, (303, 503, 403, 503)),
    "/admin/enrolments/{enrolment}": ({"decision": "approve"}, (303, 503, 404, 503)),
    "/admin/tokens/{token}/revoke": ({}, (303, 503, 404, 503)),
    "/admin/incidents/{incident}/close": ({"reason": "ours"}, (303, 303, 404, 303)),
    "/admin/agents/{resource}/revoke": ({"reason": "lost"}, (303, 403, 403, 303)),
    "/admin/agents/{resource}/choose": ({"run": "a" * 32, "reason": "x"}, (303, 403, 403, 303)),
    "/people/new": (
        {"name": "zoe", "role": "user", "password": "their-first-pass-phrase", "own": PASSWORD},
        (303, 403, 403, 303),
    ),
    "/people/{user}/change": ({"role": "user", "entry": "in", "own": "is-not-theirs"}, (303, 403, 403, 422)),
    "/people/groups/new": ({"group": "new"}, (303, 403, 403, 303)),
    "/people/groups/{group}/join": ({"user_name": "ben"}, (303, 403, 403, 303)),
    "/people/groups/{group}/members/{user}/leave": ({}, (303, 403, 403, 404)),
    "/people/groups/{group}/remove": ({}, (303, 403, 403, 303)),
    "/resources/{resource}/sharing/new": ({"kind": "person", "with": "nobody", "level": "see"}, (303, 422, 404, 422)),
    "/resources/{resource}/sharing/{share}/end": ({}, (303, 404, 404, 404)),
    "/resources/{resource}/owner": ({"user_name": "eve"}, (303, 503, 404, 503)),
    "/me/access-tokens/new": ({"password": "is-not-theirs"}, (303, 422, 422, 422)),
    "/me/access-tokens/{token}/end": ({}, (303, 404, 404, 404)),
    "/me/second-factor": ({"password": "is-not-theirs"}, (303, 422, 422, 422)),
    "/me/second-factor/confirm": ({"code": "000000"}, (303, 409, 409, 409)),
    "/me/second-factor/end": ({"password": "is-not-theirs"}, (303, 422, 422, 422)),
    "/people/{user}/second-factor/end": ({}, (303, 403, 403, 303)),
    "/people/{user}/sign-out": ({}, (303, 403, 403, 303)),
    "/me/password": ({"own": "is-not-theirs", "password": "their-first-pass-phrase"}, (303, 422, 422, 422)),
    "/me/sessions/{session}/end": ({}, (303, 404, 404, 404)),
    "/sign-out": ({}, (303, 303, 303, 303)),
}
OPEN = {("GET", "/"), ("GET", "/set-up"), ("POST", "/set-up"), ("GET", "/sign-in"), ("POST", "/sign-in"),
        ("POST", "/sign-in/code"), ("GET", "/static/{name}")}  # fmt: skip


@pytest.fixture
async def bens(world: World, users: dict[str, User], machine: Resource, account: Account) -> dict[str, str]:
    """What ben has, by the names that paths give it."""
    token, enrolment = await world.token(users["ben"]), await world.waiting(users["ben"])
    incident = await world.incident(users["ben"])
    bound = {"incident": incident.id, "token": token.id, "enrolment": enrolment.id, "session": "0" * 20}
    group = Group(id=new_id(Noun.GROUP), name="db-admins", created_at=world.clock.now())
    assert await Groups(world.admin).insert(group)
    people = {"user": users["eve"].id, "group": group.id, "share": new_id(Noun.SHARE)}
    return {"resource": machine.id, "account": account.id, **bound, **people}


async def waiting(world: World, browsers: dict[str, Browser], account: str) -> str:
    """The name of a task of ben's that is on the desk."""
    await browsers["ben"].fill(f"/accounts/{account}/verify")
    return next(key for _, key in world.nudged if key.startswith("tsk_"))


@pytest.mark.parametrize("path", sorted(PAGES))
async def test_each_caller_gets_the_pages_that_are_theirs(
    world: World, browsers: dict[str, Browser], bens: dict[str, str], path: str
) -> None:
    target = path.format(**bens, task=await waiting(world, browsers, bens["account"]))
    answers = [await browsers[each].get(target) for each in CALLERS]
    assert tuple(each.status_code for each in answers) == PAGES[path]
    assert answers[0].headers["location"] == f"/sign-in?next={target}"
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        if answer.status_code != 303 and answer.headers["content-type"].startswith("text/html"):
            assert answer.headers["content-security-policy"] == HEADERS["content-security-policy"]


@pytest.mark.parametrize("path", sorted(FORMS))
async def test_each_caller_sends_the_forms_that_are_theirs(
    world: World, browsers: dict[str, Browser], bens: dict[str, str], path: str
) -> None:
    fields, expected = FORMS[path]
    task = await waiting(world, browsers, bens["account"]) if "{task}" in path else ""
    target = path.format(**bens, task=task)
    world.node.stop()
    found = []
    for name in CALLERS:
        signed_in = await browsers[name].get("/resources")
        token = forms(signed_in).get("/sign-out", {}).get("form", "0" * 64)
        answer = await browsers[name].send(target, {**fields, "form": token})
        found.append(answer.status_code)
        if name == "nobody":
            assert answer.headers["location"].startswith("/sign-in?next=")
    assert tuple(found) == expected


@pytest.mark.parametrize("path", sorted(FORMS))
async def test_a_form_without_this_sessions_token_does_nothing(
    world: World, browsers: dict[str, Browser], bens: dict[str, str], path: str
) -> None:
    fields = FORMS[path][0]
    task = await waiting(world, browsers, bens["account"]) if "{task}" in path else ""
    target = path.format(**bens, task=task)
    adas = forms(await browsers["ada"].get("/resources"))["/sign-out"]["form"]
    own = forms(await browsers["ben"].get("/resources"))["/sign-out"]["form"]
    before = len(world.nudged)
    for token in ({"other": "1"}, {"form": ""}, {"form": "0" * 64}, {"form": adas}):
        assert (await browsers["ben"].send(target, {**fields, **token})).status_code == 403
    for origin in ("https://evil.example", "null"):
        assert (await browsers["ben"].send(target, {**fields, "form": own}, origin=origin)).status_code == 403
    unsaid = await browsers["ben"].client.post(target, data={**fields, "form": own})
    assert unsaid.status_code == 403
    assert len(world.nudged) == before
    assert (await browsers["ben"].get("/resources")).status_code == 200


async def test_what_is_not_there_looks_as_what_is_somebody_elses(
    browsers: dict[str, Browser], account: Account
) -> None:
    theirs = await browsers["eve"].get(f"/accounts/{account.id}")
    nothing = await browsers["eve"].get(f"/accounts/{account.id[:-1]}a")
    assert (theirs.status_code, theirs.text) == (nothing.status_code, nothing.text)


@pytest.mark.parametrize(
    "path", ["/nowhere", "/resources/res_x", "/accounts/..%2f..", "/accounts/x/change", "/tasks/tsk_", "/resources/a/b"]
)
async def test_a_wrong_address_is_answered_in_words(browsers: dict[str, Browser], path: str) -> None:
    answer = await browsers["ben"].get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no such page" in answer.text


async def test_what_programs_ask_is_answered_for_programs(world: World, browsers: dict[str, Browser]) -> None:
    assert (await world.client.get("/nowhere")).json()["code"] == "route_unknown"
    assert (await browsers["ben"].get("/v1/nowhere")).json()["code"] == "route_unknown"
    wrong_method = await browsers["ben"].client.put("/resources", headers={"origin": ORIGIN})
    assert (wrong_method.status_code, "takes no such request" in wrong_method.text) == (405, True)


def test_the_tables_have_every_route(world: World) -> None:
    """The description that is not served names them all."""
    paths = world.gateway.site.openapi()["paths"]
    routes = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert routes == {("GET", path) for path in PAGES} | {("POST", path) for path in FORMS} | OPEN
