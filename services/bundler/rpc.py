"""The bundler's requests with an answer: enrol, renew, compose, certify, and decisions on tokens and enrolments.

Whatever is asked gets an answer, a refusal too: who asks waits with a deadline, and a person behind him. A request is
carried out as often as it arrives, which each of them allows.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from libs.domain.errors import KeyturnError
from libs.wire.envelope import Envelope
from libs.wire.events import Answered, CertifyAsked, ComposeAsked, EnrolAsked, RenewAsked, RevokeTokenAsked, SettleAsked
from libs.wire.model import Wire
from libs.wire.requests import (
    CertifyContent,
    ComposeContent,
    EnrolContent,
    RenewContent,
    RevokeTokenContent,
    SettleContent,
)
from services.bundler.approvals import ApprovalQueue
from services.bundler.certificates import ServerCertificates
from services.bundler.compose import Composer
from services.bundler.enrolment import Enrolment
from services.bundler.errors import declined
from services.bundler.gate import admit
from services.bundler.metrics import BundlerMetrics
from services.bundler.renewal import Renewals
from services.bundler.revoking import TokenRevocation

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Answers:
    """Answers requests that the gateway signed."""

    gateway: Ed25519PublicKey
    enrolment: Enrolment
    renewals: Renewals
    composer: Composer
    certificates: ServerCertificates
    approvals: ApprovalQueue
    revocation: TokenRevocation
    metrics: BundlerMetrics
    now: Callable[[], int]  # Unix milliseconds

    async def admit(self, envelope: Envelope) -> Envelope:
        """The answer to `rpc.enrol` or `rpc.renew`, which lie in one queue.

        Raises:
            UnreadableError: another type, version or shape.
        """
        return await (self.renew(envelope) if envelope.type == RenewAsked.TYPE else self.enrol(envelope))

    async def enrol(self, envelope: Envelope) -> Envelope:
        """The answer to `rpc.enrol`.

        Raises:
            UnreadableError: another type, version or shape.
        """
        signed = EnrolAsked.read(envelope).signed

        async def act() -> Wire:
            return await self.enrolment.enrol(*admit(signed, self.gateway, EnrolContent, now=self.now()))

        return await self._answer("enrol", act)

    async def renew(self, envelope: Envelope) -> Envelope:
        """The answer to `rpc.renew`.

        Raises:
            UnreadableError: another type, version or shape.
        """
        signed = RenewAsked.read(envelope).signed

        async def act() -> Wire:
            return await self.renewals.renew(*admit(signed, self.gateway, RenewContent, now=self.now()))

        return await self._answer("renew", act)

    async def compose(self, envelope: Envelope) -> Envelope:
        """The answer to `rpc.compose`.

        Raises:
            UnreadableError: another type, version or shape.
        """
        signed = ComposeAsked.read(envelope).signed

        async def act() -> Wire:
            return await self.composer.compose(*admit(signed, self.gateway, ComposeContent, now=self.now()))

        return await self._answer("compose", act)

    async def certify(self, envelope: Envelope) -> Envelope:
        """The answer to `rpc.certify`.

        Raises:
            UnreadableError: another type, version or shape.
        """
        signed = CertifyAsked.read(envelope).signed

        async def act() -> Wire:
            return await self.certificates.certify(*admit(signed, self.gateway, CertifyContent, now=self.now()))

        return await self._answer("certify", act)

    async def decide(self, envelope: Envelope) -> Envelope:
        """The answer to `rpc.settle` and `rpc.revoke_token`.

        Raises:
            UnreadableError: another type, version or shape.
        """
        if envelope.type == RevokeTokenAsked.TYPE:
            token = RevokeTokenAsked.read(envelope).signed

            async def revoke() -> Wire:
                return await self.revocation.revoke(*admit(token, self.gateway, RevokeTokenContent, now=self.now()))

            return await self._answer("revoke_token", revoke)
        signed = SettleAsked.read(envelope).signed

        async def settle() -> Wire:
            return await self.approvals.settle(*admit(signed, self.gateway, SettleContent, now=self.now()), signed)

        return await self._answer("settle", settle)

    async def _answer(self, kind: str, act: Callable[[], Awaitable[Wire]]) -> Envelope:
        try:
            done = await act()
        except KeyturnError as error:
            refusal = declined(error)
            self.metrics.requests.labels(kind, refusal.code).inc()
            _LOG.warning("request declined", kind=kind, code=refusal.code, why=str(error))
            return Answered(declined=refusal.model_dump(mode="json")).envelope(self.now())
        self.metrics.requests.labels(kind, "done").inc()
        return Answered(answer=done.model_dump(mode="json")).envelope(self.now())
