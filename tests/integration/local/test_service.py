"""A service is started with its settings alone, waited for, broken and started again."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.errors import StartError
from deploy.local.service import Service
from tests.integration.local.leftovers import leftovers

MODULE = "tests.integration.local.ready_service"
Make = Callable[..., Service]


@pytest.fixture
def make(tmp_path: Path, root: Path) -> Iterator[Make]:
    made = []

    def service(**settings: str) -> Service:
        made.append(
            Service("one", MODULE, root=root, logs=tmp_path / "logs", home=tmp_path / "home", settings=settings)
        )
        return made[-1]

    yield service
    for each in made:
        each.stop()
    assert leftovers(tmp_path) == []


def test_it_is_waited_for_until_it_says_ready(make: Make, tmp_path: Path) -> None:
    service = make(KEYTURN_ONE="1")
    service.start()
    assert service.ready()
    shown = (tmp_path / "logs" / "one.log").read_text().splitlines()[0]
    assert shown == "['KEYTURN_HEALTH_HOST', 'KEYTURN_HEALTH_PORT', 'KEYTURN_ONE']"


def test_it_comes_back_after_a_kill_on_the_same_port(make: Make) -> None:
    service = make()
    service.start()
    port, pid = service.health_port, service.pid
    service.kill()
    assert not service.alive
    assert not service.ready()
    service.restart()
    assert service.ready()
    assert service.health_port == port
    assert service.pid != pid


def test_a_port_that_was_taken_meanwhile_is_changed(make: Make) -> None:
    service = make()
    service.start()
    port = service.health_port
    service.kill()
    with socket.create_server(("127.0.0.1", port)):
        service.restart()
        assert service.health_port != port


def test_one_that_ends_says_why(make: Make) -> None:
    with pytest.raises(StartError, match=r"one ended with status 1\.(.|\n)*this service is broken"):
        make(KEYTURN_BROKEN="1").start()
