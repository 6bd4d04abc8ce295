"""The engines. `STORE=mongodb://...` points the real half at anyone's MongoDB, with an administrator's credentials."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.local.store import Store as EmbeddedStore
from libs.store.memory.store import MemoryServer
from libs.store.mongo.setup import set_up
from libs.store.ports import Store
from libs.store.schema import ADMINISTRATOR
from libs.wire.secret import Secret
from tests.contract.store.engine import Engine, MemoryEngine, RealStore, real_store

NOW = 1_800_000_000_000


@pytest.fixture(scope="session")
def store_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The environment's STORE, else an embedded store of this session that enforces its users."""
    given = os.environ.get("STORE")
    if given:
        yield given
        return
    password = Secret(secrets.token_urlsafe(16))
    folder: Path = request.getfixturevalue("parts_folder")
    embedded = EmbeddedStore(request.getfixturevalue("store_python"), folder / "contract-store")
    try:
        embedded.start(setup=lambda url: asyncio.run(set_up(url, passwords={ADMINISTRATOR: password})))
        yield embedded.url.replace("://", f"://{ADMINISTRATOR}:{password.reveal().decode()}@")
    finally:
        embedded.stop()


@pytest.fixture(scope="session")
def set_up_store(store_url: str) -> Iterator[RealStore]:
    with real_store(store_url) as real:
        yield real


@pytest.fixture
async def real_engine(set_up_store: RealStore) -> AsyncIterator[RealStore]:
    set_up_store.empty()
    yield set_up_store
    await set_up_store.close()


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.real)])
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "memory":
        return MemoryEngine(MemoryServer(lambda: NOW))
    real: RealStore = request.getfixturevalue("real_engine")
    return real


@pytest.fixture
def store(engine: Engine) -> Store:
    """An administrator's connection."""
    return engine.store()
