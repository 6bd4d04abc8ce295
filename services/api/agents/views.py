"""What certificates and presence tell of agents."""

from collections.abc import Iterable

from libs.store.certificates import Certificate, Certificates
from libs.store.presence import Presence, Presences
from libs.store.resources import Resource
from services.api.agents.schemas import AgentView
from services.api.fields import Ref
from services.api.resources.schemas import AgentBrief


class AgentFacts:
    """Reads what is known of the agents of some resources."""

    def __init__(self, certificates: Certificates, presences: Presences) -> None:
        self._certificates, self._presences = certificates, presences

    async def views(self, resources: Iterable[Resource]) -> dict[str, AgentView]:
        """By the resource's identifier; a resource whose agent has no certificate is left out."""
        found: dict[str, AgentView] = {}
        wanted = list(resources)
        heard = {each.id: each for each in await self._presences.get_many(each.agent for each in wanted)}
        for resource in wanted:
            certificates = await self._certificates.of_agent(resource.agent)
            if certificates:
                found[resource.id] = _view(resource, certificates[0], heard.get(resource.agent))
        return found


def _view(resource: Resource, certificate: Certificate, presence: Presence | None) -> AgentView:
    return AgentView(
        id=resource.agent,
        resource=Ref(id=resource.id, name=resource.name),
        state=certificate.state.value,
        version=certificate.agent_version if presence is None else presence.version or certificate.agent_version,
        last_seen=None if presence is None else presence.last_seen,
        enrolled_at=certificate.created_at,
        expires_at=certificate.not_after,
    )


def brief(agent: AgentView | None) -> AgentBrief | None:
    """The agent as its resource shows it."""
    if agent is None:
        return None
    return AgentBrief(id=agent.id, state=agent.state, version=agent.version, last_seen=agent.last_seen)
