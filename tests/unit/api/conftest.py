"""What the gateway's tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.store.users import Role, Users
from tests.unit.api.world import TestAgent, World, make_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with make_world(tmp_path) as made:
        yield made


@pytest.fixture
async def people(world: World) -> dict[str, dict[str, str]]:
    """The headers of each kind of caller; ada administers, ben owns what the tests make, eve owns nothing."""
    for name, role in (("ada", Role.ADMINISTRATOR), ("ben", Role.USER), ("eve", Role.USER)):
        await world.user(name, role)
    return {"nobody": {}, **{name: await world.signed_in(name) for name in ("ada", "ben", "eve")}}


@pytest.fixture
async def agent(world: World, people: dict[str, dict[str, str]]) -> TestAgent:
    """The agent of a machine that ben owns."""
    assert "ben" in people
    ben = await Users(world.admin).named("ben")
    assert ben is not None
    _, agent = await world.machine(ben)
    return agent
