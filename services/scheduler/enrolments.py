"""A certified agent's machine becomes a resource, under the person that its enrolment named.

A machine whose name its owner has already is another machine until a person says otherwise: it is added under its name
with a part of its identifier, so that people can tell the two apart.
"""

from dataclasses import dataclass

import structlog

from libs.broker.ports import Broker
from libs.service.clock import Clock
from libs.store.certificates import Certificates
from libs.store.resources import Resource, Resources
from libs.wire.envelope import Envelope
from libs.wire.events import AgentEnrolled, ResourceChanged
from services.scheduler.pins import NotBelievedError
from services.scheduler.records import Records
from services.scheduler.takeovers import Takeovers
from services.scheduler.trusted import Agents

log = structlog.get_logger()

_TOLD_APART = 6
"""Letters of the identifier behind a name that is taken; more than two machines of one name are rare."""

_LONGEST_NAME = 253
_EVER = 2**53


@dataclass
class Enrolments:
    """Adds resources."""

    certificates: Certificates
    resources: Resources
    agents: Agents
    takeovers: Takeovers
    records: Records
    broker: Broker
    clock: Clock
    checked_until: int = 0

    async def enrolled(self, envelope: Envelope) -> None:
        """The bundler certified an agent."""
        await self.take(AgentEnrolled.read(envelope).agent)

    async def sweep(self, until: int) -> None:
        """Looks at every certificate made by `until` that no sweep of this process has seen: its message may be
        lost.
        """
        put_back = self.checked_until > until  # the clock was ahead: everything is looked at once more
        low, high = (0, _EVER) if put_back else (self.checked_until, until)
        found = await self.certificates.created(low, high)
        for certificate in found:
            resource = await self.resources.get(certificate.resource)
            if resource is None or resource.agent != certificate.agent:
                await self.take(certificate.agent)
        if found:
            self.checked_until = min(found[-1].created_at, until)

    async def take(self, agent: str) -> None:
        """Adds the agent's resource, unless it is there. An existing one is never taken over by a name or a message,
        but by a person's approval alone.
        """
        certificate = await self.certificates.active(agent)
        if certificate is None:
            log.warning("a message names no active certificate", agent=agent)
            return
        try:
            identity = await self.agents.named(agent)
        except NotBelievedError as error:
            log.error("a certificate does not count", agent=agent, why=str(error))
            return
        known = await self.resources.get(identity.resource)
        if known is not None:
            if known.agent != agent:
                await self.takeovers.take(known, identity)
            return
        now, name = self.clock.now(), await self._name(certificate.owner, certificate.resource_name, identity.resource)
        if name != certificate.resource_name:
            await self.records.named_apart(identity.resource, agent, asked=certificate.resource_name, name=name)
        added = await self.resources.insert(
            Resource(
                id=identity.resource,
                name=name,
                platform=certificate.platform,
                owner=certificate.owner,
                owner_name=certificate.owner_name,
                agent=agent,
                created_at=now,
                host=certificate.host,
                rev=1,
            )
        )
        if added:
            log.info("resource added", resource=identity.resource, agent=agent, owner=certificate.owner)
            await self.broker.notify(ResourceChanged(resource=identity.resource, rev=1).envelope(now))

    async def _name(self, owner: str, asked: str, resource: str) -> str:
        """The name that the machine asked for, or one by which people can tell it from the owner's other one."""
        if await self.resources.named(owner, asked) is None:
            return asked
        return f"{asked[: _LONGEST_NAME - _TOLD_APART - 1]}-{resource[-_TOLD_APART:]}"
