"""The whole system with one machine, for synchronous code: what client and command are tried on."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.backends.ports import FoundAccount
from libs.client.client import Client
from libs.wire.observations import Kind
from libs.wire.secret import Secret
from tests.unit.client.seam import Beside, Seam, beside
from tests.unit.whole.composition import PERSON, PERSONS_PASSWORD
from tests.unit.whole.world import Machine, Whole, whole

SERVER = "https://keyturn.example:7272"
OLD = Secret("what-it-was-before")
ACCOUNTS = (
    FoundAccount("root", 0, 0, "/bin/bash", frozenset({Kind.ROOT_EQUIVALENT})),
    FoundAccount("deploy", 1000, 1000, "/bin/bash"),
)


@dataclass
class Site:
    """The system over there, and the way to it."""

    over: Beside[tuple[Whole, Machine]]
    seam: Seam
    host: str = ""  # what the machine calls itself, once its agent has called

    @property
    def whole(self) -> Whole:
        return self.over.value[0]

    @property
    def machine(self) -> Machine:
        return self.over.value[1]

    def signed_in(self) -> Client:
        """A client in a session of the first administrator."""
        client = Client(SERVER, seam=self.seam)
        client.sign_in(PERSON, Secret(PERSONS_PASSWORD))
        return client

    def begin_agent(self) -> None:
        """The agent calls; returns when its accounts are there."""

        async def begin() -> str:
            self.machine.start()
            return str((await self.whole.account("deploy"))["resource"]["name"])

        self.host = self.over.call(begin())

    def stop_agent(self) -> None:
        self.over.call(self.machine.stop())

    def live(self, name: str = "deploy") -> bytes:
        """The password that opens the account on the host."""
        kept = self.machine.backend._kept[name].password
        assert kept is not None
        return kept.reveal()


@asynccontextmanager
async def _system(folder: Path) -> AsyncIterator[tuple[Whole, Machine]]:
    async with whole(folder) as system:
        host = await system.machine("host", [(each, OLD) for each in ACCOUNTS])
        yield system, host
        await host.stop()


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """The system; its agent has not called yet."""
    with beside(_system(folder)) as over:
        system, _ = over.value
        yield Site(over, Seam(system.gateway.app, over.loop))
