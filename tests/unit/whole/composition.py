"""The object graphs of all four processes, on any store, broker, clock and host."""

import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.apply import Worker
from agent.backends.ports import Backend
from agent.config import AgentConfig
from agent.farewell import Farewell
from agent.follower import Follower
from agent.following import Trust
from agent.identity import Identity
from agent.journal import Journal
from agent.log import Log
from agent.memory import Memory
from agent.moving import Moving, place_of
from agent.pace import Pace
from agent.report import Told
from agent.service import Agent
from agent.transport import Transport, wall_clock
from agent.trust import Package
from agent.watch import Watch
from libs.broker.ports import Broker
from libs.domain.deadlines import LEASE
from libs.pki.check import AgentAuthorities, Authorities
from libs.pki.issue import Use, make_authority
from libs.service.clock import Clock
from libs.service.relay import Relay
from libs.store.ports import Store
from libs.telemetry.metrics import Metrics
from libs.vault.open import Opener
from libs.vault.seal import VaultKeys
from services.api.app import Gateway, Parts
from services.api.app import build as build_gateway
from services.api.keys import Keys as GatewayKeys
from services.bundler.app import compose_answers
from services.bundler.keys import Keys as BundlerKeys
from services.bundler.rpc import Answers
from services.bundler.settings import Settings
from services.scheduler.graph import Graph
from services.scheduler.graph import build as build_scheduler
from services.scheduler.keys import Keys as SchedulerKeys
from services.scheduler.nonces import Nonces
from services.scheduler.witness import MemoryWitness, Witness

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PERSON, PERSONS_PASSWORD = "ops", "a-quite-long-password"
CONFIG = AgentConfig(server_name="keyturn", user_name=PERSON, schedule_interval=5)


@dataclass
class Keyring:
    """Every key of a small installation, in memory."""

    vault: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    recovery: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    task: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    request: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    configuration: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def pack(self, keys: Path) -> None:
        """The public keys of a package, in its folder `keys`."""
        for name, key in (("task", self.task), ("configuration", self.configuration)):
            pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            (keys / f"{name}.pem").write_bytes(pem)

    def __post_init__(self) -> None:
        now = wall_clock()
        self.servers = make_authority(Use.SERVERS, now=now)
        self.agents = make_authority(Use.AGENTS, now=now)
        self.known = AgentAuthorities(self.agents.certificate)
        self.uses_vault_key(self.vault)

    def uses_vault_key(self, vault: X25519PrivateKey, *beside: X25519PrivateKey) -> None:
        """Which key the vault is sealed to from now on, and which others the scheduler holds."""
        self.vault, self.vaults_beside = vault, beside
        self.at_rest = VaultKeys(vault.public_key(), self.recovery.public_key())


@dataclass(frozen=True)
class Composition:
    """The object graphs of the three services, on any store, broker and clock."""

    folder: Path
    keys: Keyring
    witness: Witness = field(default_factory=MemoryWitness)  # outlives the scheduler, as its file does

    def gateway(self, store: Store, broker: Broker, clock: Clock, metrics: Metrics, relay: Relay) -> Gateway:
        known = self.keys.known
        authorities = Authorities(
            self.keys.servers.certificate,
            known.in_use,
            agents_beside=known.beside,
            agents_retired=known.retired,
        )
        keys = GatewayKeys(self.keys.request, (b"s" * 32,), self.keys.at_rest, authorities)
        return build_gateway(
            Parts(
                store,
                broker,
                clock,
                metrics,
                keys,
                self.folder,
                "test",
                relay.nudge,
                hasher=CHEAP,
                notices=self.folder / "notices.json",
            )
        )

    def scheduler(self, store: Store, broker: Broker, clock: Clock, *, lease: int = LEASE) -> Graph:
        keys = SchedulerKeys(
            opener=Opener(self.keys.vault, self.keys.vaults_beside),
            task=self.keys.task,
            at_rest=self.keys.at_rest,
            gateway=self.keys.request.public_key(),
            agents=self.keys.known,
        )
        return build_scheduler(
            keys, store=store, broker=broker, clock=clock, nonces=Nonces(), lease=lease, witness=self.witness
        )

    def bundler(self, store: Store, clock: Clock, metrics: Metrics, relay: Relay) -> Answers:
        keys = BundlerKeys(
            servers=self.keys.servers,
            agents=self.keys.agents,
            known=self.keys.known,
            configuration=self.keys.configuration,
            gateway=self.keys.request.public_key(),
        )
        settings = Settings.model_construct(public=self.folder, agent_certificate_days=30, server_certificate_days=90)
        return compose_answers(settings, keys, store=store, relay=relay, clock=clock, metrics=metrics)


def make_agent(
    folder: Path,
    backend: Backend,
    journal: Journal,
    wire: httpx.AsyncBaseTransport,
    *,
    pace: Pace,
    files: Sequence[Path] = (),
    clock: Callable[[], int] = wall_clock,
    tick: Callable[[], float] = time.monotonic,
) -> Agent:
    """The agent of an installed package in `folder`; it is not started."""
    identity, memory, package = Identity(folder / "state"), Memory(journal), Package.load(folder / "package")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    transport = Transport(server="keyturn", port=7272, tls=tls, wire=wire, clock=clock)
    log, told = Log("error"), Told(folder, "keyturn:7272", clock)
    follower = Follower(Trust(package, folder / "state"), transport, None, log)
    return Agent(
        config=CONFIG,
        package=package,
        identity=identity,
        transport=transport,
        follower=follower,
        moving=Moving(place_of(CONFIG), follower, told, log, tick),
        memory=memory,
        worker=Worker(backend, memory, identity.keys, transport),
        watch=Watch(backend, memory, identity, files=files),
        farewell=Farewell(folder / "state", identity, follower.trust),
        told=told,
        pace=pace,
        log=log,
        version="test",
        tick=tick,
    )
