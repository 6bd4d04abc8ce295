"""One installation for all stories that leave it as they found it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import Site, site
from tests.lab.fixtures import lab
from tests.lab.lab import Lab

__all__ = ["lab"]


@pytest.fixture(scope="session")
def running(root: Path, lab: Lab) -> Iterator[Site]:
    """The installation."""
    with site(root, lab) as made:
        yield made
