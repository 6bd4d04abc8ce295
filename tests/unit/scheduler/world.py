"""The scheduler on the twins, in a test's own time, with an honest gateway, bundler and agents around it."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from libs.broker.memory.broker import MemoryBroker
from libs.broker.memory.node import MemoryNode
from libs.broker.topology import QUEUES
from libs.broker.topology import Service as BrokerUser
from libs.domain.accounts import Account
from libs.domain.deadlines import DAY, LEASE
from libs.pki.check import AgentAuthorities, check_agent_certificate
from libs.pki.csr import key_hash
from libs.pki.issue import Authority, Use, issue_agent, make_authority
from libs.service.clock import FakeClock
from libs.service.consume import Consumers
from libs.service.relay import Relay
from libs.store.accounts import Accounts
from libs.store.certificates import Certificate, Certificates, certificate_id
from libs.store.memory.store import MemoryServer, MemoryStore
from libs.store.outbox import Outbox
from libs.store.requests import RequestDocument, Requests
from libs.store.schema import CollectionName, Service
from libs.store.tasks import OPEN, Task, Tasks
from libs.telemetry.metrics import Metrics
from libs.vault.open import Opener
from libs.vault.seal import VaultKeys, revealed
from libs.wire.events import AgentEnrolled, Answered, RevealAsked, TaskCancelRequested, TaskRequested
from libs.wire.identity import agent_csr
from libs.wire.ids import Noun, new_id
from libs.wire.requests import (
    CancelContent,
    Person,
    Platform,
    Request,
    ResetContent,
    RevealContent,
    Revealed,
    TaskContent,
    VerifyContent,
)
from libs.wire.seal import open_sealed
from libs.wire.secret import Secret
from libs.wire.sign import Prefix, Signed, sign
from services.scheduler.app import work
from services.scheduler.graph import Graph, build
from services.scheduler.keys import Keys
from services.scheduler.nonces import Nonces
from tests.unit.scheduler.host import FACTS, Host

PERSON = Person(id=new_id(Noun.USER), name="ops", address="192.0.2.7")
START = FakeClock().now()
AGENTS = make_authority(Use.AGENTS, now=START)
VAULT, RECOVERY = X25519PrivateKey.generate(), X25519PrivateKey.generate()
GATEWAY = Ed25519PrivateKey.generate()
KEYS = Keys(
    opener=Opener(VAULT),
    task=Ed25519PrivateKey.generate(),
    at_rest=VaultKeys(VAULT.public_key(), RECOVERY.public_key()),
    gateway=GATEWAY.public_key(),
    agents=AgentAuthorities(AGENTS.certificate),
)


@dataclass
class World:
    """Everything; `store` and `broker` are the connections of the scheduler that runs now."""

    clock: FakeClock = field(default_factory=FakeClock)
    keys: Keys = KEYS
    lease: int = LEASE
    per_person: int = 60
    for_all: int = 600
    graph: Graph = field(init=False)
    store: MemoryStore = field(init=False)
    broker: MemoryBroker = field(init=False)
    life: "asyncio.Task[None]" = field(init=False)

    def __post_init__(self) -> None:
        self.server, self.node = MemoryServer(self.clock.now), MemoryNode(self.clock.now)
        self.desk = self.server.store(Service.GATEWAY)
        self.admin = self.server.store()
        self.gateway = MemoryBroker(self.node, BrokerUser.GATEWAY)
        self.bundler = MemoryBroker(self.node, BrokerUser.BUNDLER)
        self._relay = Relay(Outbox(self.desk, Service.GATEWAY), self.gateway, self.clock, Metrics("gateway", "test"))
        bundled = Outbox(self.server.store(Service.BUNDLER), Service.BUNDLER)
        self._bundlers = Relay(bundled, self.bundler, self.clock, Metrics("bundler", "test"))
        self._others: list[asyncio.Task[None]] = []

    # ---- processes

    async def begin(self) -> None:
        self._others = [asyncio.ensure_future(relay.run()) for relay in (self._relay, self._bundlers)]
        await self.start()

    async def start(self) -> None:
        """A scheduler that knows nothing of the one before."""
        self.store, self.broker = self.server.store(Service.SCHEDULER), MemoryBroker(self.node, BrokerUser.SCHEDULER)
        self.graph = build(
            self.keys,
            store=self.store,
            broker=self.broker,
            clock=self.clock,
            nonces=Nonces(),
            lease=self.lease,
            per_person=self.per_person,
            for_all=self.for_all,
        )
        metrics = Metrics("scheduler", "test")
        relay = Relay(Outbox(self.store, Service.SCHEDULER), self.broker, self.clock, metrics)
        consumers = Consumers(self.broker, self.clock, metrics)
        self.life = asyncio.ensure_future(
            work(self.graph, consumers, relay, store=self.store, broker=self.broker, clock=self.clock)
        )
        await self.passes(0)

    async def kill(self) -> None:
        """Ends the scheduler where it stands; the broker gives back what it held."""
        self.life.cancel()
        await asyncio.gather(self.life, return_exceptions=True)

    async def close(self) -> None:
        if not self.life.cancelled():
            assert not self.life.done(), self.life.exception()
        await self.kill()
        for each in self._others:
            each.cancel()
        for ended in await asyncio.gather(*self._others, return_exceptions=True):
            assert isinstance(ended, asyncio.CancelledError), ended

    async def passes(self, seconds: float = 0) -> None:
        """Time passes, and the loop comes to rest."""
        await self.clock.advance(seconds)

    async def sleeps(self, seconds: float) -> None:
        """The machine sleeps, and wakes for the last ten of these seconds and three more."""
        await self.clock.advance(0)
        self.clock.skip(seconds - 10)
        await self.clock.advance(13)

    def nudge(self, name: CollectionName, key: str) -> None:
        self._relay.nudge(name, key)

    # ---- the bundler

    async def enrols(
        self, host: Host, *, authority: Authority = AGENTS, told: bool = True, approval: Signed | None = None
    ) -> None:
        """Certifies the agent; where `told` is False the event is lost."""
        now = self.clock.now()
        csr = agent_csr(host.signing, host.sealing.public_key())
        pem = issue_agent(csr, host.agent, host.resource, authority, now=now, days=30)
        serial = check_agent_certificate(pem, authority.certificate).serial
        certificate = Certificate(
            id=certificate_id(host.agent, serial),
            agent=host.agent,
            serial=serial,
            resource=host.resource,
            resource_name=host.name,
            platform=Platform.LINUX,
            owner=PERSON.id,
            owner_name=PERSON.name,
            pem=pem,
            key_hash=key_hash(host.signing.public_key()),
            sealing_key=host.sealing.public_key().public_bytes_raw(),
            created_at=now,
            not_after=now + 30 * DAY,
            host=FACTS,
            approval=approval,
        )
        events = [AgentEnrolled(agent=host.agent).envelope(now)] if told else []
        assert await Certificates(self.server.store(Service.BUNDLER)).insert(certificate, *events)
        self._bundlers.nudge(CollectionName.CERTIFICATES, certificate.id)

    async def machine(self, *names: str) -> Host:
        """An enrolled host whose accounts (`deploy` unless others are named) were discovered."""
        host = Host(self)
        for n, name in enumerate(names or ("deploy",)):
            host.login(name, 1000 + n)
        await self.enrols(host)
        await self.passes()
        await host.observes()
        await self.passes()
        return host

    # ---- the gateway

    def request(self, content: Any, *, key: str | None = None, lifetime: int = DAY) -> Request:
        noun = Noun.TASK if isinstance(content, TaskContent) else Noun.REQUEST
        now = self.clock.now()
        return Request(id=key or new_id(noun), issued_at=now, deadline=now + lifetime, person=PERSON, content=content)

    def signed(self, request: Request, *, key: Ed25519PrivateKey = GATEWAY, prefix: Prefix = Prefix.REQUEST) -> Signed:
        return sign(request.to_bytes(), prefix, key)

    async def asks(self, request: Request, *, signed: Signed | None = None, key: str | None = None) -> str:
        """Puts a request on the desk, and its event into the outbox."""
        key, now, content = key or request.id, self.clock.now(), request.content
        document = RequestDocument(
            id=key,
            signed=signed or self.signed(request),
            created_at=now,
            account=content.account if isinstance(content, TaskContent) else None,
            requester=PERSON.id,
        )
        cancels = isinstance(content, CancelContent)
        event = TaskCancelRequested(request=key) if cancels else TaskRequested(task=key)
        assert await Requests(self.desk).insert(document, event.envelope(now))
        self.nudge(CollectionName.REQUESTS, key)
        return key

    async def resets(self, account: str, password: str | None = None, *, lifetime: int = DAY) -> str:
        """A person asks for a reset, to a typed password or a generated one; the task."""
        task = new_id(Noun.TASK)
        typed = None if password is None else self.keys.at_rest.seal_typed(Secret(password), account, task)
        return await self.asks(
            self.request(ResetContent(account=account, typed=typed, note="why not"), key=task, lifetime=lifetime)
        )

    async def verifies(self, account: str) -> str:
        return await self.asks(self.request(VerifyContent(account=account)))

    async def cancels(self, task: str) -> str:
        return await self.asks(self.request(CancelContent(task=task)))

    def reveal_request(self, account: str, key: X25519PrivateKey, **changes: Any) -> Request:
        content = RevealContent(account=account, recipient=key.public_key().public_bytes_raw(), reason="a test")
        return self.request(content, lifetime=8_000).model_copy(update=changes)

    async def answers(self, request: Request, signed: Signed | None = None) -> Answered:
        """What the scheduler answers to a reveal."""
        envelope = RevealAsked(signed=signed or self.signed(request)).envelope(self.clock.now())
        return Answered.read(await self.graph.reveals.asked(envelope))

    async def reveals(self, account: str) -> list[tuple[str, bytes]]:
        """State and password of each version that is shown, newest first."""
        key = X25519PrivateKey.generate()
        answered = await self.answers(self.reveal_request(account, key))
        if answered.answer is None:
            return []
        shown = Revealed.model_validate_json(Revealed.model_validate(answered.answer).to_bytes())
        return [
            (each.state, open_sealed(each.sealed, revealed(account, each.generation), key).reveal())
            for each in shown.versions
        ]

    # ---- what there is to see

    async def account(self, key: str) -> Account:
        found = await Accounts(self.admin).get(key)
        assert found is not None
        return found

    async def task(self, key: str) -> Task:
        found = await Tasks(self.admin).get(key)
        assert found is not None, f"{key} is not shown"
        return found

    async def tasks_of(self, account: str) -> list[Task]:
        return await Tasks(self.admin).page(now=self.clock.now(), limit=1_000, account=account)

    async def settles(self, host: Host, holds: Callable[[], Any], *, steps: int = 120) -> None:
        """Lets agent and scheduler go on in turns, two seconds each, until `holds`."""
        for _ in range(steps):
            await host.works()
            await self.passes(2)
            if await holds():
                return
        raise AssertionError("it never came to that")

    async def set_to(self, host: Host, password: str) -> str:
        """A reset of `deploy` to its end, whatever that is; the task."""
        task = await self.resets(host.account(), password)
        await self.settles(host, lambda: self.over(task))
        return task

    async def over(self, task: str) -> bool:
        found = await Tasks(self.admin).get(task)
        return found is not None and found.state not in OPEN

    def waiting(self) -> dict[str, int]:
        """What still lies in a queue or beside it."""
        counts = {queue.name.value: self.node.waiting(queue.name) for queue in QUEUES}
        counts |= {f"{queue.name}.aside": len(self.node.asides(queue.name)) for queue in QUEUES}
        return {name: count for name, count in counts.items() if count}

    async def outboxes(self) -> list[str]:
        found = []
        for owner in Service:
            found += [each.envelope.type for each in await Outbox(self.admin, owner).waiting()]
        return found

    def documents(self) -> dict[CollectionName, list[dict[str, Any]]]:
        """Every document there is."""
        return {name: list(self.server.shelf(name)._documents.values()) for name in CollectionName}


@asynccontextmanager
async def world(**settings: Any) -> AsyncIterator[World]:
    """A world that runs."""
    made = World(**settings)
    await made.begin()
    try:
        yield made
    finally:
        await made.close()


def fresh(words: int = 8) -> str:
    """A password that nobody has seen."""
    return f"Fresh-{secrets.token_hex(words)}"
