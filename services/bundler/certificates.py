"""What the bundler certifies: an agent at its enrolment, and the gateway at its start."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from libs.pki.check import check_agent_certificate
from libs.pki.csr import AgentCsr
from libs.pki.errors import CsrInvalidError, NameInvalidError
from libs.pki.issue import Authority, issue_agent, issue_server
from libs.store.audit import Audit, AuditRecord, Who
from libs.store.certificates import Certificate, certificate_id
from libs.store.tokens import Use
from libs.wire.ids import Noun, derived_id
from libs.wire.requests import Certified, CertifyContent, EnrolContent, Request
from services.bundler.errors import Code, DeclinedError

_SERIAL_BYTES = 19


@dataclass(frozen=True)
class ServerCertificates:
    """The gateway's certificate."""

    authority: Authority
    audit: Audit
    days: int
    now: Callable[[], int]  # Unix milliseconds

    async def certify(self, request: Request, content: CertifyContent) -> Certified:
        """A certificate over the gateway's key for the names it listens by.

        Raises:
            DeclinedError: `csr_invalid` or `name_invalid`.
            StoreError: as `libs.store.errors` lists.
        """
        try:
            pem = issue_server(content.csr, content.names, self.authority, now=self.now(), days=self.days)
        except CsrInvalidError as error:
            raise DeclinedError(Code.CSR_INVALID, f"The certificate request is refused: {error}.") from error
        except NameInvalidError as error:
            raise DeclinedError(Code.NAME_INVALID, f"{error}.") from error
        await self.audit.append(
            AuditRecord(
                id=derived_id(Noun.AUDIT, "server.certify", request.id),
                at=self.now(),
                who=Who(id="gateway", name="gateway"),
                what="server.certify",
                extra={"names": list(content.names)},
            )
        )
        return Certified(certificate=pem)


def serial_of(token: str, key_hash: str) -> int:
    """The serial of the certificate that this key gets by this token: 152 bits, the same at each repeat."""
    digest = hashlib.sha256(f"keyturn/serial/1 {token} {key_hash}".encode()).digest()
    return int.from_bytes(digest[:_SERIAL_BYTES], "big") | 1


def first_certificate_id(token: str, use: Use) -> str:
    """Where the certificate of this use lies."""
    return certificate_id(use.agent, f"{serial_of(token, use.key_hash):x}")


def certify_agent(
    content: EnrolContent, csr: AgentCsr, token: str, use: Use, authority: Authority, *, now: int, seconds: int
) -> Certificate:
    """The document of an agent's first certificate, good for `seconds`. Pure but for the signature's randomness."""
    serial = serial_of(token, use.key_hash)
    pem = issue_agent(content.csr, use.agent, use.resource, authority, now=now, seconds=seconds, serial=serial)
    identity = check_agent_certificate(pem, authority.certificate, now=now)
    return Certificate(
        id=first_certificate_id(token, use),
        agent=use.agent,
        serial=identity.serial,
        resource=use.resource,
        resource_name=content.resource_name,
        platform=content.platform,
        owner=content.owner,
        owner_name=content.owner_name,
        pem=pem,
        key_hash=use.key_hash,
        sealing_key=csr.sealing_key.public_bytes_raw(),
        created_at=now,
        not_after=identity.not_after,
        token=token,
        host=content.host,
        address=content.address,
        agent_version=content.agent_version,
    )
