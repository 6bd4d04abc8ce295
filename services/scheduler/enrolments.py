"""A certified agent's machine becomes a resource, under the person that its enrolment named."""

from dataclasses import dataclass

import structlog

from libs.broker.ports import Broker
from libs.service.clock import Clock
from libs.store.certificates import Certificates
from libs.store.resources import Resource, Resources
from libs.wire.envelope import Envelope
from libs.wire.events import AgentEnrolled, ResourceChanged
from services.scheduler.trusted import Agents, NotBelievedError

log = structlog.get_logger()


@dataclass
class Enrolments:
    """Adds resources."""

    certificates: Certificates
    resources: Resources
    agents: Agents
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
        found = await self.certificates.created(self.checked_until, until)
        for certificate in found:
            if await self.resources.get(certificate.resource) is None:
                await self.take(certificate.agent)
        if found:
            self.checked_until = found[-1].created_at

    async def take(self, agent: str) -> None:
        """Adds the agent's resource, unless it is there. An existing resource is never taken over by a name or a
        message.
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
        now = self.clock.now()
        added = await self.resources.insert(
            Resource(
                id=identity.resource,
                name=certificate.resource_name,
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
