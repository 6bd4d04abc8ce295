"""Every field of every body and query has a bound, and the answer names the field and the bound."""

from typing import Any

import pytest

from libs.wire.ids import Noun, derived_id
from tests.unit.api.world import PASSWORD, World

ACCOUNT, TASK = derived_id(Noun.ACCOUNT, "x"), derived_id(Noun.TASK, "x")
KEY = "A" * 43 + "="

# Path, a good body, and for each field what is no good.
BODIES: dict[str, tuple[dict[str, Any], dict[str, list[Any]]]] = {
    "/v1/setup": (
        {"code": "a" * 26, "name": "ada", "password": PASSWORD},
        {
            "code": ["", "A" * 26, "a" * 41, 7, None],
            "name": ["", "Ada", "a" * 65, "a b", "-a", 7],
            "password": ["x", 7],
        },
    ),
    "/v1/sessions": (
        {"name": "ada", "password": PASSWORD},
        {"name": ["", "a" * 65, "ä", None], "password": [None, 7, ["x"], {"a": 1}]},
    ),
    "/v1/users": (
        {"name": "new", "password": PASSWORD, "role": "user"},
        {"name": ["", "N", "a" * 65], "password": ["x" * 11, "x" * 129, "x" * 12 + "\n"], "role": ["root", 1, None]},
    ),
    f"/v1/accounts/{ACCOUNT}/reset": (
        {"password": None, "policy": None, "unlock": False, "note": ""},
        {
            "password": [7, "", "a\nb", "a\rb", "a\0b", "x" * 512, "\u00e4" * 256],
            "policy": [{"length": 11}, {"length": 129}, {"alphabet": "emoji"}, "strong", {"length": "long"}],
            "unlock": ["maybe", None, 2],
            "note": ["x" * 501, 7, None],
        },
    ),
    f"/v1/accounts/{ACCOUNT}/verify": ({"note": ""}, {"note": ["x" * 501, 7]}),
    f"/v1/accounts/{ACCOUNT}/reveal": (
        {"recipient": KEY, "reason": "because"},
        {"recipient": ["", "x", "A" * 44, "-" * 43 + "=", KEY * 2, 7], "reason": ["", "x" * 501, None]},
    ),
    "/v1/packages": (
        {"platform": "linux", "user_name": "ada"},
        {
            "platform": ["amiga", None],
            "user_name": ["", "A", "a" * 65],
            "server_name": ["-x", "x" * 254, "a b", "a/b"],
            "server_port": [0, 65_536, "x"],
            "schedule_interval": [4, 86_401],
            "uses": [0, 10_001],
            "lifetime_seconds": [59, 31_536_001],
        },
    ),
}


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        (path, field, value)
        for path, (_, fields) in BODIES.items()
        for field, values in fields.items()
        for value in values
    ],
)
async def test_a_wrong_field_is_named(
    world: World, people: dict[str, dict[str, str]], path: str, field: str, value: Any
) -> None:
    body = {**BODIES[path][0], field: value}
    answer = await world.client.post(path, json=body, headers=people["ada"])
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert problem["code"] in {"invalid", "password_not_settable"}
    assert problem["errors"][0]["field"].split(".")[0] == field
    assert problem["errors"][0]["problem"]


@pytest.mark.parametrize("path", sorted(BODIES))
async def test_an_unknown_field_is_refused_by_its_name(
    world: World, people: dict[str, dict[str, str]], path: str
) -> None:
    answer = await world.client.post(path, json={**BODIES[path][0], "pasword": "x"}, headers=people["ada"])
    assert answer.json()["errors"][0] == {"field": "pasword", "problem": "There is no such field here."}


@pytest.mark.parametrize("path", sorted(BODIES))
@pytest.mark.parametrize("raw", [b"{", b"[]", b"\xff", b'"x"', b'{"password": "\\ud800"}', b"7"])
async def test_what_is_no_json_object_is_refused(
    world: World, people: dict[str, dict[str, str]], path: str, raw: bytes
) -> None:
    headers = {**people["ada"], "content-type": "application/json"}
    answer = await world.client.post(path, content=raw, headers=headers)
    assert (answer.status_code, answer.json()["status"]) in {(422, 422), (400, 400)}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/resources?limit=0",
        "/v1/resources?limit=201",
        "/v1/resources?cursor=!!",
        "/v1/resources?cursor=AAAA",
        f"/v1/resources?cursor={'A' * 3_000}",
        "/v1/tasks?state=lost",
        "/v1/tasks?account=root",
        "/v1/tasks?mine=perhaps",
        "/v1/audit?person=ben",
        f"/v1/audit?account={ACCOUNT}&task={TASK}",
        "/v1/accounts/..%2f",
        "/v1/tasks/tsk_short",
    ],
)
async def test_a_wrong_query_or_path_is_refused(world: World, people: dict[str, dict[str, str]], path: str) -> None:
    answer = await world.client.get(path, headers=people["ada"])
    assert answer.status_code in {404, 422}
    assert answer.json()["code"] in {"invalid", "route_unknown"}


async def test_a_password_is_not_repeated_in_what_is_said_of_it(
    world: World, people: dict[str, dict[str, str]]
) -> None:
    for path in BODIES:
        answer = await world.client.post(path, json={"password": ["hunter-two-canary"]}, headers=people["ada"])
        assert "hunter" not in answer.text


async def test_unknown_routes_and_methods_are_problems_too(world: World) -> None:
    for method, path, status, code in (
        ("GET", "/v2/users", 404, "route_unknown"),
        ("PUT", "/v1/users", 405, "method_not_allowed"),
        ("POST", "/agent/v1/poll", 405, "method_not_allowed"),
    ):
        answer = await world.client.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_that_is_too_large_is_refused(world: World, people: dict[str, dict[str, str]]) -> None:
    async def endless() -> Any:
        for _ in range(70):
            yield b" " * 1_024

    for content in (b" " * 65_537, endless()):
        answer = await world.client.post("/v1/sessions", content=content, headers=people["ada"])
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_every_answer_has_the_headers_that_browsers_heed(world: World) -> None:
    for path in ("/v1/about", "/v1/users", "/nowhere"):
        answer = await world.client.get(path)
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


async def test_a_store_that_is_away_is_said_and_changes_nothing(
    world: World, people: dict[str, dict[str, str]]
) -> None:
    world.parts.store.faults.away = True  # type: ignore[attr-defined]
    answer = await world.client.get("/v1/users", headers=people["ada"])
    assert (answer.status_code, answer.json()["code"]) == (503, "store_away")
    assert answer.headers["retry-after"] == "2"
