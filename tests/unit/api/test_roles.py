"""Who may do what: every route, asked by nobody, by its owner, by another user and by an administrator.

Every role and every level of sharing is tried in `tests/integration/roles`.
"""

from typing import Any

import pytest
from fastapi.routing import APIRoute

from libs.wire.ids import Noun, derived_id
from tests.unit.api.world import PASSWORD, World, in_sync

Ask = tuple[str, str, Any]

CALLERS = ("nobody", "ben", "eve", "ada")

# For each route: the body, and the status for nobody, the owner, another user, an administrator.
TABLE: dict[tuple[str, str], tuple[Any, tuple[int, int, int, int]]] = {
    ("GET", "/v1/sessions/current"): (None, (401, 200, 200, 200)),
    ("GET", "/v1/sessions"): (None, (401, 200, 200, 200)),
    ("DELETE", "/v1/sessions/{session}"): (None, (401, 404, 404, 404)),
    ("POST", "/v1/sessions/confirm"): ({"password": "is-not-theirs"}, (401, 422, 422, 422)),
    ("POST", "/v1/sessions/password"): (
        {"own": "is-not-theirs", "password": "their-first-pass-phrase"},
        (401, 422, 422, 422),
    ),
    ("GET", "/v1/users"): (None, (401, 403, 403, 200)),
    ("POST", "/v1/users"): ({"name": "new", "password": "their-first-pass-phrase"}, (401, 403, 403, 201)),
    ("GET", "/v1/users/{user}"): (None, (401, 200, 404, 200)),
    ("PATCH", "/v1/users/{user}"): ({"role": "operator"}, (401, 403, 403, 200)),
    ("GET", "/v1/second-factor"): (None, (401, 200, 200, 200)),
    ("POST", "/v1/second-factor"): ({"password": PASSWORD}, (401, 201, 201, 201)),
    ("POST", "/v1/second-factor/confirm"): ({"code": "000000"}, (401, 409, 409, 409)),
    ("POST", "/v1/second-factor/remove"): ({"password": PASSWORD}, (401, 204, 204, 204)),
    ("DELETE", "/v1/users/{user}/sessions"): (None, (401, 403, 403, 204)),
    ("DELETE", "/v1/users/{user}/second-factor"): (None, (401, 403, 403, 204)),
    ("GET", "/v1/access-tokens"): (None, (401, 200, 200, 200)),
    ("POST", "/v1/access-tokens"): ({"name": "x", "scopes": ["see"], "password": PASSWORD}, (401, 201, 201, 201)),
    ("DELETE", "/v1/access-tokens/{token}"): (None, (401, 404, 404, 404)),
    ("GET", "/v1/groups"): (None, (401, 200, 200, 200)),
    ("POST", "/v1/groups"): ({"name": "new"}, (401, 403, 403, 201)),
    ("GET", "/v1/groups/{group}"): (None, (401, 404, 404, 404)),
    ("GET", "/v1/groups/{group}/members"): (None, (401, 404, 404, 404)),
    ("POST", "/v1/groups/{group}/members"): ({"user_name": "ben"}, (401, 403, 403, 404)),
    ("DELETE", "/v1/groups/{group}/members/{user}"): (None, (401, 403, 403, 404)),
    ("DELETE", "/v1/groups/{group}"): (None, (401, 403, 403, 404)),
    ("GET", "/v1/shares"): (None, (401, 422, 422, 422)),
    ("POST", "/v1/shares"): ({"level": "see"}, (401, 422, 422, 422)),
    ("DELETE", "/v1/shares/{share}"): (None, (401, 404, 404, 404)),
    ("POST", "/v1/resources/{resource}/owner"): ({"user_name": "eve"}, (401, 503, 404, 503)),
    ("GET", "/v1/resources"): (None, (401, 200, 200, 200)),
    ("GET", "/v1/resources/{resource}"): (None, (401, 200, 404, 200)),
    ("GET", "/v1/resources/{resource}/accounts"): (None, (401, 200, 404, 200)),
    ("POST", "/v1/resources/{resource}/discover"): (None, (401, 202, 404, 202)),
    ("GET", "/v1/accounts/{account}"): (None, (401, 200, 404, 200)),
    ("POST", "/v1/accounts/{account}/reset"): ({}, (401, 202, 404, 202)),
    ("POST", "/v1/accounts/{account}/verify"): ({}, (401, 202, 404, 202)),
    ("POST", "/v1/accounts/{account}/adopt"): ({"password": "Is-live-now-1"}, (401, 409, 404, 409)),  # it is in sync
    ("POST", "/v1/accounts/{account}/reveal"): ({"recipient": "A" * 43 + "=", "reason": "?"}, (401, 503, 404, 503)),
    ("GET", "/v1/tasks"): (None, (401, 200, 200, 200)),
    ("GET", "/v1/tasks/{task}"): (None, (401, 200, 404, 200)),
    ("POST", "/v1/tasks/{task}/cancel"): (None, (401, 202, 404, 202)),
    ("GET", "/v1/notifications"): (None, (401, 200, 200, 200)),
    ("GET", "/v1/packages"): (None, (401, 200, 200, 200)),
    ("POST", "/v1/packages"): ({"platform": "linux", "user_name": "ben"}, (401, 503, 403, 503)),
    ("GET", "/v1/tokens"): (None, (401, 200, 200, 200)),
    ("POST", "/v1/tokens/{token}/revoke"): (None, (401, 503, 404, 503)),
    ("GET", "/v1/enrolments"): (None, (401, 200, 200, 200)),
    ("POST", "/v1/enrolments/{enrolment}/approve"): (None, (401, 503, 404, 503)),
    ("POST", "/v1/enrolments/{enrolment}/deny"): (None, (401, 503, 404, 503)),
    ("GET", "/v1/incidents"): (None, (401, 200, 200, 200)),
    ("POST", "/v1/incidents/{incident}/close"): ({"reason": "a test"}, (401, 200, 404, 200)),
    ("GET", "/v1/agents"): (None, (401, 200, 200, 200)),
    ("POST", "/v1/agents/{agent}/revoke"): ({"reason": "stolen"}, (401, 403, 403, 200)),
    ("POST", "/v1/agents/{agent}/choose"): ({"run": "0" * 32, "reason": "a test"}, (401, 403, 403, 409)),
    ("GET", "/v1/audit"): (None, (401, 403, 403, 200)),
    ("GET", "/v1/audit/export"): (None, (401, 403, 403, 200)),
}
OPEN = {("GET", "/v1/about"), ("POST", "/v1/setup"), ("POST", "/v1/sessions")}
ELSEWHERE = {("GET", "/v1/events"), ("DELETE", "/v1/sessions/current")}


@pytest.mark.parametrize(("method", "path"), sorted(TABLE))
async def test_each_caller_gets_what_is_theirs(
    world: World, people: dict[str, dict[str, str]], method: str, path: str
) -> None:
    body, expected = TABLE[method, path]
    world.node.stop()
    ben = next(user for user in await _users(world) if user.name == "ben")
    resource, _ = await world.machine(ben)
    account = await world.account(resource, rotation=in_sync())
    asked = await world.client.post(f"/v1/accounts/{account.id}/reset", headers=people["ben"])
    task = asked.json()["task"]["id"]
    token, enrolment, incident = await world.token(ben), await world.waiting(ben), await world.incident(ben)
    target = path.format(
        user=ben.id,
        resource=resource.id,
        account=account.id,
        task=task,
        token=derived_id(Noun.ACCESS_TOKEN, "nowhere") if "access-tokens" in path else token.id,
        enrolment=enrolment.id,
        agent=resource.agent,
        incident=incident.id,
        session="0" * 20,
        group=derived_id(Noun.GROUP, "nowhere"),
        share=derived_id(Noun.SHARE, "nowhere"),
    )
    found = [
        (await world.client.request(method, target, json=body, headers=people[each])).status_code for each in CALLERS
    ]
    assert tuple(found) == expected


async def test_what_is_not_there_answers_as_what_is_somebody_elses(
    world: World, people: dict[str, dict[str, str]]
) -> None:
    ben = next(user for user in await _users(world) if user.name == "ben")
    resource, _ = await world.machine(ben)
    account = await world.account(resource)
    nowhere = derived_id(Noun.ACCOUNT, "nowhere")
    theirs = await world.client.get(f"/v1/accounts/{account.id}", headers=people["eve"])
    nothing = await world.client.get(f"/v1/accounts/{nowhere}", headers=people["eve"])
    assert theirs.json() == nothing.json()


async def test_lists_hold_what_the_caller_may_see(world: World, people: dict[str, dict[str, str]]) -> None:
    ben = next(user for user in await _users(world) if user.name == "ben")
    for n in range(3):
        await world.machine(ben, f"host-{n}")
    for path in ("/v1/resources", "/v1/agents"):
        seen = {who: len((await world.client.get(path, headers=people[who])).json()["items"]) for who in CALLERS[1:]}
        assert seen == {"ben": 3, "eve": 0, "ada": 3}
    everybodys = await world.client.get("/v1/tasks", params={"mine": "false"}, headers=people["ben"])
    assert (everybodys.status_code, everybodys.json()["errors"][0]["field"]) == (422, "mine")


async def test_pages_follow_one_another_without_a_gap(world: World, people: dict[str, dict[str, str]]) -> None:
    ben = next(user for user in await _users(world) if user.name == "ben")
    for n in range(5):
        await world.machine(ben, f"host-{n}")
    seen, cursor = [], None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await world.client.get("/v1/resources", params=params, headers=people["ben"])).json()
        seen += [each["name"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"host-{n}" for n in (4, 3, 2, 1, 0)]


def test_the_table_has_every_route(world: World) -> None:
    routes = {
        (method, route.path)
        for route in _routes(world)
        for method in (route.methods or ())
        if route.path.startswith("/v1/")
    }
    assert routes == TABLE.keys() | OPEN | ELSEWHERE


def _routes(world: World) -> list[APIRoute]:
    return [
        APIRoute(path, endpoint=lambda: None, methods=[method.upper() for method in methods])
        for path, methods in world.gateway.api.openapi()["paths"].items()
    ]


async def _users(world: World) -> Any:
    from libs.store.users import Users

    return await Users(world.admin).page(now=world.clock.now(), limit=10)
