"""Renewal: the key that a certificate binds asks for a certificate over the keys that its host has made since.

The request is the agent's own word, signed by that key: so the gateway, which only passes it on, cannot name other
keys. The key of an expired certificate, or of one whose authority was retired, may still ask, because a host may sleep
for months, and a person need not come for that. The old certificate stays: it is good until the new one is seen in use.

Safe to repeat: a certificate's serial is derived from its keys, so the same keys meet the same certificate. Where that
one is past two thirds of its life, because its answer was lost for long, the same keys get another.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from libs.pki.check import AgentAuthorities, AgentIdentity, Standing, check_agent_certificate
from libs.pki.csr import AgentCsr, read_agent_csr
from libs.pki.errors import CsrInvalidError, NotTrustedError
from libs.pki.issue import Authority, issue_agent
from libs.store.audit import Audit, AuditRecord, Who
from libs.store.certificates import Certificate, Certificates, certificate_id
from libs.store.schema import CollectionName
from libs.wire.events import AgentEnrolled
from libs.wire.ids import Noun, derived_id
from libs.wire.renewal import Renewal, read_renewal
from libs.wire.requests import RenewContent, Renewed, Request
from libs.wire.sign import BadSignatureError
from services.bundler.errors import Code, ContendedError, DeclinedError

KEPT = 16
"""Certificates that an agent keeps: the scheduler may be away for as many renewals, and still follow."""

_SERIAL_BYTES = 19


@dataclass(frozen=True)
class Renewals:
    """Certifies the next keys of agents."""

    authority: Authority
    known: AgentAuthorities
    certificates: Certificates
    audit: Audit
    nudge: Callable[[CollectionName, str], None]  # the relay's: sends a document's event at once
    seconds: int  # that a certificate is good
    now: Callable[[], int]  # Unix milliseconds

    async def renew(self, request: Request, content: RenewContent) -> Renewed:
        """The certificate over the agent's next keys; the same one when they are asked for again.

        Raises:
            DeclinedError: `agent_revoked`, `renewal_invalid`, `csr_invalid`.
            StoreError: as `libs.store.errors` lists; the same request may be repeated.
        """
        del request  # What the gateway says of itself adds nothing: the agent's own signature is what counts.
        line = await self.certificates.line(content.agent)
        if not line:
            raise DeclinedError(Code.AGENT_REVOKED, "The agent is unknown or was revoked. Download a new package.")
        present, said = self._present(line, content)
        try:
            asked = read_agent_csr(said.csr)
        except CsrInvalidError as error:
            raise DeclinedError(Code.CSR_INVALID, f"The certificate request is refused: {error}.") from error
        now = self.now()
        there = [
            each for each in line if each.key_hash == asked.key_hash and now < each.renew_at and self._current(each)
        ]
        if there:
            return Renewed(certificate=there[0].pem)
        made = self._made(present, content, said, asked, taken=sum(each.key_hash == asked.key_hash for each in line))
        await self._record(present, made, content)
        if not await self.certificates.insert(made, AgentEnrolled(agent=made.agent).envelope(now)):
            raise ContendedError("the same renewal is worked on at this moment")
        self.nudge(CollectionName.CERTIFICATES, made.id)
        for past in line[KEPT - 1 :]:
            if past is not present:
                await self.certificates.forget(past)
        return Renewed(certificate=made.pem)

    def _present(self, line: list[Certificate], content: RenewContent) -> tuple[Certificate, Renewal]:
        """The certificate whose key signed the renewal."""
        for certificate in line:
            identity = self._bound(certificate)
            try:
                return certificate, read_renewal(content.renewal, content.agent, identity.public_key)
            except BadSignatureError:
                continue
        raise DeclinedError(Code.RENEWAL_INVALID, "The renewal was not signed by a key of this agent.")

    def _bound(self, certificate: Certificate) -> AgentIdentity:
        try:
            return self.known.check(certificate.pem)
        except NotTrustedError as error:
            raise DeclinedError(
                Code.RENEWAL_INVALID, f"A certificate of this agent does not count: {error}."
            ) from error

    def _current(self, certificate: Certificate) -> bool:
        return self._bound(certificate).standing is Standing.IN_USE

    def _made(
        self, present: Certificate, content: RenewContent, said: Renewal, asked: AgentCsr, *, taken: int
    ) -> Certificate:
        now = self.now()
        serial = _serial(present.agent, asked.key_hash, taken)
        pem = issue_agent(
            said.csr, present.agent, present.resource, self.authority, now=now, seconds=self.seconds, serial=serial
        )
        identity = check_agent_certificate(pem, self.authority.certificate, now=now)
        return replace(
            present,
            id=certificate_id(present.agent, identity.serial),
            serial=identity.serial,
            pem=pem,
            key_hash=asked.key_hash,
            sealing_key=asked.sealing_key.public_bytes_raw(),
            created_at=now,
            not_after=identity.not_after,
            address=content.address,
            renewal=content.renewal,
            approval=None,
            rev=0,
        )

    async def _record(self, present: Certificate, made: Certificate, content: RenewContent) -> None:
        await self.audit.append(
            AuditRecord(
                id=derived_id(Noun.AUDIT, "agent.renew", made.id),
                at=self.now(),
                who=Who(id=made.agent, name=made.resource_name),
                what="agent.renew",
                resource=made.resource,
                address=content.address,
                extra={"key_hash": made.key_hash, "before": present.serial, "serial": made.serial},
            )
        )


def _serial(agent: str, key_hash: str, n: int) -> int:
    """The n-th serial for these keys of this agent: 152 bits."""
    digest = hashlib.sha256(f"keyturn/renewal-serial/1 {agent} {key_hash} {n}".encode()).digest()
    return int.from_bytes(digest[:_SERIAL_BYTES], "big") | 1
