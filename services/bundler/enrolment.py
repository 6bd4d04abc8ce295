"""Enrolment: a token and a certificate request in, an agent out, whatever is lost or killed on the way.

The writes, in this order, each by itself:

    1. the token's use      guarded by `rev`: this key, its agent's and its resource's identifiers; one use less
    2. the audit record     its identifier derived from token and key
    3. the certificate      its identifier derived from token and key, with the event `agent.enrolled` in its outbox
    4. the answer

Ended after 1: the token is bound to that key and to no agent that anybody has heard of. The machine's retry finds its
use, and goes on at 2. Another machine is refused as if the enrolment had succeeded, which is right: the first one may
come back at any moment.
Ended after 2: the audit tells of an admission that nobody has yet seen. The retry meets its own record, goes on at 3.
Ended after 3: the relay publishes the event from the outbox, the scheduler makes the resource, and the machine's retry
reads the certificate that lies there. It is never issued twice: the second insert meets the first.

Two attempts of one key at the same moment race for 1; the loser reads again and finds the winner's use. Owner and
resource name are those of the attempt that wrote 3.

A token that wants an approval stops after 1 until a person has decided (`approvals`). One that names a known resource
takes it from its older agents before 3: from then on nobody is sealed to until the scheduler has moved the resource.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from libs.pki.csr import AgentCsr, read_agent_csr
from libs.pki.errors import CsrInvalidError
from libs.pki.issue import Authority
from libs.store.audit import Audit, AuditRecord, Who
from libs.store.certificates import Certificate, Certificates, CertificateState
from libs.store.enrolments import EnrolmentDocument
from libs.store.incidents import Incident, IncidentKind, Incidents
from libs.store.packages import Packages
from libs.store.schema import CollectionName
from libs.store.tokens import EnrolmentToken, Tokens, Use
from libs.wire.events import AgentEnrolled
from libs.wire.ids import Noun, derived_id
from libs.wire.requests import EnrolContent, Enrolled, Request
from services.bundler.approvals import ApprovalQueue
from services.bundler.certificates import certify_agent, first_certificate_id
from services.bundler.errors import Code, ContendedError, DeclinedError, TokenCopiedError
from services.bundler.tokens import admit

_TRIES = 20
"""Races for one token's document that a request may lose; a roll-out token admits many hosts at once."""


@dataclass(frozen=True)
class Enrolment:
    """Admits agents."""

    authority: Authority
    tokens: Tokens
    packages: Packages
    certificates: Certificates
    approvals: ApprovalQueue
    incidents: Incidents
    audit: Audit
    nudge: Callable[[CollectionName, str], None]  # the relay's: sends a document's event at once
    seconds: int  # that a certificate is good
    now: Callable[[], int]  # Unix milliseconds

    async def enrol(self, request: Request, content: EnrolContent) -> Enrolled:
        """The agent's identifiers and certificate; the same ones when its key asks again.

        Raises:
            DeclinedError: with a code of `services.bundler.errors`; the token is as it was.
            ContendedError: many enrol by this token at this moment.
            StoreError: as `libs.store.errors` lists; the same request may be repeated.
        """
        del request  # The owner stands in the signed content; the person is the machine itself.
        try:
            csr = read_agent_csr(content.csr)
        except CsrInvalidError as error:
            raise DeclinedError(Code.CSR_INVALID, f"The certificate request is refused: {error}.") from error
        token, use = await self._consume(content, csr.key_hash)
        approved = await self.approvals.approved(content, token, use) if token.waits else None
        certificate = await self.certificates.get(first_certificate_id(token.id, use))
        if certificate is None:
            certificate = await self._certify(_as_seen(content, approved), csr, token, use, approved)
        if certificate.state is not CertificateState.ACTIVE:
            raise DeclinedError(
                Code.AGENT_REVOKED, f"The agent of this key was {certificate.state}. Download a new package."
            )
        return Enrolled(agent=use.agent, resource=use.resource, certificate=certificate.pem)

    async def _consume(self, content: EnrolContent, key_hash: str) -> tuple[EnrolmentToken, Use]:
        for _ in range(_TRIES):
            token = await self.tokens.hashed(content.token)
            if token is None:
                raise DeclinedError(Code.TOKEN_UNKNOWN, "This enrolment token is not known. Download a new package.")
            package = None if token.package is None else await self.packages.get(token.package)
            decided_at = await self.approvals.decided_at(token, key_hash)
            try:
                admitted = admit(
                    token,
                    key_hash,
                    content,
                    None if package is None else package.platform,
                    now=self.now(),
                    decided_at=decided_at,
                )
            except DeclinedError as error:
                await self._record_refusal(token, key_hash, content, error)
                raise
            if admitted.after is None or await self.tokens.save(token, admitted.after):
                return token, admitted.use
        raise ContendedError("many machines enrol by this token at once")

    async def _certify(
        self,
        content: EnrolContent,
        csr: AgentCsr,
        token: EnrolmentToken,
        use: Use,
        approved: EnrolmentDocument | None,
    ) -> Certificate:
        now = self.now()
        await self.audit.append(
            AuditRecord(
                id=derived_id(Noun.AUDIT, "agent.enrol", token.id, use.key_hash),
                at=now,
                who=Who(id=use.agent, name=content.resource_name),
                what="agent.enrol",
                resource=use.resource,
                address=content.address,
                extra={
                    "token": token.id,
                    "package": token.package,
                    "key_hash": use.key_hash,
                    "owner": content.owner,
                    "owner_name": content.owner_name,
                    "host_name": content.host.hostname,
                    "approved_by": None if approved is None else approved.decided_by_name,
                },
            )
        )
        if token.resource is not None:
            await self._supersede(token.resource, use.agent)
        made = certify_agent(content, csr, token.id, use, self.authority, now=now, seconds=self.seconds)
        if approved is not None:
            made = replace(made, approval=approved.approval)
        event = AgentEnrolled(agent=use.agent).envelope(now)
        if await self.certificates.insert(made, event):
            self.nudge(CollectionName.CERTIFICATES, made.id)
            return made
        there = await self.certificates.get(made.id)
        if there is None:
            raise ContendedError("the certificate was written by another attempt and cannot be read yet")
        return there

    async def _supersede(self, resource: str, agent: str) -> None:
        """Ends the certificates of every other agent of this resource."""
        for each in await self.certificates.of_resource(resource):
            if each.agent == agent or each.state is not CertificateState.ACTIVE:
                continue
            if not await self.certificates.save(
                each, replace(each, state=CertificateState.SUPERSEDED, rev=each.rev + 1)
            ):
                raise ContendedError("the older agent's certificate was written at this moment")

    async def _record_refusal(
        self, token: EnrolmentToken, key_hash: str, content: EnrolContent, error: DeclinedError
    ) -> None:
        """A refusal of a token that exists: a copied package shows here. The same refusal is recorded once."""
        copied = isinstance(error, TokenCopiedError)
        await self.audit.append(
            AuditRecord(
                id=derived_id(Noun.AUDIT, "agent.enrol", token.id, key_hash, error.code),
                at=self.now(),
                who=None,
                what="agent.enrol",
                outcome="incident" if copied else "refused",
                reason=error.code.value,
                address=content.address,
                extra={
                    "token": token.id,
                    "package": token.package,
                    "key_hash": key_hash,
                    "owner_name": content.owner_name,
                    "resource_name": content.resource_name,
                    "host_name": content.host.hostname,
                },
            )
        )
        if copied:
            await self.incidents.insert(
                Incident(
                    id=derived_id(Noun.INCIDENT, token.id, key_hash),
                    kind=IncidentKind.TOKEN_USED_BY_ANOTHER_KEY,
                    created_at=self.now(),
                    seen_by=token.created_by,
                    token=token.id,
                    package=token.package,
                    key_hash=key_hash,
                    host_name=content.host.hostname,
                    resource_name=content.resource_name,
                    user_name=content.owner_name,
                    address=content.address,
                )
            )


def _as_seen(content: EnrolContent, approved: EnrolmentDocument | None) -> EnrolContent:
    """What is certified: of an approved machine what the person saw of it."""
    if approved is None:
        return content
    return content.model_copy(
        update={
            "owner": approved.owner,
            "owner_name": approved.owner_name,
            "resource_name": approved.resource_name,
            "platform": approved.platform,
            "host": approved.host,
        }
    )
