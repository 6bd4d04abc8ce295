"""The whole system in one process: the real code of all four, on the twins of store, broker and host."""

import asyncio
import base64
import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.backends.memory import MemoryBackend
from agent.backends.ports import FoundAccount, SetAnswer, Started
from agent.journal import Journal
from agent.pace import Pace
from libs.broker.memory.broker import MemoryBroker
from libs.broker.memory.node import MemoryNode
from libs.broker.topology import QueueName
from libs.broker.topology import Service as BrokerUser
from libs.service.clock import RealClock
from libs.service.consume import Consumers
from libs.service.relay import Relay
from libs.store.memory.store import MemoryServer, MemoryStore
from libs.store.outbox import Outbox
from libs.store.schema import Service
from libs.store.tokens import EnrolmentToken, Tokens
from libs.telemetry.metrics import Metrics
from libs.vault.seal import revealed
from libs.wire.ids import Noun, new_id
from libs.wire.observations import Kind
from libs.wire.requests import Revealed
from libs.wire.seal import open_sealed
from libs.wire.secret import Secret
from services.api.app import Gateway
from services.scheduler.graph import Graph
from tests.unit.whole.composition import PERSON, PERSONS_PASSWORD, Composition, Keyring, make_agent

ROOT = FoundAccount("root", 0, 0, "/bin/bash", frozenset({Kind.ROOT_EQUIVALENT}))
DEPLOY = FoundAccount("deploy", 1000, 1000, "/bin/bash")
OLD = Secret("what-it-was-before")


class KilledError(BaseException):
    """The agent's process is gone: nothing of it that catches errors runs any more."""


class DyingBackend(MemoryBackend):
    """A host on which the agent is killed at a moment of a set."""

    dies: str | None = None  # "before" the tool was given the password, or "after" it set it

    async def set(self, name: str, uid: int, secret: Secret, *, unlock: bool, started: Started) -> SetAnswer:
        """As a backend's, unless the agent dies."""
        if self.dies == "before":
            started(1, 1)
            raise KilledError
        answer = await super().set(name, uid, secret, unlock=unlock, started=started)
        if self.dies == "after":
            raise KilledError
        return answer


class JumpingClock(RealClock):
    """The machine's time, and what a test adds to it."""

    ahead = 0

    def now(self) -> int:
        return super().now() + self.ahead


class Whole:
    """The processes as tasks; each can be ended and begun again, as a kill and a restart would."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.keys, self.clock = folder, Keyring(), JumpingClock()
        self.server, self.node = MemoryServer(self.clock.now), MemoryNode(self.clock.now)
        self.parts = Composition(folder, self.keys)
        self._running: dict[str, list[asyncio.Task[Any]]] = {}
        self.stores: dict[str, MemoryStore] = {}
        self.brokers: dict[str, MemoryBroker] = {}

    # ---- the server's side

    async def begin(self) -> None:
        """All three services, and the first administrator."""
        self.begin_gateway()
        self.begin_scheduler()
        self.begin_bundler()
        self.person = httpx.AsyncClient(transport=httpx.ASGITransport(self.gateway.app), base_url="https://keyturn")
        await self.gateway.setup.prepare()
        code = (self.folder / "setup-code").read_text().strip()
        body = {"code": code, "name": PERSON, "password": PERSONS_PASSWORD}
        answer = await self.person.post("/v1/setup", json=body)
        assert answer.status_code == 201, answer.text
        self.person.headers["authorization"] = f"Bearer {answer.json()['token']}"

    def begin_gateway(self) -> None:
        store, broker = self._connect(Service.GATEWAY)
        metrics = Metrics("gateway", "test")
        relay = Relay(Outbox(store, Service.GATEWAY), broker, self.clock, metrics, sweep_s=0.1)
        self.gateway: Gateway = self.parts.gateway(store, broker, self.clock, metrics, relay)
        gateway = self.gateway
        self._run("gateway", relay.run(), gateway.notices.listen(), gateway.notices.sweep(), gateway.recall.run())

    def begin_scheduler(self) -> None:
        store, broker = self._connect(Service.SCHEDULER)
        self.scheduler: Graph = self.parts.scheduler(store, broker, self.clock)
        graph, consumers = self.scheduler, Consumers(broker, self.clock, Metrics("scheduler", "test"))
        self._run(
            "scheduler",
            graph.epochs.look(),
            consumers.work(QueueName.REQUESTS, graph.desk.asked),
            consumers.work(QueueName.FETCHES, graph.fetches.told),
            consumers.work(QueueName.REPORTS, graph.reports.reported),
            consumers.work(QueueName.OBSERVATIONS, graph.discoveries.observed),
            consumers.work(QueueName.ENROLLED, graph.enrolments.enrolled),
            consumers.requests(QueueName.REVEALS, graph.reveals.asked),
            consumers.requests(QueueName.HANDOVERS, graph.handovers.asked),
        )

    def begin_bundler(self) -> None:
        store, broker = self._connect(Service.BUNDLER)
        metrics = Metrics("bundler", "test")
        relay = Relay(Outbox(store, Service.BUNDLER), broker, self.clock, metrics, sweep_s=0.1)
        answers = self.parts.bundler(store, self.clock, metrics, relay)
        consumers = Consumers(broker, self.clock, metrics)
        self._run(
            "bundler",
            relay.run(),
            consumers.requests(QueueName.ENROLMENTS, answers.admit),
            consumers.requests(QueueName.DECISIONS, answers.decide),
        )

    def _connect(self, service: Service) -> tuple[MemoryStore, MemoryBroker]:
        store, broker = self.server.store(service), MemoryBroker(self.node, BrokerUser(service.value))
        self.stores[service.value], self.brokers[service.value] = store, broker
        return store, broker

    def _run(self, name: str, *parts: Any) -> None:
        self._running[name] = [asyncio.ensure_future(part) for part in parts]

    async def end(self, name: str) -> None:
        """Ends a process where it stands."""
        tasks = self._running.pop(name)
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended

    async def close(self) -> None:
        self.gateway.close()
        for name in list(self._running):
            await self.end(name)
        await self.person.aclose()

    # ---- a machine

    async def token(self, **changes: Any) -> str:
        """A fresh enrolment token for the person."""
        plain = secrets.token_urlsafe(32)
        whole: dict[str, Any] = {
            "id": new_id(Noun.TOKEN),
            "sha256": hashlib.sha256(plain.encode()).hexdigest(),
            "user_names": (PERSON,),
            "uses_left": 1,
            "expires": self.clock.now() + 3_600_000,
            "created_at": self.clock.now(),
        }
        await Tokens(self.server.store()).insert(EnrolmentToken(**whole | changes))
        return plain

    async def machine(
        self, name: str, accounts: Iterable[tuple[FoundAccount, Secret | None]], *, token: str | None = None
    ) -> "Machine":
        """A host with these accounts and an installed package; its agent is not started."""
        folder = self.folder / name
        package = folder / "package"
        (package / "keys").mkdir(parents=True)
        self.keys.pack(package / "keys")
        (package / "token").write_text(token or await self.token())
        return Machine(self, name, folder, DyingBackend(accounts))

    # ---- a person

    async def until(self, what: str, path: str, holds: Any, seconds: float = 60.0) -> Any:
        """The JSON under `path`, as soon as it holds."""
        seen: Any = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    seen = (await self.person.get(path)).json()
                    if holds(seen):
                        return seen
                    await asyncio.sleep(0.005)
        raise AssertionError(f"{what} did not come: {seen}")

    async def account(self, name: str) -> dict[str, Any]:
        """The account of this name, as soon as it was discovered."""
        shown = await self.until("the resource", "/v1/resources", lambda seen: seen["items"])
        path = f"/v1/resources/{shown['items'][0]['id']}/accounts"
        listed = await self.until("the account", path, lambda s: any(a["name"] == name for a in s["items"]))
        return next(each for each in listed["items"] if each["name"] == name)

    async def reset(self, account: str, **body: Any) -> dict[str, Any]:
        """The task of a reset."""
        answer = await self.person.post(f"/v1/accounts/{account}/reset", json=body)
        assert answer.status_code == 202, answer.text
        return dict(answer.json()["task"])

    async def verify(self, account: str) -> dict[str, Any]:
        """The task of a verify."""
        answer = await self.person.post(f"/v1/accounts/{account}/verify", json={})
        assert answer.status_code == 202, answer.text
        return dict(answer.json()["task"])

    async def task_ends(self, task: str) -> dict[str, Any]:
        """The task, once it is over."""
        return await self.until(  # type: ignore[no-any-return]
            "the task's end", f"/v1/tasks/{task}", lambda seen: not seen["open"]
        )

    async def reveal(self, account: str) -> list[bytes]:
        """Every password that the vault shows, newest first."""
        key = X25519PrivateKey.generate()

        body = {"recipient": base64.b64encode(key.public_key().public_bytes_raw()).decode(), "reason": "a test"}
        answer = await self.person.post(f"/v1/accounts/{account}/reveal", json=body)
        if answer.status_code == 401:  # the story is longer than what a person once said of themselves counts
            said = await self.person.post("/v1/sessions/confirm", json={"password": PERSONS_PASSWORD})
            assert said.status_code == 204, said.text
            answer = await self.person.post(f"/v1/accounts/{account}/reveal", json=body)
        if answer.status_code == 503:  # a planned fault met this very question, and whoever asks asks again
            answer = await self.person.post(f"/v1/accounts/{account}/reveal", json=body)
        assert answer.status_code == 200, answer.text
        shown = Revealed.model_validate_json(answer.content)
        return [open_sealed(each.sealed, revealed(account, each.generation), key).reveal() for each in shown.versions]


@dataclass
class Machine:
    """One host: its accounts live on while its agent comes and goes."""

    whole: Whole
    name: str
    folder: Path
    backend: DyingBackend
    _life: asyncio.Task[None] | None = None
    _journal: Journal | None = None

    def start(self, wire: httpx.AsyncBaseTransport | None = None) -> None:
        """Starts the agent, from what its disk holds. `wire` is another way to a server than the gateway itself."""
        self._journal = Journal(self.folder / "state" / "journal")
        way = wire or httpx.ASGITransport(self.whole.gateway.app)
        made = make_agent(self.folder, self.backend, self._journal, way, pace=Pace(ceiling=0.05))
        self._life = asyncio.ensure_future(made.run())

    async def dies(self) -> None:
        """Returns when the agent was killed."""
        assert self._life is not None
        assert self._journal is not None
        with contextlib.suppress(KilledError):
            await self._life
        self._journal.close()
        self._life = None

    def live(self) -> bytes:
        """The password of `deploy` on the host."""
        kept = self.backend._kept["deploy"].password
        assert kept is not None
        return kept.reveal()

    async def stop(self) -> None:
        """Ends the agent where it stands."""
        if self._life is not None and self._journal is not None:
            self._life.cancel()
            for ended in await asyncio.gather(self._life, return_exceptions=True):
                if isinstance(ended, Exception):
                    raise ended
            self._journal.close()
        self._life = None


@contextlib.asynccontextmanager
async def whole(folder: Path) -> AsyncIterator[Whole]:
    """The system, running."""
    made = Whole(folder)
    await made.begin()
    try:
        yield made
    finally:
        await made.close()
