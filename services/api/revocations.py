"""Which agents are revoked: by the scheduler's document, or by a person's request that the scheduler has not taken yet.

Both are read for each signed request of an agent, so a revocation holds from the next one, also while broker or
scheduler are away. Only the scheduler's statement makes an agent drop its identity; until there is one it is refused
without.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from libs.store.agents import AgentDocument, AgentDocuments
from libs.store.requests import RequestDocument, Requests
from libs.wire.revocation import Revocation, request_of
from libs.wire.sign import Signed


@dataclass(frozen=True, slots=True)
class Revoked:
    """Since when, Unix milliseconds, and the statement once there is one."""

    at: int
    statement: Signed | None
    left: bool = False
    """By the agent's own word."""

    @property
    def reason(self) -> str:
        """Why, as far as the scheduler has said it."""
        return "" if self.statement is None else Revocation.model_validate_json(self.statement.payload).reason


class Revocations:
    """Reads them."""

    def __init__(self, documents: AgentDocuments, requests: Requests) -> None:
        self._documents, self._requests = documents, requests

    async def of(self, agent: str) -> Revoked | None:
        """The agent's revocation, if it is revoked."""
        return (await self.standing(agent))[1]

    async def standing(self, agent: str) -> tuple[AgentDocument | None, Revoked | None]:
        """What the scheduler says of the agent, and its revocation, if it is revoked."""
        document, request = await asyncio.gather(self._documents.get(agent), self._requests.get(request_of(agent)))
        return document, _revoked(document, request)

    async def standings(self, agents: Iterable[str]) -> dict[str, tuple[AgentDocument | None, Revoked | None]]:
        """The same of several, by the agent."""
        wanted = set(agents)
        documents = {each.id: each for each in await self._documents.get_many(sorted(wanted))}
        requests = {each.id: each for each in await self._requests.get_many(sorted(map(request_of, wanted)))}
        return {
            each: (documents.get(each), _revoked(documents.get(each), requests.get(request_of(each))))
            for each in wanted
        }


def _revoked(document: AgentDocument | None, request: RequestDocument | None) -> Revoked | None:
    if document is not None and document.revoked_at is not None:
        return Revoked(document.revoked_at, document.revoked, left=document.left_at is not None)
    if request is not None and request.why is None:  # otherwise the scheduler did not trust it
        return Revoked(request.created_at, None)
    return None
