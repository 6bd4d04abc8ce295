"""The first contact: a token from the package, a certificate request from this host, and a certificate back.

Safe to repeat with the same key, so a lost answer costs nothing. Nothing is deleted until the certificate is kept.
"""

from dataclasses import dataclass
from pathlib import Path

from agent.config import AgentConfig
from agent.host.facts import read_facts
from agent.identity import Enrolled, Identity
from agent.transport import Transport
from agent.trust import Package
from libs.wire.agent_api import EnrolAnswer, EnrolRequest
from libs.wire.identity import agent_csr
from libs.wire.observations import HostFacts
from libs.wire.requests import Platform

_NAME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"


class NoTokenError(Exception):
    """The package carries no token, so this machine cannot enrol. Permanent: install a newly downloaded package."""


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
            TransportError: no answer, or a refusal with its code.
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
        return self.identity.admit(answer.agent, answer.resource, answer.certificate)


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
