"""What people asked for: a signed request becomes a flight on its account, or ends at once with its reason.

Safe to repeat from any point: the account tells whether the request is in flight already, the task document whether it
has ended.
"""

from dataclasses import dataclass
from functools import partial

import structlog

from libs.domain.accounts import Account
from libs.domain.deadlines import TASK
from libs.domain.errors import RuleError
from libs.domain.passwords import generate
from libs.domain.rotation import next_generation, request_adopt, request_reset, request_verify
from libs.domain.state import Change, End
from libs.service.clock import Clock
from libs.store.accounts import Accounts
from libs.store.requests import Requests
from libs.vault.open import Opener
from libs.vault.seal import VaultKeys
from libs.wire.envelope import Envelope
from libs.wire.events import (
    AgentChooseRequested,
    AgentForkReported,
    AgentLeaveReported,
    AgentRevokeRequested,
    TaskCancelRequested,
    TaskRequested,
)
from libs.wire.reasons import Reason
from libs.wire.requests import (
    AdoptContent,
    CancelContent,
    ChooseContent,
    ForkContent,
    LeaveContent,
    Request,
    ResetContent,
    RevokeAgentContent,
    TaskContent,
    VerifyContent,
)
from libs.wire.seal import CannotOpenError
from libs.wire.secret import Secret
from libs.wire.settable import why_not_settable
from libs.wire.steps import Step, step
from services.scheduler.departures import Departures
from services.scheduler.epochs import Epochs
from services.scheduler.forks import Forks
from services.scheduler.ledger import Ledger, UnknownAccountError
from services.scheduler.nonces import Nonces
from services.scheduler.offers import Offers
from services.scheduler.projection import Projection
from services.scheduler.revocations import Revocations
from services.scheduler.trusted import Agents, Gateway
from services.scheduler.withdrawals import Withdrawals

log = structlog.get_logger()


_BY_REQUEST = {
    each.TYPE: each
    for each in (
        TaskCancelRequested,
        AgentRevokeRequested,
        AgentLeaveReported,
        AgentForkReported,
        AgentChooseRequested,
    )
}
"""Messages that name a request which is no task."""


class _OvertakenError(Exception):
    """The account was turned since it was read; it is read again."""


@dataclass(frozen=True)
class Desk:
    """Takes requests from the gateway's desk."""

    requests: Requests
    accounts: Accounts
    gateway: Gateway
    agents: Agents
    ledger: Ledger
    offers: Offers
    withdrawals: Withdrawals
    revocations: Revocations
    departures: Departures
    forks: Forks
    projection: Projection
    opener: Opener
    keys: VaultKeys
    epochs: Epochs
    nonces: Nonces
    clock: Clock

    async def asked(self, envelope: Envelope) -> None:
        """A message that names a request.

        Raises:
            UnreadableError: another type, version or shape.
        """
        kind = _BY_REQUEST.get(envelope.type)
        await self.take(TaskRequested.read(envelope).task if kind is None else kind.read(envelope).request)

    async def take(self, key: str) -> None:
        """Carries out the request with this identifier, once."""
        document = await self.requests.get(key)
        if document is None:
            log.warning("a message names no request", request=key)
            return
        if document.taken:
            return
        try:
            request = self.gateway.request(document.signed, key)
        except RuleError as error:
            log.error("request not trusted", request=key, why=str(error))
            await self.requests.mark_taken(key, why=error.reason)
            return
        step(Step.SCHEDULER_REQUEST_CHECKED)
        await self.requests.mark_taken(key, why=await self._carry_out(request))
        step(Step.SCHEDULER_REQUEST_TAKEN)

    async def _carry_out(self, request: Request) -> Reason | None:
        """Why nothing was done where no task can say it, or None."""
        content = request.content
        if isinstance(content, CancelContent):
            return await self._cancel(request, content)
        if isinstance(content, RevokeAgentContent):
            return await self.revocations.revoke(request, content)
        if isinstance(content, LeaveContent):
            return await self.departures.leave(request, content)
        if isinstance(content, ForkContent):
            return await self.forks.quarantine(request, content)
        if isinstance(content, ChooseContent):
            await self.take(content.fork)  # the choice may have overtaken it
            return await self.forks.choose(request, content)
        if isinstance(content, TaskContent):
            await self._begin(request, content)
        else:
            log.error("a request of this kind does not lie on the desk", request=request.id, kind=content.kind)
        return None

    async def _begin(self, request: Request, content: TaskContent) -> None:
        try:
            account = await self._held(request, content)
        except RuleError as error:
            await self.projection.refused(request, error)
            return
        if account is None:
            return
        await self.projection.show(account)
        try:
            await self.offers.offer(account)
        except RuleError as error:
            # The account holds the request now. The sweep tries again, and its deadline ends it.
            log.warning("a request waits for an agent", request=request.id, why=str(error))

    async def _held(self, request: Request, content: TaskContent) -> Account | None:
        """The account, once the request holds it; None where it has ended.

        A message that came twice is worked on twice, also at the same moment: so whether the request has ended is asked
        after the account was read, and the account that is turned must still be the one that was read.
        """
        while True:
            before = await self.accounts.get(content.account)
            if before is None:
                raise UnknownAccountError(content.account)
            if not _holds(before, request.id):
                await self.agents.of_resource(before.resource)
                if await self.projection.ended(request.id):
                    return None
            epoch = 0 if isinstance(content, VerifyContent) else await self.epochs.next()
            rule = partial(self._flight, request=request, content=content, epoch=epoch, rev=before.rev)
            try:
                return await self.ledger.turn(content.account, rule)
            except _OvertakenError:
                log.info("an account was turned meanwhile", account=content.account, request=request.id)

    def _flight(self, account: Account, *, request: Request, content: TaskContent, epoch: int, rev: int) -> Change:
        r, now = account.rotation, self.clock.now()
        if _holds(account, request.id):
            return Change(r)
        if account.rev != rev:
            raise _OvertakenError
        if now > request.deadline:
            raise RuleError(Reason.REQUEST_TOO_LATE)
        deadline, nonce = min(request.deadline, now + TASK), self.nonces.fresh()
        if isinstance(content, VerifyContent):
            return request_verify(r, task=request.id, nonce=nonce, deadline=deadline, now=now)
        generation = next_generation(r, epoch)
        sealed = self.keys.seal_at_rest(self._secret(request, content), account.id, str(generation))
        if isinstance(content, AdoptContent):
            return request_adopt(
                r, task=request.id, generation=generation, sealed=sealed, nonce=nonce, deadline=deadline, now=now
            )
        return request_reset(
            r,
            task=request.id,
            generation=generation,
            sealed=sealed,
            nonce=nonce,
            deadline=deadline,
            now=now,
            unlock=content.unlock,
        )

    def _secret(self, request: Request, content: ResetContent | AdoptContent) -> Secret:
        if content.typed is None:
            return generate(content.policy)
        try:
            secret = self.opener.typed(content.typed, content.account, request.id)
        except CannotOpenError as error:
            raise RuleError(Reason.REQUEST_NOT_TRUSTED, str(error)) from error
        if why := why_not_settable(secret):
            raise RuleError(Reason.PASSWORD_NOT_SETTABLE, why)
        return secret

    async def _cancel(self, request: Request, content: CancelContent) -> Reason | None:
        """Takes a task back while no agent has it; afterwards the task goes on as if nobody had asked."""
        found = await self.projection.account_of(content.task)
        if found is None:
            await self.take(content.task)  # the cancel overtook what it cancels
            found = await self.projection.account_of(content.task)
        account = await self.accounts.get(found) if found else None
        flight = account.rotation.flight if account else None
        if account is None or flight is None or flight.task != content.task:
            return None
        # A cancel that came too late begins nothing, but one that had begun is brought to its end.
        if self.clock.now() > request.deadline and not await self.offers.is_withdrawn(flight):
            return Reason.REQUEST_TOO_LATE
        ended = await self.withdrawals.end_queued(account, End.CANCELLED, Reason.CANCELLED)
        return None if ended else Reason.ALREADY_AT_AGENT


def _holds(account: Account, task: str) -> bool:
    """Whether the account has this request in flight already, or has ended it."""
    flight = account.rotation.flight
    return (flight is not None and flight.task == task) or any(each.task == task for each in account.ended)
