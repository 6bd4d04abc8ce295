"""Unit tests cannot open sockets.

A unit test that reaches a broker, a store or a server passes on the machine of whoever wrote it and fails elsewhere,
and nobody sees what it depends on. Unix sockets stay allowed: an asyncio loop wakes itself through a pair of them.
"""

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def no_sockets() -> Iterator[None]:
    """Any other socket, and any look-up of a name, is an error where it is made."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
