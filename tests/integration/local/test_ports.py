"""A port is free, taken by us, or taken by somebody else."""

import os
import socket

import pytest

from deploy.local import ports
from deploy.local.addresses import Address, settle
from deploy.local.errors import PortTakenError


def test_chosen_ports_lie_where_no_outgoing_connection_gets_one() -> None:
    assert all(20_000 <= ports.choose() < 32_768 for _ in range(50))


def test_a_port_in_use_is_not_free_and_not_preferred() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.choose(prefer=port) != port
    assert ports.choose(prefer=port) == port


def test_the_kernel_says_who_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert ports.answered_by(os.getpid(), port)
        assert not ports.answered_by(os.getppid(), port)
    assert not ports.answered_by(os.getpid(), port)


def test_all_open_ports_of_a_gateway_become_one_and_the_same() -> None:
    one, two, three = settle((Address("127.0.0.1", 0), Address("127.0.0.2", 0), Address("127.0.0.1", 20_001)), None)
    assert one.port == two.port != 0
    assert three.port == 20_001


def test_a_fixed_port_in_use_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"127.0.0.1:{port} cannot be listened on"):
            settle((Address("127.0.0.1", port),), None)


@pytest.mark.parametrize("text", ["127.0.0.1", ":80", "host:", "host:eighty", "host:65536", ""])
def test_what_is_not_host_and_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not host:port"):
        Address.parse(text)


@pytest.mark.parametrize("text", ["127.0.0.1:7272", "[::1]:7272", "keyturn.example:0"])
def test_host_and_port_are_read_and_written_alike(text: str) -> None:
    assert str(Address.parse(text)) == text
