"""A world for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.scheduler.host import Host
from tests.unit.scheduler.world import World, world


@pytest.fixture
async def here() -> AsyncIterator[World]:
    async with world() as made:
        yield made


@pytest.fixture
async def host(here: World) -> Host:
    """An enrolled machine with one discovered account, `deploy`."""
    return await here.machine()
