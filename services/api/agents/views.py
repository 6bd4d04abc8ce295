"""What certificates, revocations and presence tell of agents."""

from collections.abc import Iterable
from typing import NamedTuple

from libs.domain.forks import Side
from libs.store.agents import AgentDocument
from libs.store.certificates import Certificate, Certificates, CertificateState
from libs.store.presence import Presence, Presences, SaidTrouble
from libs.store.resources import Resource
from libs.store.runs import RunsDocument, RunsDocuments
from libs.wire.reasons import UPGRADES
from libs.wire.troubles import remedy_of
from services.api.agents.schemas import AgentView, MachineView, SaidView, UpgradeView
from services.api.fields import Ref
from services.api.resources.schemas import AgentBrief
from services.api.revocations import Revocations, Revoked


class AgentFacts:
    """Reads what is known of agents."""

    def __init__(
        self, certificates: Certificates, presences: Presences, revocations: Revocations, runs: RunsDocuments
    ) -> None:
        self._certificates, self._presences = certificates, presences
        self._revocations, self._runs = revocations, runs

    async def views(self, resources: Iterable[Resource]) -> dict[str, AgentView]:
        """The agents of some resources, by the resource's identifier; one without a certificate is left out."""
        found: dict[str, AgentView] = {}
        wanted = list(resources)
        heard = {each.id: each for each in await self._presences.get_many(each.agent for each in wanted)}
        standings = await self._revocations.standings(each.agent for each in wanted)
        runs = {each.id: each for each in await self._runs.get_many(each.agent for each in wanted)}
        for resource in wanted:
            certificates, agent = await self._certificates.of_agent(resource.agent), resource.agent
            if certificates:
                known = _Known(heard.get(agent), *standings[agent], runs.get(agent))
                found[resource.id] = _view(certificates[0], resource.name, known)
        return found

    async def briefs(self, resources: Iterable[Resource]) -> dict[str, AgentBrief]:
        """The agents of some resources in short, by the resource's identifier: a few questions, however many they are.

        A certificate is read of those alone that have not called yet, since only it tells their version.
        """
        wanted = {each.agent: each for each in resources}
        heard = {each.id: each for each in await self._presences.get_many(wanted)}
        standings = await self._revocations.standings(wanted)
        runs = {each.id: each for each in await self._runs.get_many(wanted)}
        found: dict[str, AgentBrief] = {}
        for agent, resource in wanted.items():
            known = _Known(heard.get(agent), *standings[agent], runs.get(agent))
            seen = known.presence
            if seen is not None and seen.version:
                state = known.state(CertificateState.ACTIVE)
                found[resource.id] = AgentBrief(id=agent, state=state, version=seen.version, last_seen=seen.last_seen)
            elif certificates := await self._certificates.of_agent(agent):
                found[resource.id] = brief(_view(certificates[0], resource.name, known))
        return found

    async def one(self, certificate: Certificate, resource: Resource | None) -> AgentView:
        """The agent of a certificate, also where it is not, or not any more, the one of its resource."""
        name = certificate.resource_name if resource is None else resource.name
        agent = certificate.agent
        standing = await self._revocations.standing(agent)
        known = _Known(await self._presences.get(agent), *standing, await self._runs.get(agent))
        return _view(certificate, name, known)


class _Known(NamedTuple):
    presence: Presence | None
    document: AgentDocument | None
    revoked: Revoked | None
    runs: RunsDocument | None

    @property
    def sides(self) -> tuple[Side, ...]:
        """The machines that use the identity, while that is open."""
        return () if self.runs is None or self.runs.fork is None or self.revoked is not None else self.runs.sides

    def state(self, certified: CertificateState) -> str:
        """As people read it; `certified` where nothing else is known."""
        if self.revoked is not None:
            return "left" if self.revoked.left else CertificateState.REVOKED.value
        return "quarantined" if self.sides else certified.value


def _view(certificate: Certificate, name: str, known: _Known) -> AgentView:
    presence, document, revoked, runs = known
    chosen = document.chosen if document is not None and runs is not None and document.fork == runs.fork else None
    return AgentView(
        id=certificate.agent,
        resource=Ref(id=certificate.resource, name=name),
        state=known.state(certificate.state),
        version=certificate.agent_version if presence is None else presence.version or certificate.agent_version,
        last_seen=None if presence is None else presence.last_seen,
        clock_skew_seconds=None if presence is None else presence.skew,
        said=tuple(_said(each) for each in presence.said) if presence is not None else (),
        enrolled_at=certificate.created_at,
        expires_at=certificate.not_after,
        revoked_at=None if revoked is None else revoked.at,
        upgrade=None if presence is None or revoked is not None else _upgrade(presence),
        machines=tuple(
            MachineView(
                run=each.run,
                host_name=each.host_name,
                address=each.address,
                starts=each.boot,
                since=each.since,
                last_seen=each.last,
                chosen=each.run == chosen,
            )
            for each in known.sides
        ),
        revoked_because=None if revoked is None else revoked.reason,
    )


def _said(each: SaidTrouble) -> SaidView:
    return SaidView(
        code=each.code,
        sentence=each.sentence,
        remedy=remedy_of(each.code),
        first_at=each.first_at,
        last_at=each.last_at,
        times=each.times,
    )


def _upgrade(presence: Presence) -> UpgradeView | None:
    if presence.upgrade is None:
        return None
    known = {code.value: said for code, said in UPGRADES.items()}
    happened, following = known.get(presence.upgrade_code, ("A newer agent says why.", "Update the server."))
    return UpgradeView(
        release=presence.upgrade,
        code=presence.upgrade_code,
        happened=happened,
        next=following,
        detail=presence.upgrade_detail,
    )


def brief(agent: AgentView) -> AgentBrief:
    """The agent as its resource shows it."""
    return AgentBrief(id=agent.id, state=agent.state, version=agent.version, last_seen=agent.last_seen)
