"""Fixtures for tests that need real hosts; a conftest imports them, and the tests carry the mark `host`.

Who is not root skips these tests and reads why. Root on a machine that lacks a tool has a broken machine: tests fail.
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.lab import machine
from tests.lab.errors import LabInUseError
from tests.lab.host import Host
from tests.lab.lab import Lab

__all__ = ["lab", "lab_host"]

_FOLDER = Path(__file__).resolve().parents[2] / "build/lab"
_numbers = count(1)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab of this session's own, in the first folder that no living session holds, cleaned of a dead one."""
    if (sentence := Lab.available()) is not None:
        if machine.is_root():
            pytest.fail(sentence)
        pytest.skip(sentence)
    for number in count(1):
        claimed = Lab(_FOLDER / f"session-{number}")
        try:
            claimed.claim()
        except LabInUseError:
            continue
        with claimed:
            yield claimed
        return


@pytest.fixture
def lab_host(lab: Lab) -> Iterator[Host]:
    """A fresh host that is on, forgotten after the test."""
    host = lab.host(f"host-{next(_numbers)}")
    try:
        yield host.boot()
    finally:
        host.down()
