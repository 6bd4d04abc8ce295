"""A host's accounts in a simulation: a tool takes time, may outlive its agent, and others change passwords too.

Beside the passwords it keeps what a checker wants to know of them: which ones an agent ever set, how often something
out of band changed one, and which ones a comparison found live after which such change.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agent.backends.memory import MemoryBackend
from agent.backends.ports import Busy, Comparison, FoundAccount, Opens, Reaped, SetAnswer, SetOutcome, Started
from libs.wire.secret import Secret
from tests.model.sim.chance import Chance
from tests.model.sim.process import Process
from tests.model.sim.trace import Trace
from tests.model.sim.weather import Weather


@dataclass
class Known:
    """What the checker knows of one account."""

    set_by_agent: set[bytes] = field(default_factory=set)
    out_of_band: int = 0
    """How often something else than an agent changed the password."""
    confirmed: dict[bytes, int] = field(default_factory=dict)
    """Passwords that a comparison found live, with `out_of_band` at that moment."""


@dataclass
class _Tool:
    name: str
    uid: int
    secret: Secret
    unlock: bool
    timer: asyncio.TimerHandle | None = None


class SimBackend(MemoryBackend):
    """The accounts. `changed` is called with an account's name after each change of its password; `set_begins` with
    name and password before an agent's tool gets it.
    """

    def __init__(
        self,
        host: str,
        accounts: Iterable[tuple[FoundAccount, Secret | None]],
        *,
        file: Path,
        trace: Trace,
        weather: Weather,
        chance: Chance,
    ) -> None:
        super().__init__(accounts)
        self.host, self.file = host, file
        self.process: Process | None = None
        self.known = {name: Known() for name in self._kept}
        self.changed: Callable[[str], None] = lambda _: None
        self.set_begins: Callable[[str, bytes], None] = lambda _name, _secret: None
        self.stubborn = 0.0
        """How likely a tool that a predecessor left is still running when it is asked to end."""
        self._at_work: dict[int, _Tool] = {}
        self._pid = 1_000
        self._stamp = 0
        self._trace, self._weather, self._chance = trace, weather, chance
        self._touch()

    def live(self, name: str) -> bytes | None:
        """The password that opens the account now."""
        kept = self._kept[name].password
        return None if kept is None else kept.reveal()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._kept)

    # ---- what an agent does

    async def set(self, name: str, uid: int, secret: Secret, *, unlock: bool, started: Started) -> SetAnswer:
        await self._point("set")
        self._pid += 1
        pid, tool = self._pid, _Tool(name, uid, secret, unlock)
        started(pid, pid)
        self.set_begins(name, secret.reveal())
        self._at_work[pid] = tool
        await self._point("tool")
        answer = await self._apply(pid)
        await self._point("answer")
        return answer

    async def compare(self, name: str, uid: int, secret: Secret) -> Comparison:
        await self._point("compare")
        seen = await super().compare(name, uid, secret)
        if seen.opens is Opens.OPENS:
            self._confirm(name, secret)
        self._trace.say(self.host, f"compares {name}: {seen.opens}")
        await self._point("compared")
        return seen

    async def fingerprint(self, name: str, uid: int, key: bytes) -> str | None:
        await self._point("fingerprint")
        return await super().fingerprint(name, uid, key)

    async def reap(self, pid: int, birth: int) -> Reaped:
        del birth
        await self._point("reap")
        tool = self._at_work.get(pid)
        if tool is None:
            return Reaped.GONE
        if self._chance.random() < self.stubborn:
            return Reaped.STILL_RUNNING
        if tool.timer is not None:
            tool.timer.cancel()
        if self._chance.random() < 0.5:
            del self._at_work[pid]
            return Reaped.KILLED
        await self._apply(pid)
        return Reaped.ENDED

    async def settle(self) -> Busy | None:
        await self._point("settle")
        return await super().settle()

    # ---- what happens to a host

    def agent_is_gone(self) -> None:
        """Its agent was killed: a tool at work dies with it, or lives on and applies at a moment of its own."""
        for pid, tool in list(self._at_work.items()):
            if tool.timer is None:
                if self._chance.random() < 0.5:
                    del self._at_work[pid]
                else:
                    self._trace.fault("tool_outlives_agent", f"{self.host} {tool.name}")
                    late = self._chance.expovariate(1 / 5)
                    tool.timer = asyncio.get_running_loop().call_later(late, self._applies_late, pid)

    def foreign(self, name: str, secret: Secret) -> None:
        """Somebody on the host sets a password."""
        self._kept[name].password = secret
        self._out_of_band(name)

    def picture(self) -> Any:
        """The host's disk, as a snapshot holds it."""
        return {name: replace(kept) for name, kept in self._kept.items()}

    def roll_back(self, picture: Any) -> None:
        """The host is as it was at the snapshot; whatever ran on it is gone."""
        for tool in self._at_work.values():
            if tool.timer is not None:
                tool.timer.cancel()
        self._at_work.clear()
        before = {name: self.live(name) for name in self.names}
        self._kept = {name: replace(kept) for name, kept in picture.items()}
        for name in self.names:
            if self.live(name) != before[name]:
                self._out_of_band(name)

    # ---- parts

    async def _apply(self, pid: int) -> SetAnswer:
        """The tool's effect, unless it is gone."""
        tool = self._at_work.pop(pid)
        before = self.live(tool.name)
        answer = await super().set(
            tool.name, tool.uid, tool.secret, unlock=tool.unlock, started=lambda _pid, _birth: None
        )
        done, live = answer.outcome is SetOutcome.DONE, self.live(tool.name)
        # A refused one may be live all the same, because somebody typed it before.
        if live == tool.secret.reveal() and (done or live != before):
            self.known[tool.name].set_by_agent.add(live)
            if done:
                self._confirm(tool.name, tool.secret)
        if live != before:
            self._touch()
            self._trace.say(self.host, f"the tool sets {tool.name}: {answer.outcome}")
            self.changed(tool.name)
        return answer

    def _applies_late(self, pid: int) -> None:
        if pid in self._at_work:
            asyncio.get_running_loop().create_task(self._apply(pid))

    def _confirm(self, name: str, secret: Secret) -> None:
        self.known[name].confirmed[secret.reveal()] = self.known[name].out_of_band

    def _out_of_band(self, name: str) -> None:
        self.known[name].out_of_band += 1
        self._touch()
        self.changed(name)

    def _touch(self) -> None:
        """The account file is another one now, which the agent's watch sees."""
        self._stamp += 1
        self.file.write_bytes(b"." * self._stamp)

    async def _point(self, what: str) -> None:
        if self.process is not None:
            await self.process.operation(what)
        await asyncio.sleep(self._weather.delay())
