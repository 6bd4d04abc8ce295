"""What the client's tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.client.machines import Site, site


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Site]:
    """The system, whose agent has told of its accounts and waits for work."""
    folder = tmp_path / "system"
    folder.mkdir()
    with site(folder) as made:
        made.begin_agent()
        yield made
