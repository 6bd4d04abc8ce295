"""A managed machine of a simulation: its disk and its accounts live on, while its agent comes and goes."""

import asyncio
import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from agent.backends.ports import FoundAccount
from agent.identity import Identity
from agent.journal import Disk, Journal
from agent.pace import Pace
from libs.wire.secret import Secret
from tests.model.sim.backend import SimBackend
from tests.model.sim.chance import Chance
from tests.model.sim.process import Process
from tests.model.sim.trace import Trace
from tests.model.sim.weather import Weather
from tests.model.sim.wire import Wire
from tests.unit.whole.composition import Keyring, make_agent

ACCOUNTS = (("root", 0), ("deploy", 1000), ("backup", 1001))
_RESTART_S = 5.0

Intents = tuple[tuple[str, str, Any], ...]
"""Account, generation, and the escrow's box as it was written, of each intent in a journal."""


class SimDisk(Disk):
    """The journal's disk: it may be full. Nothing is synced, because nobody cuts the power of the machine it is on."""

    full = False

    def write(self, descriptor: int, data: bytes) -> int:
        if self.full:
            os.write(descriptor, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Snapshot:
    """A whole host at one moment."""

    accounts: Any
    state: dict[str, bytes]
    intents: Intents


class Host:
    """One machine.

    Args:
        folder: Its disk.
        start: Unix milliseconds by the server's clock, from which this host's clock differs by `skew`.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        keys: Keyring,
        token: str,
        wire: Wire,
        *,
        accounts: int,
        start: Callable[[], int],
        trace: Trace,
        weather: Weather,
        chance: Chance,
    ) -> None:
        self.name, self.folder, self.wire, self.weather = name, folder, wire, weather
        self.skew = 0
        self.disk = SimDisk()
        self.process: Process | None = None
        self._identity: Identity | None = None
        self.rolled_back = 0
        self.restarts = True
        self._start, self._trace, self._chance = start, trace, chance
        self._journal: Journal | None = None
        self._intents: Intents = ()
        _install(folder, keys, token, name)
        first = [
            (FoundAccount(login, uid, uid, "/bin/bash"), Secret(f"first-password-of-{login}-on-{name}"))
            for login, uid in ACCOUNTS[:accounts]
        ]
        self.backend = SimBackend(name, first, file=folder / "shadow", trace=trace, weather=weather, chance=chance)

    # ---- the agent's process

    def begin(self) -> None:
        """Starts the agent, from what its disk holds."""
        process = Process(self.name, self._trace, self._chance, self._ended)
        process.on_kill(self.backend.agent_is_gone)
        self.process = self.backend.process = process
        self._trace.say(self.name, "the agent starts")
        process.lives_by(self._life())

    async def _life(self) -> None:
        self._journal = Journal(self.folder / "state" / "journal", disk=self.disk)
        loop = asyncio.get_running_loop()
        made = make_agent(
            self.folder,
            self.backend,
            self._journal,
            _Counted(self.wire, self),
            pace=Pace(chance=self._chance.random),
            files=(self.backend.file,),
            clock=self.now,
            tick=loop.time,
        )
        self._identity = made.identity
        await made.run()

    @property
    def resource(self) -> str | None:
        """Its identifier at the server, once it has enrolled."""
        enrolled = None if self._identity is None else self._identity.enrolled
        return None if enrolled is None else enrolled.resource

    def _ended(self, _process: Process, _why: str) -> None:
        self.process = self.backend.process = None
        if self._journal is not None:
            self._intents = _intents(self._journal)
            self._journal.close()
            self._journal = None
        if self.restarts:
            asyncio.get_running_loop().call_later(0.1 + _RESTART_S * self._chance.random(), self._again)

    def _again(self) -> None:
        if self.process is None and self.restarts:
            self.begin()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()

    def now(self) -> int:
        """Unix milliseconds by the host's clock."""
        return self._start() + self.skew

    # ---- its disk

    def snapshot(self) -> Snapshot:
        state = {str(path.relative_to(self.folder)): path.read_bytes() for path in self._files()}
        return Snapshot(self.backend.picture(), state, self.intents())

    def roll_back(self, to: Snapshot) -> None:
        """The machine is put back, and boots."""
        self.kill()
        for path in self._files():
            if str(path.relative_to(self.folder)) not in to.state:
                path.unlink()
        for name, data in to.state.items():
            (self.folder / name).write_bytes(data)
        self._intents = to.intents
        self.rolled_back += 1
        self.backend.roll_back(to.accounts)

    def intents(self) -> Intents:
        """What lies in its journal in escrow, also while no agent runs."""
        return self._intents if self._journal is None else _intents(self._journal)

    def disk_bytes(self) -> Iterator[tuple[str, bytes]]:
        """Everything that the agent wrote."""
        for path in self._files():
            yield str(path.relative_to(self.folder)), path.read_bytes()

    def _files(self) -> list[Path]:
        return sorted(path for path in (self.folder / "state").rglob("*") if path.is_file())


class _Counted(Wire):
    """The agent's wire, which counts as one of its operations."""

    def __init__(self, inner: Wire, host: Host) -> None:
        self._inner, self._host = inner, host

    async def handle_async_request(self, request: Any) -> Any:
        process = self._host.process
        if process is not None:
            await process.operation(f"before {request.url.path}")
        answer = await self._inner.handle_async_request(request)
        if process is not None:
            await process.operation(f"after {request.url.path}")
        return answer


def _intents(journal: Journal) -> Intents:
    return tuple((r["account"], r["mark"], r["escrow"]) for r in journal.records() if r["kind"] == "intent")


def _install(folder: Path, keys: Keyring, token: str, name: str) -> None:
    """The installed package, and keys that are the same in every run, because what is derived from them is ordered."""
    package, state = folder / "package", folder / "state"
    (package / "keys").mkdir(parents=True)
    keys.pack(package / "keys")
    (package / "token").write_text(token)
    state.mkdir(mode=0o700)
    raw = hashlib.sha256(name.encode()).digest()
    signing = derive_private_key(int.from_bytes(raw, "big") >> 8, SECP256R1())
    sealing = X25519PrivateKey.from_private_bytes(raw)
    for file, key in (("identity.key", signing), ("sealing.key", sealing)):
        (state / file).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (state / "print.key").write_bytes(raw)
