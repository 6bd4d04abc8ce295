"""What goes wrong: each kind of fault as a coroutine that waits for its moment, does it, and mends it.

A seed has some of the kinds, not all: a run in which everything fails all the time never comes far enough to show what
one kind does to another. `Faults.end` mends what is open and injects no more.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from agent.backends.ports import Busy, SetAnswer, SetOutcome
from libs.broker.memory.faults import Effect as BrokerEffect
from libs.store.memory.faults import Effect
from libs.store.schema import CollectionName
from libs.wire.reasons import Reason
from libs.wire.secret import Secret
from tests.model.sim.chance import Chance
from tests.model.sim.host import Host, Snapshot
from tests.model.sim.people import Person, somebody_else
from tests.model.sim.site import SERVICES, Copy, Site

_DAY = 86_400_000

Fault = Callable[[], Awaitable[None]]

EVERY = {
    "store_call": 4.0,
    "store_away": 25.0,
    "broker_call": 4.0,
    "broker_cut": 20.0,
    "broker_silent": 25.0,
    "broker_restart": 30.0,
    "queues_deleted": 30.0,
    "messages": 15.0,
    "slow": 15.0,
    "wire_cut": 15.0,
    "wire": 10.0,
    "kill_service": 15.0,
    "kill_service_at": 10.0,
    "kill_agent": 15.0,
    "kill_agent_at": 8.0,
    "host_refuses": 20.0,
    "disk_full": 30.0,
    "host_clock": 20.0,
    "rollback": 25.0,
    "third_party": 20.0,
    "store_put_back": 15.0,
    "server_clock": 20.0,
}
"""The kinds, each with the seconds between two of it on average."""

_AT_TOOL = 0.4
"""How often an agent that dies does so while its tool is at work, which by chance alone is rare."""


@dataclass
class Faults:
    """The kinds of one seed."""

    site: Site
    person: Person
    chance: Chance
    kinds: tuple[str, ...] = ()
    often: float = 1.0
    """Below 1 they strike more often."""
    _parts: list["asyncio.Task[None]"] = field(default_factory=list)
    _snapshots: dict[str, Snapshot] = field(default_factory=dict)
    _backup: Copy | None = None
    _strangers: int = 0

    def begin(self) -> None:
        """From now on each kind strikes at moments of its own."""
        for name in self.kinds:
            strike: Fault = getattr(self, f"_{name}")
            self._parts.append(self.site.loop.create_task(self._strikes(name, EVERY[name] * self.often, strike)))

    async def end(self) -> None:
        """Mends everything."""
        for part in self._parts:
            part.cancel()
        await asyncio.gather(*self._parts, return_exceptions=True)
        for weather in (*self.site.weathers, self.person.wire_weather):
            weather.clear()
        for process in self.site.processes.values():
            process.spared()
        for store in self.site.stores.values():
            store.inner.faults._at.clear()
        for broker in self.site.brokers.values():
            broker.inner.faults._at.clear()
        for host in self.site.hosts:
            if host.process is not None:
                host.process.spared()
        self.site.trace.say("FAULT", "no more of them")

    async def _strikes(self, name: str, every: float, strike: Fault) -> None:
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / every))
            try:
                await strike()
            except Exception as error:  # noqa: BLE001 - a fault that cannot be injected is an accident of the simulation
                self.site.trace.violated(f"the fault {name} failed: {error!r}")
                return

    # ---- store and broker

    async def _store_call(self) -> None:
        store = self.site.stores[self.chance.choice(SERVICES)]
        store.inner.faults.fail_at(self.chance.randint(1, 40), self.chance.choice(list(Effect)))

    async def _store_away(self) -> None:
        store = self.site.stores[self.chance.choice(SERVICES)]
        self.site.trace.fault("store_away")
        store.inner.faults.away = True
        try:
            await asyncio.sleep(self.chance.uniform(0.5, 15))
        finally:
            store.inner.faults.away = False

    async def _broker_call(self) -> None:
        broker = self.site.brokers[self.chance.choice(SERVICES)]
        broker.inner.faults.fail_at(self.chance.randint(1, 15), self.chance.choice(list(BrokerEffect)))

    async def _broker_cut(self) -> None:
        name = self.chance.choice(SERVICES)
        broker, process = self.site.brokers[name], self.site.processes.get(name)
        self.site.trace.fault("broker_cut", name)
        broker.inner.disconnect()
        try:
            await asyncio.sleep(self.chance.uniform(0.2, 10))
        finally:
            if process is not None and process.alive:
                broker.inner.reconnect()

    async def _broker_silent(self) -> None:
        name = self.chance.choice(SERVICES)
        faults = self.site.brokers[name].inner.faults
        self.site.trace.fault("broker_silent", name)
        faults.silent = True
        try:
            await asyncio.sleep(self.chance.uniform(1, 12))
        finally:
            faults.silent = False

    async def _broker_restart(self) -> None:
        self.site.trace.fault("broker_restart")
        self.site.node.stop()
        try:
            await asyncio.sleep(self.chance.uniform(0.1, 8))
        finally:
            self.site.node.start()

    async def _queues_deleted(self) -> None:
        self.site.trace.fault("queues_deleted")
        self.site.node.empty()

    async def _messages(self) -> None:
        weather = self.site.inside
        weather.drop, weather.double, weather.overtake = (self.chance.choice((0.0, 0.1, 0.4)) for _ in range(3))
        if weather.drop + weather.double + weather.overtake > 1:
            weather.drop = 0.2
        try:
            await asyncio.sleep(self.chance.uniform(3, 20))
        finally:
            weather.drop = weather.double = weather.overtake = 0.0

    async def _slow(self) -> None:
        weather = self.chance.choice(self.site.weathers)
        self.site.trace.fault("slow")
        weather.slow = self.chance.choice((0.1, 0.5))
        try:
            await asyncio.sleep(self.chance.uniform(3, 15))
        finally:
            weather.slow = 0.0

    # ---- network

    async def _wire_cut(self) -> None:
        wire = self.chance.choice(self.site.hosts).wire
        self.site.trace.fault("wire_cut")
        wire.cut()
        try:
            await asyncio.sleep(self.chance.uniform(0.2, 30))
        finally:
            wire.mend()

    async def _wire(self) -> None:
        weather = self.chance.choice([*(host.weather for host in self.site.hosts), self.person.wire_weather])
        kinds = ("lost_request", "lost_answer", "repeated", "portal")
        for kind in self.chance.sample(kinds, self.chance.randint(1, 4)):
            setattr(weather, kind, self.chance.choice((0.05, 0.2)))
        try:
            await asyncio.sleep(self.chance.uniform(3, 20))
        finally:
            for kind in kinds:
                setattr(weather, kind, 0.0)

    # ---- processes

    async def _kill_service(self) -> None:
        name = self.chance.choices(SERVICES, (2, 3, 1))[0]
        self.site.trace.fault(f"kill_{name}")
        self.site.kill(name)

    async def _kill_service_at(self) -> None:
        process = self.site.processes.get(self.chance.choices(SERVICES, (2, 4, 1))[0])
        if process is not None:
            process.dies_in(self.chance.randint(1, 60))

    async def _kill_agent(self) -> None:
        self.site.trace.fault("kill_agent")
        self.chance.choice(self.site.hosts).kill()

    async def _kill_agent_at(self) -> None:
        process = self.chance.choice(self.site.hosts).process
        if process is not None:
            if self.chance.random() < _AT_TOOL:
                process.dies_at("tool")
            else:
                process.dies_in(self.chance.randint(1, 25))

    # ---- hosts

    async def _host_refuses(self) -> None:
        backend = self.chance.choice(self.site.hosts).backend
        kind = self.chance.choice(("refuses", "answer_lost", "busy", "stubborn"))
        self.site.trace.fault(f"host_{kind}", backend.host)
        match kind:
            case "refuses":
                backend.refuse = SetAnswer(SetOutcome.REFUSED, Reason.REFUSED_BY_HOST, "no")
            case "answer_lost":
                backend.lose_answer = True
            case "busy":
                backend.in_the_way = Busy(1, "somebody holds the lock")
            case _:
                backend.stubborn = 0.7
        try:
            await asyncio.sleep(self.chance.uniform(2, 15))
        finally:
            backend.refuse, backend.lose_answer, backend.in_the_way, backend.stubborn = None, False, None, 0.0

    async def _disk_full(self) -> None:
        host = self.chance.choice(self.site.hosts)
        self.site.trace.fault("disk_full", host.name)
        host.disk.full = True
        try:
            await asyncio.sleep(self.chance.uniform(1, 10))
        finally:
            host.disk.full = False

    async def _host_clock(self) -> None:
        host = self.chance.choice(self.site.hosts)
        host.skew = self.chance.choice((-_DAY, -90_000, -2_000, 0, 2_000, 90_000, _DAY))
        self.site.trace.fault("host_clock", f"{host.name} {host.skew}")

    async def _rollback(self) -> None:
        host = self.chance.choice(self.site.hosts)
        snapshot = self._snapshots.get(host.name)
        if snapshot is None or self.chance.random() < 0.3:
            if host.resource is not None:
                self._snapshots[host.name] = host.snapshot()
            return
        self.site.trace.fault("rollback", host.name)
        host.roll_back(snapshot)

    async def _store_put_back(self) -> None:
        if any(host.resource is None or not self._resource_known(host) for host in self.site.hosts):
            return
        if self._backup is None or self.chance.random() < 0.4:
            self._backup = self.site.copy()
            self.site.trace.say("backup", "a copy of the store is taken")
            return
        # What was copied since the scheduler last counted is noticed by nobody: there the operator has to say so.
        told = self.chance.random() < 0.5 or not self.site.would_notice(self._backup)
        self.site.trace.fault("store_put_back", "told" if told else "noticed")
        await self.site.put_back(self._backup, told=told, queues=self.chance.random() < 0.5)

    def _resource_known(self, host: Host) -> bool:
        return host.resource in self.site.server.shelf(CollectionName.RESOURCES)._documents

    async def _server_clock(self) -> None:
        step = self.chance.choice((-30_000, -2_000, 2_000, 30_000, 600_000))
        self.site.clock.ahead += step
        self.site.trace.fault("server_clock", str(step))

    async def _third_party(self) -> None:
        host: Host = self.chance.choice(self.site.hosts)
        self._strangers += 1
        name, password = somebody_else(host, self.chance, self._strangers)
        account = self.site.invariants.account_of(host, name)
        if account is not None and account.rotation.versions and self.chance.random() < 0.2:
            # Somebody types one of the vault's own passwords: an older one, or the one that is not set yet.
            password = self.chance.choice(sorted(self.site.invariants.of_vault(account)))
        self.site.trace.fault("third_party", f"{host.name} {name}")
        host.backend.foreign(name, Secret(password))


def some_kinds(chance: Chance) -> tuple[str, ...]:
    """The kinds of one seed."""
    share = chance.choice((0.15, 0.35, 0.7))
    return tuple(kind for kind in EVERY if chance.random() < share)
