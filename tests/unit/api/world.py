"""The gateway on twins, with people, a machine, its agent, and whoever answers for scheduler and bundler."""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from libs.broker.memory.broker import MemoryBroker
from libs.broker.memory.node import MemoryNode
from libs.broker.topology import QueueName
from libs.broker.topology import Service as BrokerService
from libs.domain.accounts import Account
from libs.domain.state import Generation, Proof, Rotation, Status, Version, VersionState
from libs.pki.check import Authorities
from libs.pki.csr import key_hash
from libs.pki.issue import Authority, Use, issue_agent, make_authority
from libs.service.clock import FakeClock
from libs.store.accounts import Accounts
from libs.store.certificates import Certificate, Certificates, certificate_id
from libs.store.enrolments import EnrolmentDocument, Enrolments
from libs.store.incidents import Incident, IncidentKind, Incidents
from libs.store.memory.store import MemoryServer
from libs.store.resources import Resource, Resources
from libs.store.schema import CollectionName, Service
from libs.store.tokens import EnrolmentToken, Tokens
from libs.store.users import Role, User, Users
from libs.telemetry.metrics import Metrics
from libs.vault.seal import VaultKeys
from libs.wire.encoding import canonical
from libs.wire.events import Answered, Asked
from libs.wire.http_signature import sign
from libs.wire.identity import agent_csr
from libs.wire.ids import Noun, account_id, new_id
from libs.wire.model import Wire
from libs.wire.observations import HostFacts, Kind
from libs.wire.requests import Declined, Platform, Request
from libs.wire.sign import Prefix, verify
from services.api.app import Gateway, Parts, build
from services.api.keys import Keys

NOW = 1_764_044_000_000
PASSWORD = "a-quite-long-password"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_HASH = CHEAP.hash(PASSWORD)


@cache
def authorities() -> tuple[Authority, Authority]:
    """Servers' and agents'."""
    return make_authority(Use.SERVERS, now=NOW), make_authority(Use.AGENTS, now=NOW)


@dataclass
class TestAgent:
    """An agent's keys, and how it signs."""

    __test__ = False

    id: str
    resource: str
    private: EllipticCurvePrivateKey
    clock: FakeClock
    client: httpx.AsyncClient

    async def post(
        self,
        path: str,
        message: Wire | dict[str, Any],
        *,
        signed_path: str | None = None,
        signed_body: bytes | None = None,
        nonce: str | None = None,
        skew_ms: int = 0,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        change: Callable[[dict[str, str]], dict[str, str]] = lambda given: given,
    ) -> httpx.Response:
        """One signed request, as the arguments bend it."""
        body = canonical(message.model_dump(mode="json") if isinstance(message, Wire) else message)
        made = sign(
            "POST",
            signed_path or path,
            body if signed_body is None else signed_body,
            self.private,
            key=key or self.id,
            nonce=nonce or secrets.token_urlsafe(18),
            now=self.clock.now() + skew_ms,
        )
        everything = {"content-type": "application/json", **change(made), **(headers or {})}
        return await self.client.post(path, content=body, headers=everything)


@dataclass
class World:
    """Everything, and short ways to it."""

    gateway: Gateway
    client: httpx.AsyncClient
    clock: FakeClock
    node: MemoryNode
    server: MemoryServer
    keys: Keys
    private: Path
    parts: Parts
    nudged: list[tuple[CollectionName, str]]
    _names: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def admin(self) -> Any:
        """The store with every right."""
        return self.server.store()

    async def user(self, name: str, role: Role = Role.USER) -> User:
        """A user whose password is PASSWORD."""
        user = User(id=new_id(Noun.USER), name=name, role=role, password_hash=_HASH, created_at=self.clock.now())
        assert await Users(self.admin).insert(user)
        return user

    async def signed_in(self, name: str) -> dict[str, str]:
        """The headers of a person who has just signed in."""
        answer = await self.client.post("/v1/sessions", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        return {"authorization": f"Bearer {answer.json()['token']}"}

    async def machine(self, owner: User, name: str = "dmz-web-01") -> tuple[Resource, TestAgent]:
        """A resource with its enrolled agent."""
        found = Resource(
            id=new_id(Noun.RESOURCE),
            name=name,
            platform=Platform.LINUX,
            owner=owner.id,
            owner_name=owner.name,
            agent=new_id(Noun.AGENT),
            created_at=self.clock.now() + next(self._names),
        )
        private = await self.certify(found)
        assert await Resources(self.admin).insert(found)
        return found, TestAgent(found.agent, found.id, private, self.clock, self.client)

    async def certify(self, resource: Resource) -> EllipticCurvePrivateKey:
        """A certificate for the agent of a resource, and its key."""
        private, sealing = generate_private_key(SECP256R1()), X25519PrivateKey.generate().public_key()
        csr = agent_csr(private, sealing)
        certificate = Certificate(
            id=certificate_id(resource.agent, "01"),
            agent=resource.agent,
            serial="01",
            resource=resource.id,
            resource_name=resource.name,
            platform=resource.platform,
            owner=resource.owner,
            owner_name=resource.owner_name,
            pem=issue_agent(csr, resource.agent, resource.id, authorities()[1], now=self.clock.now(), days=7),
            key_hash=key_hash(private.public_key()),
            sealing_key=sealing.public_bytes_raw(),
            created_at=self.clock.now(),
            not_after=self.clock.now() + 7 * 86_400_000,
        )
        assert await Certificates(self.admin).insert(certificate)
        return private

    async def token(self, maker: User, **changes: Any) -> EnrolmentToken:
        """The token of a package that somebody built."""
        whole: dict[str, Any] = {
            "id": new_id(Noun.TOKEN),
            "sha256": secrets.token_hex(32),
            "user_names": (maker.name,),
            "uses_left": 1,
            "expires": self.clock.now() + 86_400_000,
            "created_at": self.clock.now() + next(self._names),
            "created_by": maker.id,
            "created_by_name": maker.name,
        }
        token = EnrolmentToken(**whole | changes)
        assert await Tokens(self.admin).insert(token)
        return token

    async def incident(self, seen_by: User, **changes: Any) -> Incident:
        """A copy of somebody's package was used."""
        whole: dict[str, Any] = {
            "id": new_id(Noun.INCIDENT),
            "kind": IncidentKind.TOKEN_USED_BY_ANOTHER_KEY,
            "created_at": self.clock.now() + next(self._names),
            "seen_by": seen_by.id,
            "token": new_id(Noun.TOKEN),
            "package": None,
            "key_hash": "0" * 64,
            "host_name": "copy",
            "resource_name": "copy",
            "user_name": seen_by.name,
            "address": "203.0.113.9",
        }
        incident = Incident(**whole | changes)
        assert await Incidents(self.admin).insert(incident)
        return incident

    async def waiting(self, approver: User, **changes: Any) -> EnrolmentDocument:
        """A machine that waits for a person."""
        whole: dict[str, Any] = {
            "id": new_id(Noun.ENROLMENT),
            "token": new_id(Noun.TOKEN),
            "package": None,
            "approver": approver.id,
            "key_hash": secrets.token_hex(32),
            "agent": new_id(Noun.AGENT),
            "resource": new_id(Noun.RESOURCE),
            "resource_name": "dmz-web-09",
            "owner": approver.id,
            "owner_name": approver.name,
            "platform": Platform.LINUX,
            "host": HostFacts(hostname="dmz-web-09", system="Debian GNU/Linux 12 (bookworm)"),
            "address": "192.0.2.9",
            "created_at": self.clock.now() + next(self._names),
        }
        found = EnrolmentDocument(**whole | changes)
        assert await Enrolments(self.admin).insert(found)
        return found

    async def account(
        self, resource: Resource, name: str = "root", rotation: Rotation | None = None, kinds: tuple[Kind, ...] = ()
    ) -> Account:
        """An account on a resource."""
        account = Account(
            id=account_id(resource.id, name, 0),
            resource=resource.id,
            name=name,
            uid=0,
            gid=0,
            shell="/bin/bash",
            kinds=kinds,
            seen_at=self.clock.now(),
            vanished_at=None,
            rotation=rotation or Rotation(),
            ended=(),
            due_at=None,
            rev=0,
        )
        assert await Accounts(self.admin).insert(account)
        return account

    def documents(self) -> str:
        """All that the store holds, as text."""
        return repr([vars(shelf) for shelf in self.server._shelves.values()])

    @contextlib.asynccontextmanager
    async def answering(self, queue: QueueName, answer: Callable[[Request], Wire]) -> AsyncIterator[list[Request]]:
        """Somebody who answers for the owner of `queue`; the requests that he trusted."""
        heard: list[Request] = []
        broker = MemoryBroker(self.node, BrokerService(queue.partition(".")[0]))

        async def serve() -> None:
            async with broker.consume(queue, prefetch=1) as deliveries:
                async for delivery in deliveries:
                    asked = Asked.model_validate(delivery.read().body)
                    raw = verify(asked.signed, Prefix.REQUEST, self.keys.request.public_key())
                    heard.append(Request.model_validate_json(raw))
                    given = answer(heard[-1]).model_dump(mode="json")
                    said = "declined" if "sentence" in given else "answer"
                    await delivery.reply(Answered(**{said: given}).envelope(self.clock.now()))
                    await delivery.ack()

        task = asyncio.create_task(serve())
        try:
            yield heard
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await broker.close()


def make_keys() -> Keys:
    """Fresh keys."""
    servers, agents = authorities()
    return Keys(
        request=Ed25519PrivateKey.generate(),
        session_secrets=(secrets.token_bytes(32),),
        vault=VaultKeys(X25519PrivateKey.generate().public_key(), X25519PrivateKey.generate().public_key()),
        authorities=Authorities(servers.certificate, agents.certificate),
    )


@contextlib.asynccontextmanager
async def make_world(
    private: Path, heartbeat_seconds: float = 15.0, *, second_factor: bool = False, requests_per_minute: int = 3_000
) -> AsyncIterator[World]:
    """A gateway on fresh twins."""
    clock = FakeClock(NOW)
    node, server, keys = MemoryNode(clock.now), MemoryServer(clock.now), make_keys()
    broker = MemoryBroker(node, BrokerService.GATEWAY)
    nudged: list[tuple[CollectionName, str]] = []
    parts = Parts(
        store=server.store(Service.GATEWAY),
        broker=broker,
        clock=clock,
        metrics=Metrics("gateway", "0.0.0"),
        keys=keys,
        private=private,
        version="0.0.0",
        nudge=lambda name, key: nudged.append((name, key)),
        hasher=CHEAP,
        heartbeat_seconds=heartbeat_seconds,
        second_factor=second_factor,
        requests_per_minute=requests_per_minute,
    )
    gateway = build(parts)
    transport = httpx.ASGITransport(app=gateway.app, client=("192.0.2.7", 40_000))
    async with httpx.AsyncClient(transport=transport, base_url="https://keyturn.example") as client:
        yield World(gateway, client, clock, node, server, keys, private, parts, nudged)
    gateway.close()
    await broker.close()


def in_sync(at: int = NOW - 60_000) -> Rotation:
    """A rotation whose newest password was proven."""
    generation = Generation(1_764_000_000, 1)
    version = Version(generation, VersionState.PROVEN, at, None, at, at)
    return replace(
        Rotation(), status=Status.IN_SYNC, newest=generation, proof=Proof(generation, at), versions=(version,)
    )


def declined(code: str, sentence: str = "It was declined.") -> Declined:
    return Declined(code=code, sentence=sentence)
