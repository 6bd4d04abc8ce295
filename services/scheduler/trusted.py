"""What the scheduler believes: signed bytes and certificates under authorities that it has from files, never the store
around them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from libs.domain.errors import KeyturnError, RuleError
from libs.pki.check import AgentIdentity
from libs.pki.errors import NotTrustedError
from libs.store.certificates import Certificates
from libs.store.resources import Resources
from libs.wire.observations import Observation
from libs.wire.reasons import Reason
from libs.wire.requests import Request
from libs.wire.results import Result, said_by
from libs.wire.sign import BadSignatureError, Prefix, Signed, verify


class NotBelievedError(KeyturnError):
    """Signed by nobody that the scheduler knows, or not what it claims to be. Permanent: kept aside and told."""


@dataclass(frozen=True)
class Gateway:
    """The gateway's requests."""

    key: Ed25519PublicKey

    def signed(self, signed: Signed) -> Request:
        """The request in these bytes.

        Raises:
            RuleError: with `request_not_trusted`.
        """
        try:
            return Request.model_validate_json(verify(signed, Prefix.REQUEST, self.key))
        except (BadSignatureError, ValidationError) as error:
            raise RuleError(Reason.REQUEST_NOT_TRUSTED) from error

    def request(self, signed: Signed, key: str) -> Request:
        """The request, whose identifier must be the one it was asked by.

        Raises:
            RuleError: with `request_not_trusted`.
        """
        request = self.signed(signed)
        if request.id != key:
            raise RuleError(Reason.REQUEST_NOT_TRUSTED, f"the bytes are of {request.id}")
        return request


class Agents:
    """The agents' certificates, checked against the authority of agents before each use."""

    def __init__(
        self, certificates: Certificates, resources: Resources, check: Callable[[bytes], AgentIdentity]
    ) -> None:
        self._certificates, self._resources, self._check = certificates, resources, check

    async def of_resource(self, resource: str) -> AgentIdentity:
        """The agent that a resource's passwords may be sealed to.

        Raises:
            RuleError: with `no_agent`: none is active, or its certificate does not bind these keys to this resource.
        """
        found = await self._resources.get(resource)
        if found is None:
            raise RuleError(Reason.NO_AGENT)
        try:
            identity = await self.named(found.agent)
        except NotBelievedError as error:
            raise RuleError(Reason.NO_AGENT, str(error)) from error
        if identity.resource != resource:
            raise RuleError(Reason.NO_AGENT, f"{identity.agent} is certified for {identity.resource}")
        return identity

    async def named(self, agent: str) -> AgentIdentity:
        """The identity that the agent's active certificate proves.

        Raises:
            NotBelievedError: there is none.
        """
        certificate = await self._certificates.active(agent)
        if certificate is None:
            raise NotBelievedError(f"{agent} has no active certificate")
        try:
            identity = self._check(certificate.pem)
        except NotTrustedError as error:
            raise NotBelievedError(f"{agent}: {error}") from error
        if identity.agent != agent:
            raise NotBelievedError(f"the certificate of {agent} names {identity.agent}")
        return identity

    async def result(self, signed: Signed, agent: str) -> tuple[AgentIdentity, Result]:
        """What an agent said of a job.

        Raises:
            NotBelievedError: it did not sign this.
        """
        identity = await self.named(agent)
        try:
            return identity, said_by(agent, identity.public_key, signed)
        except BadSignatureError as error:
            raise NotBelievedError(f"not a result of {agent}: {error}") from error

    async def observation(self, signed: Signed, agent: str) -> tuple[AgentIdentity, Observation]:
        """What an agent saw.

        Raises:
            NotBelievedError: it did not sign this.
        """
        identity = await self.named(agent)
        try:
            seen = Observation.model_validate_json(verify(signed, Prefix.OBSERVATION, identity.public_key))
        except (BadSignatureError, ValidationError) as error:
            raise NotBelievedError(f"not an observation of {agent}: {error}") from error
        if (seen.agent, seen.resource) != (agent, identity.resource):
            raise NotBelievedError(f"{agent} signed for {seen.agent} on {seen.resource}")
        return identity, seen
