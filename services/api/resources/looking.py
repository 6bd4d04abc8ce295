"""Looking at a machine's accounts again, because somebody asked: the agent is woken, and told so when it fetches."""

import contextlib
from collections.abc import Callable
from dataclasses import replace

from libs.broker.ports import Broker
from libs.domain.errors import KeyturnError
from libs.store.presence import Presences
from libs.store.shares import Level
from libs.wire.events import AgentWake
from services.api.access import Access, Caller
from services.api.agents.views import AgentFacts
from services.api.errors import ConflictError


class Looking:
    """Asks agents. `clock` in Unix milliseconds."""

    def __init__(
        self, presences: Presences, facts: AgentFacts, access: Access, broker: Broker, clock: Callable[[], int]
    ) -> None:
        self._presences, self._facts, self._access = presences, facts, access
        self._broker, self._clock = broker, clock

    async def look_again(self, caller: Caller, key: str) -> None:
        """The agent looks at its next contact: within a second where its poll is held. Safe to repeat.

        Raises:
            NotThereError: the resource is not there, or somebody else's.
            NotAllowedError: the person may see it, and not use it.
            ConflictError: `no_agent`: it has none that is let in.
        """
        resource = await self._access.resource(caller, key, Level.USE)
        agent = (await self._facts.views([resource])).get(resource.id)
        if agent is None or agent.state != "active":
            raise ConflictError("This machine has no agent that could look.", "no_agent")
        before = await self._presences.get(resource.agent)
        if before is not None:  # an agent that never called looks at its first contact anyway
            await self._presences.contact(replace(before, look_asked=self._clock()))
            with contextlib.suppress(KeyturnError):  # a hint, and its next session asks it too
                await self._broker.notify(AgentWake(agent=resource.agent).envelope(self._clock()))
