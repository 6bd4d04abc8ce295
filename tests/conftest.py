"""What every test may ask for.

Real parts are started lazily, one server a session, below build/tests/<unique>: a test that wants a RabbitMQ or a store
names `real_broker_url` or `real_store_url`, and takes a database, a virtual host or a prefix of its own on it. The
environment's BROKER and STORE point at servers of one's own instead (`make test-contract STORE=... BROKER=...`).

`make test` runs three sessions side by side, for what takes long mostly waits. A group of tests stays in one of them: a
folder of end-to-end stories, which share an installation, and else a file; the stories of identity mostly have an
installation of their own. A test says something to whoever reads the run with `say`.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from deploy.local.broker import Broker
from deploy.local.store import Store
from deploy.local.store_environment import ensure_store
from deploy.local.unpack import ensure_rabbitmq

ROOT = Path(__file__).resolve().parents[1]
SAID = "said"
_LONG = ("tests/e2e", "tests/integration", "tests/model", "tests/contract")
"""What takes long, longest first: it begins first, so that the short ones fill the gaps at the end."""


def group_of(nodeid: str) -> str:
    """What stays in one session with this test."""
    file = PurePosixPath(nodeid.partition("::")[0])
    shared = file.is_relative_to("tests/e2e") and not file.is_relative_to("tests/e2e/identity")
    return str(file.parent if shared else file)


class _Groups(LoadScopeScheduling):  # type: ignore[misc]  # xdist says no types
    """Ours. Those that xdist reads from marks are lost: it writes them into a name that pytest 9.2 does not read."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Groups:
    """Whatever is asked for with --dist."""
    return _Groups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the long ones first."""

    def place(item: pytest.Item) -> int:
        file = item.path.relative_to(ROOT)
        return next((place for place, folder in enumerate(_LONG) if file.is_relative_to(folder)), len(_LONG))

    items.sort(key=place)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Writes what tests said with `say`."""
    for report in terminalreporter.getreports("passed"):
        for name, line in report.user_properties:
            if name == SAID and report.when == "call":
                terminalreporter.write_line(str(line))


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Writes a line at the end of the run, for numbers that a reader wants: counts and seconds, never secrets."""
    return lambda line: record_property(SAID, line)


@pytest.fixture(scope="session")
def root() -> Path:
    """The clone's top folder."""
    return ROOT


@pytest.fixture(scope="session")
def parts_folder() -> Iterator[Path]:
    """This session's own folder for the state of real parts, in the clone; gone afterwards."""
    folder = ROOT / "build" / "tests" / f"{os.getpid()}-{secrets.token_hex(4)}"
    folder.mkdir(parents=True, mode=0o700)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def unpacked_rabbitmq() -> Path:
    return ensure_rabbitmq(ROOT)


@pytest.fixture(scope="session")
def store_python() -> Path:
    return ensure_store(ROOT)


@pytest.fixture(scope="session")
def real_store(parts_folder: Path, store_python: Path) -> Iterator[Store]:
    """The session's own store without users; do not stop it, start one of your own for that."""
    store = Store(store_python, parts_folder / "store")
    store.start()
    yield store
    store.stop()


@pytest.fixture(scope="session")
def real_broker(parts_folder: Path, unpacked_rabbitmq: Path) -> Iterator[Broker]:
    """The session's own broker with one user who may do everything; do not stop it, start one of your own for that."""
    broker = Broker(unpacked_rabbitmq, parts_folder / "broker")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def real_store_url(request: pytest.FixtureRequest) -> str:
    """A mongodb:// URL, `retryWrites=false`: the environment's STORE, else the session's own SecantusDB."""
    given = os.environ.get("STORE")
    if given:
        return given
    store: Store = request.getfixturevalue("real_store")
    return store.url


@pytest.fixture(scope="session")
def real_broker_url(request: pytest.FixtureRequest) -> str:
    """An amqp:// URL with credentials: the environment's BROKER, else the session's own RabbitMQ."""
    given = os.environ.get("BROKER")
    if given:
        return given
    broker: Broker = request.getfixturevalue("real_broker")
    return broker.url
