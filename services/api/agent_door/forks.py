"""Whether the machine that signs is the one that signed before (`libs.domain.forks`), and what follows where it is not.

What was heard lies in the gateways' own database, one document an agent, turned by compare-and-set. A fork is told to
the scheduler by a signed request before it is written there, so that a gateway that dies between the two tells it again
at the next request. From then on both machines are refused; the one that a person chose may open a session and renew
its keys, and gets no mail before the scheduler has ended the older ones.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from libs.domain.forks import Runs, Side, Verdict, heard
from libs.store.agents import AgentDocument
from libs.store.requests import RequestDocument, Requests
from libs.store.runs import RunsDocument, RunsDocuments
from libs.store.schema import CollectionName
from libs.wire.agent_api import Run
from libs.wire.events import AgentForkReported
from libs.wire.ids import Noun, derived_id
from libs.wire.requests import ForkContent, ForkSide
from services.api.errors import AgentRefusedError
from services.api.nudge import Nudge
from services.api.signing import FOR_GOOD, Signer

_SIDES = 8
_QUARANTINED = (
    "Two machines use this agent's identity, so nothing is sent to either until an administrator chooses one:"
    " keyturn agents choose"
)
_REFUSED = {
    Verdict.OVER: (
        "This run of the agent was copied, or put back, while it ran. It begins another one.",
        "run_over",
    ),
    Verdict.LATE: (
        "Another run of this agent began after this request was made, so it does not count.",
        "request_late",
    ),
    Verdict.FORK: (_QUARANTINED, "agent_quarantined"),
}


@dataclass(frozen=True, slots=True)
class Passed:
    """A request that counts: whether mail may go out for it, and whether its sender must have other keys first."""

    mail: bool = True
    must_renew: bool = False


@dataclass(frozen=True, slots=True)
class Spoken:
    """A signed request whose signature counts, and what is known of who made it."""

    agent: str
    run: Run | None
    signed_at: int  # by the signature, Unix milliseconds
    address: str
    key: str  # the hash of the key that made it
    answered: bool  # it asks what only follows from an answer
    document: AgentDocument | None  # what the scheduler says of the agent


class Forks:
    """Hears runs. `clock` in Unix milliseconds; `void` and `dismiss` end an agent's polls at this gateway."""

    def __init__(
        self,
        runs: RunsDocuments,
        requests: Requests,
        *,
        signer: Signer,
        nudge: Nudge,
        clock: Callable[[], int],
        void: Callable[[str], None],
        dismiss: Callable[[str], None],
    ) -> None:
        self._runs, self._requests, self._signer, self._nudge, self._clock = runs, requests, signer, nudge, clock
        self._void, self._dismiss = void, dismiss

    async def heard(self, spoken: Spoken) -> Passed:
        """Passes a request whose signature counts.

        Raises:
            AgentRefusedError: `agent_quarantined`, `run_over`, `request_late`.
        """
        while True:
            found = await self._runs.get(spoken.agent)
            before = found or RunsDocument(id=spoken.agent)
            if spoken.run is None and (before.fork is None or _settled(before, spoken.document)):
                return Passed()  # an older agent, which does not say in which run it is
            after, passed, refused = await self._turned(before, spoken)
            if after == before or await self._saved(found, after):
                if after.fork is not None and before.fork is None:
                    self._void(spoken.agent)
                    self._dismiss(spoken.agent)
                if refused is not None:
                    raise refused
                return passed

    async def _saved(self, found: RunsDocument | None, after: RunsDocument) -> bool:
        if found is None:
            return await self._runs.insert(after)
        return await self._runs.save(found, replace(after, rev=found.rev + 1))

    async def _turned(
        self, before: RunsDocument, spoken: Spoken
    ) -> tuple[RunsDocument, Passed, AgentRefusedError | None]:
        run, now = spoken.run, self._clock()
        if run is None:
            return before, Passed(), AgentRefusedError(_QUARANTINED, "agent_quarantined")
        side = Side(run.id, run.boot, run.host_name, spoken.address, now, now)
        if before.fork is not None:
            if not _settled(before, spoken.document):
                return self._quarantined(before, side, spoken)
            return replace(before, runs=Runs(side, run.count), fork=None, sides=()), Passed(), None
        verdict, runs = heard(before.runs, side, count=run.count, signed_at=spoken.signed_at, answered=spoken.answered)
        after = replace(before, runs=runs)
        if verdict is Verdict.FORK:
            sides = (runs.newest, side)
            after = replace(after, fork=await self._tell(before.id, sides), sides=sides)
        refused = _REFUSED.get(verdict)
        return after, Passed(mail=not runs.holds(now)), refused and AgentRefusedError(*refused)

    def _quarantined(
        self, before: RunsDocument, side: Side, spoken: Spoken
    ) -> tuple[RunsDocument, Passed, AgentRefusedError | None]:
        """Both are refused, and seen; the chosen one may go as far as other keys."""
        known = {each.run: each for each in before.sides}
        known[side.run] = replace(side, since=known.get(side.run, side).since)
        after, document = replace(before, sides=tuple(known.values())[-_SIDES:]), spoken.document
        if document is None or document.fork != before.fork or document.chosen != side.run:
            return after, Passed(), AgentRefusedError(_QUARANTINED, "agent_quarantined")
        return after, Passed(mail=False, must_renew=spoken.key == document.quarantined_key), None

    async def _tell(self, agent: str, sides: tuple[Side, ...]) -> str:
        """The request by which the scheduler learns of it; the same one for the same runs."""
        name = derived_id(Noun.REQUEST, "fork", agent, *sorted(each.run for each in sides))
        told = tuple(
            ForkSide(run=each.run, boot=each.boot, host_name=each.host_name, address=each.address, last=each.last)
            for each in sides
        )
        request, signed = self._signer.request(
            ForkContent(agent=agent, sides=told), name=name, person=None, lifetime=FOR_GOOD
        )
        await self._requests.insert(
            RequestDocument(id=name, signed=signed, created_at=request.issued_at),
            AgentForkReported(request=name).envelope(request.issued_at),
        )
        self._nudge(CollectionName.REQUESTS, name)
        return name


def _settled(before: RunsDocument, document: AgentDocument | None) -> bool:
    """Whether the scheduler has ended the quarantine of this very fork."""
    return document is not None and document.fork == before.fork and document.quarantined_at is None
