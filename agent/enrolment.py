"""The first contact: a token from the package, a certificate request from this host, and a certificate back.

Safe to repeat with the same key, so a lost answer costs nothing. Nothing is deleted until the certificate is kept.
"""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from agent.config import AgentConfig
from agent.host.facts import read_facts
from agent.identity import Enrolled, Identity, Keys
from agent.transport import Transport, TransportError
from agent.trust import Package
from libs.wire.agent_api import EnrolAnswer, EnrolRequest
from libs.wire.identity import agent_csr, read_identity
from libs.wire.observations import HostFacts
from libs.wire.requests import Platform

_NAME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"


class NoTokenError(Exception):
    """The package carries no token, so this machine cannot enrol. Permanent: install a newly downloaded package."""


class NotOursError(TransportError):
    """The certificate is not for this host's keys. It is asked for again."""

    code = "certificate_not_ours"


@dataclass(frozen=True)
class Enrolment:
    """Enrols this host."""

    config: AgentConfig
    package: Package
    identity: Identity
    transport: Transport
    version: str

    async def enrol(self) -> Enrolled:
        """What the server admitted this host as.

        Raises:
            NoTokenError: there is no token.
            TransportError: no answer, a refusal with its code, or a certificate for other keys or names.
        """
        token = self.package.token()
        if token is None:
            raise NoTokenError(f"{self.package.folder} holds no enrolment token; install a newly downloaded package")
        facts = host_facts()
        answer = await self.transport.send(
            "/agent/v1/enrol",
            EnrolRequest(
                token=token,
                user_name=self.config.user_name,
                resource_name=resource_name(self.config.resource_name or facts.hostname),
                platform=Platform.LINUX,
                csr=agent_csr(self.identity.keys.signing, self.identity.keys.sealing.public_key()),
                host=facts,
                agent_version=self.version,
            ),
            EnrolAnswer,
        )
        if not certifies(answer, self.identity.keys):
            raise NotOursError("the server answered with a certificate that is not for the keys of this host")
        return self.identity.admit(answer.agent, answer.resource, answer.certificate)


def certifies(answer: EnrolAnswer, keys: Keys) -> bool:
    """Whether the certificate binds these very keys to the names beside it.

    Who issued it is not asked: the authority may be a newer one than the package knows, and only scheduler and gateway
    rely on that. An agent that took another's certificate would be refused for good, under a name that is not its own.
    """
    try:
        certificate = x509.load_pem_x509_certificate(answer.certificate)
        named = read_identity(certificate.extensions)
    except ValueError:
        return False
    present = (certificate.public_key(), named.sealing_key, named.agent, named.resource)
    return present == (keys.signing.public_key(), keys.sealing.public_key(), answer.agent, answer.resource)


def host_facts(root: Path = Path("/")) -> HostFacts:
    """The machine's own words, as they travel."""
    facts = read_facts(root)
    return HostFacts(
        hostname=facts.hostname, system=facts.system, kernel=facts.kernel, machine=facts.machine, libc=facts.libc
    )


def resource_name(hostname: str) -> str:
    """A host name as a resource's name: what a name may not hold becomes a hyphen."""
    clean = "".join(letter if letter in _NAME else "-" for letter in hostname).strip("-._")
    return clean[:253] or "unnamed"
