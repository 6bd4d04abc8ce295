"""Tests that share an installation run in one session, whichever way the tests are spread."""

import subprocess
import sys
from collections import defaultdict

import pytest

from tests.conftest import group_of
from tests.unit.house.tree import ROOT


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/e2e/pages/test_01_story.py::test_one[a::b@c]", "tests/e2e/pages"),
        ("tests/e2e/test_01_reset.py::test_one", "tests/e2e"),
        ("tests/e2e/identity/test_05_move.py::test_one", "tests/e2e/identity/test_05_move.py"),
        ("tests/unit/house/test_map.py::TestIt::test_one", "tests/unit/house/test_map.py"),
    ],
)
def test_stories_of_one_installation_are_a_group(nodeid: str, group: str) -> None:
    assert group_of(nodeid) == group


def test_a_group_stays_in_one_session() -> None:
    """Marks had said so, and were not read: each story met an installation that knew nothing of the one before it."""
    words = [sys.executable, "-m", "pytest", "-vv", "-n", "2", "-p", "no:cacheprovider", "tests/unit/house/test_map.py"]
    said = subprocess.run(
        [*words, "tests/unit/house/test_text.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    ran_in = defaultdict(set)
    for line in said.stdout.splitlines():
        if line.startswith("[gw"):
            session, _, rest = line.partition("]")
            ran_in[group_of(rest.split()[-1])].add(session)
    assert len(ran_in) == 2, said.stdout
    assert all(len(sessions) == 1 for sessions in ran_in.values())
