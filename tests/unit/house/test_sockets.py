"""The guard of tests/unit/conftest.py is on."""

import asyncio
import socket

import pytest
from pytest_socket import SocketBlockedError


def test_a_unit_test_cannot_open_a_socket() -> None:
    """A guard that fell out of a conftest file is missed by nobody until a test needs somebody's broker to pass."""
    # The guard warns before it raises, and warnings are errors here.
    with pytest.raises((SocketBlockedError, UserWarning), match="tried to use socket"):
        socket.socket(socket.AF_INET, socket.SOCK_STREAM)


def test_an_event_loop_still_wakes_itself() -> None:
    assert asyncio.run(asyncio.to_thread(int, "1")) == 1
