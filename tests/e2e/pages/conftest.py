"""One installation, one host, one browser for the whole story; its tests follow one another.

It ends with this folder and not with the session: the browser's event loop counts as running until it is closed, and no
other test of the session could run one of its own.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.pages.browser import CHROMIUM, Window, window
from tests.e2e.pages.stand import PASSWORD, PERSON, Stand, stand
from tests.lab.lab import Lab


@pytest.fixture(scope="package")
def standing(root: Path, lab: Lab) -> Iterator[Stand]:
    """The installation."""
    assert CHROMIUM.exists(), "These tests drive Debian's Chromium: apt-get install chromium"
    with stand(root, lab) as made:
        yield made


@pytest.fixture
def ops(standing: Stand) -> Iterator[Window]:
    """The administrator's window, signed in; what went wrong in it fails the test."""
    with window(standing.browser, standing.origin) as opened:
        opened.sign_in(PERSON, PASSWORD)
        yield opened
        assert opened.wrong == []
