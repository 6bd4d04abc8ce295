"""The running system, and a machine whose agent runs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.whole.world import DEPLOY, OLD, ROOT, Machine, Whole, whole


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[Whole]:
    async with whole(tmp_path) as running:
        yield running


@pytest.fixture
async def machine(system: Whole) -> AsyncIterator[Machine]:
    host = await system.machine("dmz-web-01", [(ROOT, OLD), (DEPLOY, OLD)])
    host.start()
    yield host
    await host.stop()
