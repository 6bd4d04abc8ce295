"""Signing in and out."""

import pytest

from libs.store.users import Role
from tests.unit.api.world import PASSWORD, World


async def test_who_signs_in_is_who_is_signed_in(world: World) -> None:
    user = await world.user("ben")
    headers = await world.signed_in("ben")
    answer = await world.client.get("/v1/sessions/current", headers=headers)
    assert answer.json()["user"] == {
        "id": user.id,
        "name": "ben",
        "role": "user",
        "disabled": False,
        "created_at": "2025-11-25T04:13:20.000Z",
    }
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("name", "password"), [("ben", "another-long-password"), ("nobody", PASSWORD)])
async def test_a_wrong_name_and_a_wrong_password_answer_alike(world: World, name: str, password: str) -> None:
    await world.user("ben")
    answer = await world.client.post("/v1/sessions", json={"name": name, "password": password})
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_sign_in")


async def test_a_token_ends_with_signing_out_and_with_its_time(world: World) -> None:
    await world.user("ben")
    first, second = await world.signed_in("ben"), await world.signed_in("ben")
    assert (await world.client.delete("/v1/sessions/current", headers=first)).status_code == 204
    assert (await world.client.get("/v1/sessions/current", headers=first)).json()["code"] == "not_signed_in"
    assert (await world.client.get("/v1/sessions/current", headers=second)).status_code == 200
    await world.clock.advance(12 * 3_600)
    assert (await world.client.get("/v1/sessions/current", headers=second)).status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer " + "x" * 5_000])
async def test_what_is_no_token_signs_nobody_in(world: World, header: str) -> None:
    answer = await world.client.get("/v1/sessions/current", headers={"authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


async def test_guessing_is_slowed_down_for_the_guesser_and_not_for_others(world: World) -> None:
    await world.user("ben", Role.USER)
    await world.user("ada", Role.ADMINISTRATOR)
    for _ in range(5):
        await world.client.post("/v1/sessions", json={"name": "ben", "password": "x" * 12})
    slowed = await world.client.post("/v1/sessions", json={"name": "ben", "password": PASSWORD})
    assert (slowed.status_code, slowed.json()["code"]) == (429, "slow_down")
    assert int(slowed.headers["retry-after"]) == slowed.json()["retry_after"] == 1
    assert await world.signed_in("ada")
    await world.clock.advance(2)
    assert await world.signed_in("ben")


async def test_the_token_and_the_password_are_kept_as_hashes_only(world: World) -> None:
    await world.user("ben")
    token = (await world.signed_in("ben"))["authorization"].removeprefix("Bearer ")
    documents = world.documents()
    assert "ben" in documents
    assert token not in documents
    assert PASSWORD not in documents


async def test_a_session_that_nobody_uses_for_an_hour_is_over(world: World) -> None:
    await world.user("ben")
    used, left = await world.signed_in("ben"), await world.signed_in("ben")
    for _ in range(3):
        world.clock.skip(1_500)
        assert (await world.client.get("/v1/resources", headers=used)).status_code == 200
    assert (await world.client.get("/v1/resources", headers=left)).status_code == 401
    (only,) = (await world.client.get("/v1/sessions", headers=used)).json()["items"]
    assert (only["here"], only["address"]) == (True, "192.0.2.7")


async def test_sessions_are_listed_and_ended_and_a_password_is_changed_by_a_program(world: World) -> None:
    await world.user("ben")
    here, elsewhere = await world.signed_in("ben"), await world.signed_in("ben")
    items = (await world.client.get("/v1/sessions", headers=here)).json()["items"]
    (other,) = [each["id"] for each in items if not each["here"]]
    assert (await world.client.delete(f"/v1/sessions/{other}", headers=here)).status_code == 204
    assert (await world.client.get("/v1/resources", headers=elsewhere)).status_code == 401
    body = {"own": PASSWORD, "password": "another-long-password"}
    changed = await world.client.post("/v1/sessions/password", json=body, headers=here)
    assert changed.status_code == 200
    assert (await world.client.get("/v1/resources", headers=here)).status_code == 401
    fresh = {"authorization": f"Bearer {changed.json()['token']}"}
    assert (await world.client.get("/v1/resources", headers=fresh)).status_code == 200
