"""Saying again who you are: before a reveal and before what changes who may do what, for five minutes of a session."""

from typing import Any

import pytest

from libs.broker.topology import QueueName
from libs.store.resources import Resource
from libs.store.users import Role, Users
from libs.wire.requests import Request
from tests.unit.api.test_second_factor import begin, later
from tests.unit.api.world import PASSWORD, World, declined

Headers = dict[str, str]
_LONG = 5 * 60
REVEAL = {"recipient": "A" * 43 + "=", "reason": "?"}


@pytest.fixture
async def machine(world: World, people: dict[str, Headers]) -> Resource:
    assert people
    ada = await Users(world.admin).named("ada")
    assert ada is not None
    return (await world.machine(ada))[0]


async def asked(
    world: World, headers: Headers, method: str, path: str, body: dict[str, Any] | None
) -> tuple[int, str | None]:
    answer = await world.client.request(method, path, json=body, headers=headers)
    return answer.status_code, answer.json().get("code") if answer.content else None


async def say_again(world: World, headers: Headers, **more: str) -> int:
    body = {"password": PASSWORD, **more}
    return (await world.client.post("/v1/sessions/confirm", json=body, headers=headers)).status_code


async def test_what_changes_who_may_do_what_waits_for_it(
    world: World, people: dict[str, Headers], machine: Resource
) -> None:
    ada, eve = people["ada"], await Users(world.admin).named("eve")
    assert eve is not None
    account = await world.account(machine)
    group = (await world.client.post("/v1/groups", json={"name": "db-admins"}, headers=ada)).json()["id"]
    member = {"user_name": "eve"}
    given = {"resource": machine.id, "person": "eve", "level": "use"}
    share = (await world.client.post("/v1/shares", json=given, headers=ada)).json()["id"]
    guarded: list[tuple[str, str, dict[str, Any] | None, int]] = [
        ("POST", f"/v1/accounts/{account.id}/reveal", REVEAL, 409),
        ("POST", f"/v1/resources/{machine.id}/owner", member, 409),
        ("POST", "/v1/shares", {**given, "level": "see"}, 201),
        ("DELETE", f"/v1/shares/{share}", None, 200),
        ("POST", f"/v1/groups/{group}/members", member, 201),
        ("DELETE", f"/v1/groups/{group}/members/{eve.id}", None, 204),
        ("DELETE", f"/v1/groups/{group}", None, 204),
        ("POST", "/v1/users", {"name": "new", "password": "a pass phrase for somebody new"}, 201),
        ("PATCH", f"/v1/users/{eve.id}", {"role": "operator"}, 200),
        ("DELETE", f"/v1/users/{eve.id}/sessions", None, 204),
        ("DELETE", f"/v1/users/{eve.id}/second-factor", None, 204),
    ]
    world.clock.skip(_LONG)
    assert (await world.client.get("/v1/resources", headers=ada)).status_code == 200  # notes that the session is used
    before = world.documents()
    for method, path, body, _ in guarded:
        assert await asked(world, ada, method, path, body) == (401, "confirm_first"), path
    assert world.documents() == before  # nothing was done, and nothing written
    assert await say_again(world, ada) == 204

    def no(_: Request) -> Any:
        return declined("not_now")

    async with world.answering(QueueName.REVEALS, no), world.answering(QueueName.HANDOVERS, no):
        for method, path, body, status in guarded:
            assert (await asked(world, ada, method, path, body))[0] == status, path


async def test_signing_in_counts_for_five_minutes_and_so_does_each_time(world: World) -> None:
    await world.user("ada", Role.ADMINISTRATOR)
    ada, elsewhere = await world.signed_in("ada"), await world.signed_in("ada")

    async def adds(name: str, headers: Headers) -> int:
        body = {"name": name, "password": "a pass phrase for somebody new"}
        return (await asked(world, headers, "POST", "/v1/users", body))[0]

    world.clock.skip(_LONG - 1)
    assert await adds("one", ada) == 201
    world.clock.skip(1)
    assert await adds("two", ada) == 401
    assert await say_again(world, ada) == 204
    assert (await adds("two", ada), await adds("three", elsewhere)) == (201, 401)  # this session, and no other
    world.clock.skip(-60)
    assert await adds("three", ada) == 401  # a clock that went back lets nothing count for longer


async def test_a_refusal_says_how_and_a_wrong_password_counts_as_a_try(world: World) -> None:
    await world.user("ada", Role.ADMINISTRATOR)
    ada = await world.signed_in("ada")
    world.clock.skip(_LONG)
    body = {"name": "new", "password": "a pass phrase for somebody new"}
    refused = await world.client.post("/v1/users", json=body, headers=ada)
    # RFC 9470: the token is good, and its person has to show themselves.
    assert refused.headers["www-authenticate"] == 'Bearer error="insufficient_user_authentication", max_age=300'
    assert "Say again who you are" in refused.json()["detail"]
    for _ in range(5):
        assert await say_again(world, ada, password="not-adas-password") == 422
    assert await say_again(world, ada) == 429
    assert await asked(world, ada, "POST", "/v1/users", body) == (401, "confirm_first")


async def test_who_has_a_second_factor_shows_that_too(world: World) -> None:
    await world.user("ada", Role.ADMINISTRATOR)
    ada = await world.signed_in("ada")
    secret, _ = await begin(world, ada)
    world.clock.skip(_LONG)
    assert await say_again(world, ada) == 422
    assert await say_again(world, ada, code=later(world, secret)) == 204


async def test_an_access_token_is_asked_for_nothing_and_cannot_answer(world: World) -> None:
    await world.user("ada", Role.ADMINISTRATOR)
    body = {"name": "ci", "scopes": ["administer"], "days": 7, "password": PASSWORD}
    made = await world.client.post("/v1/access-tokens", json=body, headers=await world.signed_in("ada"))
    token = {"authorization": f"Bearer {made.json()['token']}"}
    world.clock.skip(_LONG)
    new = {"name": "new", "password": "a pass phrase for somebody new"}
    assert await asked(world, token, "POST", "/v1/users", new) == (201, None)
    assert await say_again(world, token) == 401


async def test_one_request_is_repeated_with_its_key_once_its_person_has_said_it(world: World) -> None:
    await world.user("ada", Role.ADMINISTRATOR)
    ada = {**await world.signed_in("ada"), "idempotency-key": "one-change-of-mine"}
    world.clock.skip(_LONG)
    body = {"name": "new", "password": "a pass phrase for somebody new"}
    assert await asked(world, ada, "POST", "/v1/users", body) == (401, "confirm_first")
    assert await say_again(world, {"authorization": ada["authorization"]}) == 204
    assert (await asked(world, ada, "POST", "/v1/users", body))[0] == 201
