"""The whole system of a simulation: three services and the hosts, started, killed and started again."""

import asyncio
import functools
import hashlib
import logging
import secrets
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from libs.broker.memory.broker import MemoryBroker
from libs.broker.topology import QueueName
from libs.broker.topology import Service as BrokerUser
from libs.service.away import broker_there, store_there, until_done
from libs.service.consume import Consumers
from libs.service.relay import Relay
from libs.store.epoch import EpochStore
from libs.store.memory.store import MemoryServer
from libs.store.outbox import Outbox
from libs.store.schema import CollectionName, Service
from libs.store.tokens import EnrolmentToken, Tokens
from libs.telemetry.metrics import Metrics
from libs.vault.open import Opener
from libs.wire.ids import Noun, new_id
from services.api.app import Gateway
from services.api.poll import App
from services.scheduler.app import work
from tests.model.sim.broker import SimBroker, WatchedNode
from tests.model.sim.chance import Seed
from tests.model.sim.host import Host
from tests.model.sim.invariants import Invariants
from tests.model.sim.loop import SimLoop
from tests.model.sim.process import Process
from tests.model.sim.store import SimStore
from tests.model.sim.trace import Trace
from tests.model.sim.weather import Weather
from tests.model.sim.wire import Wire
from tests.unit.whole.composition import PERSON, Composition, Keyring

BEGINNING = 1_800_000_000_000
"""Unix milliseconds at which every simulation begins."""


SERVICES = ("gateway", "scheduler", "bundler")

Copy = dict[CollectionName, dict[str, Any]]


class SimClock:
    """A service's clock: the loop's time, and what its machine's clock is ahead."""

    def __init__(self, loop: SimLoop) -> None:
        self.ahead = 0
        self._loop = loop

    def now(self) -> int:
        return BEGINNING + int(self._loop.now * 1_000) + self.ahead

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Site:
    """Everything that runs. `lease` in milliseconds."""

    def __init__(self, seed: Seed, loop: SimLoop, folder: Path, trace: Trace, *, lease: int) -> None:
        self.seed, self.loop, self.folder, self.trace, self.lease = seed, loop, folder, trace, lease
        self.keys, self.clock = keyring(), SimClock(loop)
        self.server = MemoryServer(self.clock.now)
        self.invariants = Invariants(self.server, Opener(self.keys.vault), trace)
        self.node = WatchedNode(self.clock.now, self._sent, self.invariants.answered)
        self.inside = Weather(trace, seed.stream("inside"))
        """Between the services, the store and the broker."""
        self.stores: dict[str, SimStore] = {}
        self.brokers: dict[str, SimBroker] = {}
        self.processes: dict[str, Process] = {}
        self.hosts: list[Host] = []
        self.restart_s: Callable[[], float] = lambda: 1.0
        self._door: tuple[Process, App] | None = None
        self._parts = Composition(folder, self.keys)

    # ---- services

    def begin(self, name: str) -> None:
        """Starts a service, unless it runs."""
        if name in self.processes:
            return
        process = Process(name, self.trace, self.seed.stream(f"{name}/{self.loop.now}"), self._ended)
        self.processes[name] = process
        service = Service(name)
        memory = MemoryBroker(self.node, BrokerUser(name))
        store = SimStore(self.server.store(service), process, self.inside, self.trace, self.invariants.wrote)
        broker = SimBroker(memory, process, self.inside, self.trace)
        self.stores[name], self.brokers[name] = store, broker
        self.trace.say(name, "starts")
        process.lives_by(
            {"gateway": self._gateway, "scheduler": self._scheduler, "bundler": self._bundler}[name](process)
        )

    def kill(self, name: str) -> None:
        process = self.processes.get(name)
        if process is not None:
            process.kill()

    def _ended(self, process: Process, _why: str) -> None:
        del self.processes[process.name]
        if process.name == "gateway":
            self._door = None
        self.loop.call_later(self.restart_s(), self.begin, process.name)

    async def _gateway(self, process: Process) -> None:
        store, broker, metrics = self.stores["gateway"], self.brokers["gateway"], Metrics("gateway", "test")
        relay = Relay(Outbox(store, Service.GATEWAY), broker, self.clock, metrics)
        made: Gateway = self._parts.gateway(store, broker, self.clock, metrics, relay)
        await store_there(store, self.clock)
        await until_done("waiting for the store", made.setup.prepare, self.clock)
        await broker_there(broker, self.clock)
        self._door = (process, made.app)
        async with asyncio.TaskGroup() as group:
            group.create_task(relay.run())
            group.create_task(made.notices.listen())
            group.create_task(made.notices.sweep())
            group.create_task(made.heard.keep_flushing())
            group.create_task(made.recall.run())

    async def _scheduler(self, _: Process) -> None:
        store, broker, metrics = self.stores["scheduler"], self.brokers["scheduler"], Metrics("scheduler", "test")
        graph = self._parts.scheduler(store, broker, self.clock, lease=self.lease)
        relay = Relay(Outbox(store, Service.SCHEDULER), broker, self.clock, metrics)
        await work(graph, Consumers(broker, self.clock, metrics), relay, store=store, broker=broker, clock=self.clock)

    async def _bundler(self, _: Process) -> None:
        store, broker, metrics = self.stores["bundler"], self.brokers["bundler"], Metrics("bundler", "test")
        relay = Relay(Outbox(store, Service.BUNDLER), broker, self.clock, metrics)
        answers = self._parts.bundler(store, self.clock, metrics, relay)
        await store_there(store, self.clock)
        await broker_there(broker, self.clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(relay.run())
            group.create_task(Consumers(broker, self.clock, metrics).requests(QueueName.ENROLMENTS, answers.admit))

    def copy(self) -> Copy:
        """The store as a backup holds it."""
        return {name: dict(self.server.shelf(name)._documents) for name in CollectionName}

    def would_notice(self, copy: Copy) -> bool:
        """Whether the scheduler has counted since the copy was taken."""
        return copy[CollectionName.EPOCH] != self.server.shelf(CollectionName.EPOCH)._documents

    async def put_back(self, copy: Copy, *, told: bool, queues: bool) -> None:
        """The services end, the copy takes the store's place, and they begin again.

        Args:
            copy: What `copy` gave.
            told: Whether the operator says so; else the scheduler's witness has to notice it.
            queues: Whether the broker keeps what lies in its queues.
        """
        for name in SERVICES:
            self.kill(name)
        for name, documents in copy.items():
            self.server.shelf(name)._documents = dict(documents)
        if not queues:
            self.node.empty()
        if told:
            await EpochStore(self.server.store()).begin(self.clock.now() // 1_000)
        self.invariants.restored()

    # ---- clients

    def wire(self, name: str, weather: Weather, address: str) -> Wire:
        """A way to the gateway."""
        return Wire(
            name,
            lambda: self._door,
            weather,
            self.trace,
            self.seed.stream(f"wire/{name}"),
            read=lambda data: self.invariants.nothing_plain(data, f"an answer to {name}"),
            address=address,
        )

    async def host(self, name: str, accounts: int) -> Host:
        """An installed machine; its agent is not started."""
        plain = secrets.token_urlsafe(32)
        token = EnrolmentToken(
            id=new_id(Noun.TOKEN),
            sha256=hashlib.sha256(plain.encode()).hexdigest(),
            user_names=(PERSON,),
            uses_left=1,
            expires=self.clock.now() + 3_600_000,
            created_at=self.clock.now(),
        )
        await Tokens(self.server.store()).insert(token)
        weather = Weather(self.trace, self.seed.stream(f"weather/{name}"))
        made = Host(
            name,
            self.folder / name,
            self.keys,
            plain,
            self.wire(name, weather, f"10.0.0.{len(self.hosts) + 1}"),
            accounts=accounts,
            start=lambda: BEGINNING + int(self.loop.now * 1_000),
            trace=self.trace,
            weather=weather,
            chance=self.seed.stream(f"host/{name}"),
        )
        self.invariants.on(made)
        self.hosts.append(made)
        return made

    @property
    def weathers(self) -> list[Weather]:
        return [self.inside, *(each.weather for each in self.hosts)]

    # ---- what was noted

    def _sent(self, raw: bytes) -> None:
        self.invariants.nothing_plain(raw, "the broker")


@functools.cache
def keyring() -> Keyring:
    """The same keys in every run, made once a process."""

    def raw(name: str) -> bytes:
        return hashlib.sha256(name.encode()).digest()

    return Keyring(
        vault=X25519PrivateKey.from_private_bytes(raw("vault")),
        recovery=X25519PrivateKey.from_private_bytes(raw("recovery")),
        task=Ed25519PrivateKey.from_private_bytes(raw("task")),
        request=Ed25519PrivateKey.from_private_bytes(raw("request")),
        configuration=Ed25519PrivateKey.from_private_bytes(raw("configuration")),
    )


def logs_to(trace: Trace) -> None:
    """The services' logs, for the time of a run: an accident that nobody foresaw is a violation."""

    def take(_: Any, method: str, event: MutableMapping[str, Any]) -> Any:
        text = str(event.get("event"))
        if "unforeseen" in text:
            trace.violated(f"a message failed unforeseen: {event.get('queue')} {event.get('exception')}")
        elif method == "error":
            trace.say("log", f"{text} {event.get('why', '')}".rstrip())
        raise structlog.DropEvent

    structlog.configure(
        processors=[structlog.processors.format_exc_info, take],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        cache_logger_on_first_use=False,
    )
