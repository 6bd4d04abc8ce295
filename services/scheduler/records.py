"""The scheduler's audit: durable before an offer or a secret leaves (invariant I8). A record's identifier is derived,
so a repeat meets itself.
"""

from dataclasses import dataclass
from typing import Any

from libs.domain.accounts import Account
from libs.domain.state import Flight
from libs.service.clock import Clock
from libs.store.agents import AgentDocument
from libs.store.audit import Audit, AuditRecord, Who
from libs.store.resources import Resource
from libs.wire.ids import Noun, derived_id
from libs.wire.requests import ChooseContent, ForkContent, HandOverContent, Person, Request, RevealContent


@dataclass(frozen=True)
class Records:
    """Writes audit records."""

    audit: Audit
    clock: Clock

    async def offered(self, account: Account, flight: Flight, agent: str) -> None:
        """A job is about to lie in an agent's mailbox."""
        await self.audit.append(
            AuditRecord(
                id=derived_id(Noun.AUDIT, "offered", flight.task, flight.nonce),
                at=self.clock.now(),
                who=Who(id="scheduler", name="scheduler"),
                what=f"{flight.kind}.offered",
                account=account.id,
                resource=account.resource,
                task=flight.task,
                outcome="offered",
                extra={"agent": agent, "generation": str(flight.generation)},
            )
        )

    async def taken_over(self, resource: Resource, agent: str, approval: Request) -> None:
        """A known resource is about to get another agent, as a person approved."""
        person = approval.person
        await self.audit.append(
            AuditRecord(
                id=derived_id(Noun.AUDIT, "taken_over", resource.id, agent, approval.id),
                at=self.clock.now(),
                who=None if person is None else Who(id=person.id, name=person.name),
                what="resource.taken_over",
                resource=resource.id,
                outcome="approved",
                address="" if person is None else person.address,
                extra={"name": resource.name, "agent": agent, "agent_before": resource.agent, "approval": approval.id},
            )
        )

    async def handed_over(self, resource: Resource, content: HandOverContent, request: Request, person: Person) -> None:
        """A resource is about to have another owner."""
        await self.audit.append(
            AuditRecord(
                id=derived_id(Noun.AUDIT, "handed_over", resource.id, request.id),
                at=self.clock.now(),
                who=Who(id=person.id, name=person.name),
                what="resource.handed_over",
                resource=resource.id,
                outcome="done",
                address=person.address,
                extra={
                    "name": resource.name,
                    "owner": content.owner_name,
                    "owner_before": resource.owner_name,
                    "via": person.via,
                },
            )
        )

    async def revoked(self, agent: str, request: Request, person: Person, reason: str) -> None:
        """An agent is about to be revoked."""
        await self.audit.append(
            AuditRecord(
                id=derived_id(Noun.AUDIT, "agent.revoke", agent, request.id),
                at=self.clock.now(),
                who=Who(id=person.id, name=person.name),
                what="agent.revoke",
                resource=request.resource,
                outcome="revoked",
                reason=reason,
                address=person.address,
                extra={"agent": agent, "via": person.via},
            )
        )

    async def left(self, request: Request, agent: str, resource: str, versions: int) -> None:
        """An agent is about to be let go by its own word, with so many versions from its escrow."""
        await self.audit.append(
            AuditRecord(
                id=derived_id(Noun.AUDIT, "agent.leave", agent, request.id),
                at=self.clock.now(),
                who=Who(id=agent, name="its agent"),
                what="agent.leave",
                resource=resource,
                outcome="left",
                extra={"agent": agent, "versions_handed_over": versions},
            )
        )

    async def forked(self, content: ForkContent, request: Request, resource: Resource | None) -> None:
        """An agent is about to be quarantined."""
        sides = [f"{each.host_name} {each.address} {each.run}" for each in content.sides]
        await self._of_agent("agent.quarantine", request.id, content.agent, resource, extra={"machines": sides})

    async def chosen(self, content: ChooseContent, request: Request, person: Person) -> None:
        """A person chose one of two machines."""
        await self.audit.append(
            AuditRecord(
                id=derived_id(Noun.AUDIT, "agent.choose", request.id),
                at=self.clock.now(),
                who=Who(id=person.id, name=person.name),
                what="agent.choose",
                resource=request.resource,
                outcome="chosen",
                reason=content.reason,
                address=person.address,
                extra={"agent": content.agent, "run": content.run, "via": person.via},
            )
        )

    async def released(self, document: AgentDocument, key: str, resource: Resource | None) -> None:
        """The chosen machine has other keys: the quarantine is about to end, and every older key with it."""
        extra = {"run": document.chosen, "key_hash": key}
        await self._of_agent("agent.release", str(document.fork), document.id, resource, extra=extra)

    async def _of_agent(
        self, what: str, name: str, agent: str, resource: Resource | None, *, extra: dict[str, Any]
    ) -> None:
        await self.audit.append(
            AuditRecord(
                id=derived_id(Noun.AUDIT, what, name, agent),
                at=self.clock.now(),
                who=Who(id="scheduler", name="scheduler"),
                what=what,
                resource=None if resource is None else resource.id,
                extra={"agent": agent} | extra,
            )
        )

    async def named_apart(self, resource: str, agent: str, *, asked: str, name: str) -> None:
        """A new machine asked for a name that its owner has already."""
        await self.audit.append(
            AuditRecord(
                id=derived_id(Noun.AUDIT, "named_apart", resource),
                at=self.clock.now(),
                who=Who(id="scheduler", name="scheduler"),
                what="resource.named_apart",
                resource=resource,
                extra={"agent": agent, "asked": asked, "name": name},
            )
        )

    async def revealed(
        self, request: Request, content: RevealContent, person: Person, account: Account, generations: list[str]
    ) -> None:
        """Passwords are about to leave, sealed to the asking person's key."""
        await self._reveal(
            request, content, person, account, outcome="revealed", extra={"generations": ", ".join(generations)}
        )

    async def reveal_declined(
        self, request: Request, content: RevealContent, person: Person, account: Account, why: str
    ) -> None:
        """A reveal was declined."""
        await self._reveal(request, content, person, account, outcome="declined", extra={"why": why})

    async def _reveal(
        self,
        request: Request,
        content: RevealContent,
        person: Person,
        account: Account,
        *,
        outcome: str,
        extra: dict[str, str],
    ) -> None:
        await self.audit.append(
            AuditRecord(
                id=derived_id(Noun.AUDIT, "reveal", request.id, outcome),
                at=self.clock.now(),
                who=Who(id=person.id, name=person.name),
                what="account.reveal",
                account=account.id,
                resource=account.resource,
                outcome=outcome,
                reason=content.reason,
                address=person.address,
                extra=extra | {"via": person.via, "sealed_to": "the gateway" if content.gateway_key else "the person"},
            )
        )
