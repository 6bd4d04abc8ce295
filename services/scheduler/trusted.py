"""What the scheduler believes: signed bytes and certificates under authorities that it has from files, never the store
around them.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from libs.domain.errors import RuleError
from libs.pki.check import AgentIdentity, Standing
from libs.store.resources import Resources
from libs.wire.leaving import Leaving, read_leaving
from libs.wire.observations import Observation
from libs.wire.reasons import Reason
from libs.wire.requests import Request
from libs.wire.results import Result, said_by
from libs.wire.seal import key_id
from libs.wire.sign import BadSignatureError, Prefix, Signed, verify
from services.scheduler.pins import NotBelievedError, Pins


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

    def __init__(self, pins: Pins, resources: Resources) -> None:
        self._pins, self._resources = pins, resources

    async def of_resource(self, resource: str) -> AgentIdentity:
        """The agent of a resource.

        Raises:
            RuleError: with `no_agent`: none is active, or its certificate does not bind these keys to this resource;
                with `account_quarantined`: two machines have its identity.
        """
        found = await self._resources.get(resource)
        if found is None:
            raise RuleError(Reason.NO_AGENT)
        try:
            (identity, *_), quarantined = await self._pins.standing(found.agent)
        except NotBelievedError as error:
            raise RuleError(Reason.NO_AGENT, str(error)) from error
        if identity.resource != resource:
            raise RuleError(Reason.NO_AGENT, f"{identity.agent} is certified for {identity.resource}")
        if quarantined:
            raise RuleError(Reason.ACCOUNT_QUARANTINED)
        return identity

    async def to_seal_to(self, resource: str) -> AgentIdentity:
        """The agent that a resource's passwords are sealed to now.

        Raises:
            RuleError: with `no_agent`, also where it has yet to renew a certificate of a retired authority.
        """
        identity = await self.of_resource(resource)
        if identity.standing is Standing.RETIRED:
            raise RuleError(Reason.NO_AGENT, f"{identity.agent} has yet to renew a certificate of a retired authority")
        return identity

    async def named(self, agent: str) -> AgentIdentity:
        """The identity of the pair that the agent has now.

        Raises:
            NotBelievedError: there is none.
        """
        return (await self._pins.line(agent))[0]

    async def _signer(self, signed: Signed, agent: str) -> AgentIdentity:
        """The identity whose key this names: the agent's present one, or the one before."""
        line, quarantined = await self._pins.standing(agent)
        if quarantined:
            raise NotBelievedError(f"two machines are {agent}")
        return next((each for each in line if key_id(each.public_key) == signed.key), line[0])

    async def result(self, signed: Signed, agent: str) -> tuple[AgentIdentity, Result]:
        """What an agent said of a job.

        Raises:
            NotBelievedError: it did not sign this.
        """
        identity = await self._signer(signed, agent)
        try:
            return identity, said_by(agent, identity.public_key, signed)
        except BadSignatureError as error:
            raise NotBelievedError(f"not a result of {agent}: {error}") from error

    async def leaving(self, signed: Signed, agent: str) -> Leaving:
        """An agent's last word.

        Raises:
            NotBelievedError: it did not sign this, or two machines have its keys.
        """
        identity = await self._signer(signed, agent)
        try:
            return read_leaving(signed, agent, identity.resource, identity.public_key)
        except BadSignatureError as error:
            raise NotBelievedError(f"not a last word of {agent}: {error}") from error

    async def observation(self, signed: Signed, agent: str) -> tuple[AgentIdentity, Observation]:
        """What an agent saw.

        Raises:
            NotBelievedError: it did not sign this.
        """
        identity = await self._signer(signed, agent)
        try:
            seen = Observation.model_validate_json(verify(signed, Prefix.OBSERVATION, identity.public_key))
        except (BadSignatureError, ValidationError) as error:
            raise NotBelievedError(f"not an observation of {agent}: {error}") from error
        if (seen.agent, seen.resource) != (agent, identity.resource):
            raise NotBelievedError(f"{agent} signed for {seen.agent} on {seen.resource}")
        return identity, seen
