"""An installation for the stories that leave its keys and certificates as they were not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import Site, site
from tests.lab.lab import Lab


@pytest.fixture(scope="module")
def rolled(root: Path, lab: Lab) -> Iterator[Site]:
    """The installation."""
    with site(root, lab, "dmz-rolled-01") as made:
        yield made
