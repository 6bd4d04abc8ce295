"""What the suite runs against: the twin in memory, or a real store under a prefix of its own."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from pymongo import MongoClient

from libs.store.memory.store import MemoryServer
from libs.store.mongo.setup import set_up
from libs.store.mongo.store import MongoStore, open_store
from libs.store.ports import Store
from libs.store.schema import CollectionName, Database, Service
from libs.wire.secret import Secret


class Engine(Protocol):
    """A store to connect to, as a service or as an administrator."""

    def store(self, service: Service | None = None) -> Store: ...


@dataclass
class MemoryEngine:
    """The twin; its time stands still unless a test moves it."""

    server: MemoryServer

    def store(self, service: Service | None = None) -> Store:
        return self.server.store(service)


@dataclass
class RealStore:
    """A set-up store, emptied before each test."""

    url: str
    prefix: str
    passwords: dict[str, Secret]
    opened: list[MongoStore] = field(default_factory=list)

    def store(self, service: Service | None = None) -> Store:
        if service is None:
            opened = open_store(self.url, prefix=self.prefix)
        else:
            opened = open_store(self.url, service, self.passwords[service], prefix=self.prefix)
        self.opened.append(opened)
        return opened

    def empty(self) -> None:
        with driver(self.url) as client:
            for name in CollectionName:
                client[self.prefix + name.database][name.collection].delete_many({})

    async def close(self) -> None:
        for opened in self.opened:
            await opened.close()
        self.opened.clear()


@contextmanager
def driver(url: str) -> Iterator[MongoClient[dict[str, Any]]]:
    """The plain driver, for what the port rightly cannot do: emptying, dropping, looking at indexes."""
    client: MongoClient[dict[str, Any]] = MongoClient(url, retryWrites=False)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def real_store(url: str) -> Iterator[RealStore]:
    """A store at `url`, set up under a fresh prefix, and everything of that prefix dropped at the end."""
    passwords = {service.value: Secret(secrets.token_urlsafe(16)) for service in Service}
    real = RealStore(url, f"kt{secrets.token_hex(4)}_", passwords)
    asyncio.run(set_up(url, passwords=passwords, prefix=real.prefix))
    # Again, because an upgrade runs it on a store that is set up already.
    asyncio.run(set_up(url, passwords=passwords, prefix=real.prefix))
    try:
        yield real
    finally:
        with driver(url) as client:
            for database in Database:
                client.drop_database(real.prefix + database)
            for service in Service:
                client.admin.command("dropUser", real.prefix + service)
                client.admin.command("dropRole", real.prefix + service)
