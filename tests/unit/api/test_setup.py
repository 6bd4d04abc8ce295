"""The first administrator."""

import stat
from typing import Any

import httpx
import pytest

from libs.store.setup_codes import SetupCodes
from tests.unit.api.world import PASSWORD, World

WRONG = "aaaaa-aaaaa-aaaaa-aaaaa-aaaaa-a"


async def code_of(world: World) -> str:
    assert await world.gateway.setup.prepare()
    return (world.private / "setup-code").read_text().strip()


async def try_code(world: World, code: str, **other: Any) -> httpx.Response:
    return await world.client.post("/v1/setup", json={"code": code, "name": "ada", "password": PASSWORD, **other})


async def test_the_code_makes_the_first_administrator_once(world: World) -> None:
    assert (await world.client.get("/v1/about")).json()["setup_needed"]
    code = await code_of(world)
    answer = await try_code(world, code)
    assert (answer.status_code, answer.json()["user"]["role"]) == (201, "administrator")
    headers = {"authorization": f"Bearer {answer.json()['token']}"}
    assert (await world.client.get("/v1/users", headers=headers)).status_code == 200
    assert not (world.private / "setup-code").exists()
    assert not (await world.client.get("/v1/about")).json()["setup_needed"]
    again = await try_code(world, code, name="eve")
    assert (again.status_code, again.json()["code"]) == (409, "setup_done")
    assert not await world.gateway.setup.prepare()


async def test_the_code_lies_in_a_private_file_and_in_the_store_as_a_hash(world: World) -> None:
    code = await code_of(world)
    assert stat.S_IMODE((world.private / "setup-code").stat().st_mode) == 0o600
    assert len(code.replace("-", "")) == 26
    assert await SetupCodes(world.admin).current() is not None
    for shape in (code, code.replace("-", "")):
        assert shape not in world.documents()


async def test_five_tries_and_no_more(world: World) -> None:
    code = await code_of(world)
    left = [(await try_code(world, WRONG)).json() for _ in range(5)]
    assert [each["code"] for each in left] == ["wrong_setup_code"] * 5
    assert left[-1]["detail"].endswith("Tries left: 0.")
    assert (await try_code(world, code)).json()["code"] == "wrong_setup_code"
    another = await code_of(world)
    assert another != code
    assert (await try_code(world, another)).status_code == 201


async def test_twenty_four_hours_and_no_longer(world: World) -> None:
    code = await code_of(world)
    await world.clock.advance(24 * 3_600)
    assert (await try_code(world, code)).json()["code"] == "wrong_setup_code"


async def test_a_restart_keeps_a_code_that_is_still_good(world: World) -> None:
    code = await code_of(world)
    assert await code_of(world) == code
    (world.private / "setup-code").unlink()
    assert await code_of(world) != code


async def test_a_gateway_that_died_after_the_code_was_used_can_be_set_up(world: World) -> None:
    await code_of(world)
    used = await SetupCodes(world.admin).current()
    assert used is not None
    assert await SetupCodes(world.admin).use(used)
    assert (await try_code(world, await code_of(world))).status_code == 201


@pytest.mark.parametrize(
    "password", ["short", "x" * 129, "with\ttab-in-it-somewhere", "ada-ada-ada-ada", "Password1234!"]
)
async def test_a_password_that_nobody_may_take_spends_no_try(world: World, password: str) -> None:
    await code_of(world)
    answer = await try_code(world, WRONG, password=password)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "password")
    kept = await SetupCodes(world.admin).current()
    assert kept is not None
    assert kept.tries_left == 5
