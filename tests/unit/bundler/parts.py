"""A bundler on the store in memory, with the rights that it has in earnest, and a gateway that asks it."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from libs.pki.check import AgentAuthorities
from libs.pki.issue import Use, make_authority
from libs.store.audit import Audit
from libs.store.certificates import Certificates
from libs.store.enrolments import Enrolments
from libs.store.incidents import Incidents
from libs.store.memory.store import MemoryServer, MemoryStore
from libs.store.packages import Packages
from libs.store.runtimes import Runtimes
from libs.store.schema import CollectionName, Service
from libs.store.tokens import Tokens
from libs.telemetry.metrics import Metrics
from libs.wire.events import (
    Answered,
    Asked,
    CertifyAsked,
    ComposeAsked,
    EnrolAsked,
    RenewAsked,
    RevokeTokenAsked,
    SettleAsked,
)
from libs.wire.identity import agent_csr
from libs.wire.ids import Noun, new_id
from libs.wire.observations import HostFacts
from libs.wire.requests import (
    CertifyContent,
    ComposeContent,
    Declined,
    EnrolContent,
    Person,
    Platform,
    RenewContent,
    Request,
    RevokeTokenContent,
    SettleContent,
    TokenBounds,
)
from libs.wire.seal import SUITE, Box, Context, Purpose, Sealed, key_id, open_sealed
from libs.wire.secret import Secret
from libs.wire.sign import Prefix, sign
from services.bundler.approvals import ApprovalQueue
from services.bundler.certificates import ServerCertificates
from services.bundler.compose import Composer
from services.bundler.enrolment import Enrolment
from services.bundler.metrics import BundlerMetrics
from services.bundler.package import Ingredients
from services.bundler.pantry import Pantry
from services.bundler.renewal import Renewals
from services.bundler.revoking import TokenRevocation
from services.bundler.rpc import Answers
from services.bundler.runtime import check_runtime
from services.bundler.tokens import hashed
from tests.unit.bundler.runtimes import signed_runtime

Asking = EnrolContent | RenewContent | ComposeContent | CertifyContent | SettleContent | RevokeTokenContent

START = 1_800_000_000_000
OWNER = new_id(Noun.USER)
PERSON = Person(id=OWNER, name="ops", address="192.0.2.7")
SERVERS, AGENTS = make_authority(Use.SERVERS, now=START), make_authority(Use.AGENTS, now=START)
RELEASE = Ed25519PrivateKey.generate()
CONFIGURATION = Ed25519PrivateKey.generate()
GATEWAY = Ed25519PrivateKey.generate()
RUNTIME = signed_runtime(RELEASE)
PEM = b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
INGREDIENTS = Ingredients(
    trust=PEM,
    keys=dict.fromkeys(("task.pem", "vault.pem"), PEM),
    installer=dict.fromkeys(("installAgent-service.sh", "service/plain.sh"), b"#!/bin/sh\nexit 0\n"),
)


@dataclass
class Clock:
    at: int = START

    def __call__(self) -> int:
        return self.at


@dataclass
class Host:
    """A machine with its two keys."""

    name: str = "dmz-web-01"
    signing: EllipticCurvePrivateKey = field(default_factory=lambda: generate(SECP256R1()))
    sealing: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)

    def csr(self) -> bytes:
        return agent_csr(self.signing, self.sealing.public_key())

    def content(self, token: Secret, **changes: object) -> EnrolContent:
        whole: dict[str, object] = {
            "token": hashed(token),
            "csr": self.csr(),
            "owner": OWNER,
            "owner_name": "ops",
            "resource_name": self.name,
            "platform": Platform.LINUX,
            "host": HostFacts(hostname=self.name, system="Debian GNU/Linux 12 (bookworm)"),
        }
        return EnrolContent.model_validate(whole | changes)


class Parts:
    """The composed bundler; `store` is its connection, `admin` one without bounds."""

    def __init__(self, server: MemoryServer | None = None, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.server = server or MemoryServer(self.clock)
        self.store = self.server.store(Service.BUNDLER)
        self.admin: MemoryStore = self.server.store()
        shared = Metrics("bundler", "0")
        self.registry = shared.registry
        self.release = RELEASE.public_key()
        self.recipient = X25519PrivateKey.generate()
        self.nudged: list[tuple[CollectionName, str]] = []
        metrics, audit = BundlerMetrics(shared), Audit(self.store, Service.BUNDLER)
        tokens, packages = Tokens(self.store), Packages(self.store)
        approvals = ApprovalQueue(tokens, Enrolments(self.store), audit, self.clock)
        self.enrolment = Enrolment(
            authority=AGENTS,
            tokens=tokens,
            packages=packages,
            certificates=Certificates(self.store),
            approvals=approvals,
            incidents=Incidents(self.store),
            audit=audit,
            nudge=lambda name, key: self.nudged.append((name, key)),
            seconds=30 * 86_400,
            now=self.clock,
        )
        self.renewals = Renewals(
            authority=AGENTS,
            known=AgentAuthorities(AGENTS.certificate),
            certificates=Certificates(self.store),
            audit=audit,
            nudge=lambda name, key: self.nudged.append((name, key)),
            seconds=30 * 86_400,
            now=self.clock,
        )
        self.composer = Composer(
            pantry=Pantry(Runtimes(self.store), lambda: (self.release,)),
            ingredients={Platform.LINUX: lambda: INGREDIENTS},
            configuration=CONFIGURATION,
            tokens=tokens,
            packages=packages,
            audit=audit,
            metrics=metrics,
            now=self.clock,
        )
        self.answers = Answers(
            gateway=GATEWAY.public_key(),
            enrolment=self.enrolment,
            renewals=self.renewals,
            composer=self.composer,
            certificates=ServerCertificates(SERVERS, audit, 90, self.clock),
            approvals=approvals,
            revocation=TokenRevocation(tokens, audit, self.clock),
            metrics=metrics,
            now=self.clock,
        )

    async def publish(self, raw: bytes = RUNTIME) -> None:
        runtime = check_runtime(raw, RELEASE.public_key())
        manifest, prefix_bytes = runtime.manifest, runtime.directory.prefix_bytes
        await Runtimes(self.admin).publish(raw, manifest.platform, manifest.release, prefix_bytes, now=self.clock())

    def compose_content(self, **changes: object) -> ComposeContent:
        whole: dict[str, object] = {
            "package": new_id(Noun.PACKAGE),
            "token": new_id(Noun.TOKEN),
            "platform": Platform.LINUX,
            "server_name": "gw.example.net",
            "server_port": 7272,
            "user_name": "ops",
            "bounds": TokenBounds(user_names=("ops",)),
            "recipient": self.recipient.public_key().public_bytes_raw(),
        }
        return ComposeContent.model_validate(whole | changes)

    def open_tail(self, content: ComposeContent, tail: bytes) -> bytes:
        sealed = Sealed(suite=SUITE, boxes=(Box(recipient=key_id(self.recipient.public_key()), box=tail),))
        return open_sealed(sealed, Context(content.package, content.token, Purpose.PACKAGE), self.recipient).reveal()

    async def ask(
        self,
        content: Asking,
        *,
        signer: Ed25519PrivateKey = GATEWAY,
        prefix: Prefix = Prefix.REQUEST,
        kind: type[Asked] | None = None,
        deadline: int | None = None,
        person: Person | None = PERSON,
    ) -> Answered:
        """The answer to a request as the gateway sends it."""
        request = Request(
            id=new_id(Noun.REQUEST),
            issued_at=self.clock(),
            deadline=self.clock() + 30_000 if deadline is None else deadline,
            person=person,
            content=content,
        )
        kinds: dict[str, type[Asked]] = {
            "enrol": EnrolAsked,
            "renew": RenewAsked,
            "compose": ComposeAsked,
            "certify": CertifyAsked,
            "settle": SettleAsked,
            "revoke_token": RevokeTokenAsked,
        }
        sent = kind or kinds[content.kind]
        envelope = sent(signed=sign(request.to_bytes(), prefix, signer)).envelope(self.clock())
        answers = {
            EnrolAsked: self.answers.admit,
            RenewAsked: self.answers.admit,
            ComposeAsked: self.answers.compose,
            SettleAsked: self.answers.decide,
            RevokeTokenAsked: self.answers.decide,
        }
        return Answered.read(await answers.get(sent, self.answers.certify)(envelope))

    async def code(self, content: Asking, **how: object) -> str:
        """The code of the refusal that this request gets."""
        answered = await self.ask(content, **how)  # type: ignore[arg-type]
        assert answered.answer is None
        return Declined.model_validate(answered.declined).code

    async def all_of(self, name: CollectionName) -> list[dict[str, object]]:
        order = "at" if name is CollectionName.AUDIT_BUNDLER else "created_at"
        return await self.admin.collection(name).find(between=(order, 0, 2**53), limit=1_000)
