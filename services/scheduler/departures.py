"""An agent that leaves by its own word: the vault takes what only its machine knew, and then the agent is over.

    1. what it handed over     each version that the vault did not know and that opens; its account is then UNCERTAIN
    2. the rest                as for an agent that is revoked (`services.scheduler.revocations`)

The gateway alone cannot let an agent go this way: the word counts by the agent's own signature. Ended between the two,
it is done again: until the agent's document says that it left, its word is still believed.
"""

from dataclasses import dataclass
from functools import partial

import structlog

from libs.domain.accounts import Account
from libs.domain.state import Change, Generation, Version, VersionState
from libs.domain.trust import left
from libs.service.clock import Clock
from libs.store.agents import AgentDocuments
from libs.vault.open import Opener
from libs.wire.leaving import Held, Leaving
from libs.wire.reasons import Reason
from libs.wire.requests import LeaveContent, Request
from libs.wire.revocation import Revocation
from libs.wire.seal import CannotOpenError
from services.scheduler.ledger import Ledger, UnknownAccountError
from services.scheduler.pins import NotBelievedError
from services.scheduler.records import Records
from services.scheduler.revocations import Revocations
from services.scheduler.trusted import Agents

log = structlog.get_logger()

BECAUSE = "it was removed from its machine"


class _StrangerError(Exception):
    """The account is another machine's."""


@dataclass(frozen=True)
class Departures:
    """Lets agents go."""

    documents: AgentDocuments
    agents: Agents
    ledger: Ledger
    revocations: Revocations
    records: Records
    opener: Opener
    clock: Clock

    async def leave(self, request: Request, content: LeaveContent) -> Reason | None:
        """Why the agent stays, or None. Safe to repeat."""
        document = await self.documents.get(content.agent)
        if document is None or document.revoked_at is None:
            try:
                said = await self.agents.leaving(content.leaving, content.agent)
            except NotBelievedError as error:
                log.error("a last word is not believed", agent=content.agent, why=str(error))
                return Reason.REQUEST_NOT_TRUSTED
            for each in said.held:
                await self._take(said, each)
            record = partial(self.records.left, request, said.agent, said.resource, len(said.held))
            over = Revocation(agent=said.agent, revoked_at=self.clock.now(), reason=BECAUSE)
            await self.revocations.say(over, record, left=True)
        await self.revocations.end_work(content.agent)
        return None

    async def _take(self, said: Leaving, held: Held) -> None:
        try:
            self.opener.at_rest(held.sealed, held.account, held.generation)
            now = self.clock.now()
            version = Version(Generation.parse(held.generation), VersionState.OFFERED, now, held.sealed, now)
            await self.ledger.turn(held.account, partial(_left, resource=said.resource, version=version))
        except (CannotOpenError, UnknownAccountError, _StrangerError) as error:
            log.error("what an agent handed over does not count", account=held.account, why=str(error))


def _left(account: Account, *, resource: str, version: Version) -> Change:
    if account.resource != resource:
        raise _StrangerError(f"it is of {account.resource}")
    return left(account.rotation, recovered=(version,))
