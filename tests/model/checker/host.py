"""The host's disk, the agent on it, and what both may do: the agent's decisions are `moves`.

A comparison with all that belongs to it is one step: its one durable effect, the fence, comes first. A reset is four:
INTENT is journalled; the tool sets the password, or the host refuses; it is compared and the end is journalled. Between
any two the agent may be killed, and its tool may live on.
"""

from collections.abc import Iterator
from typing import NamedTuple

from libs.domain.moves import Entry, Look, Move
from libs.domain.state import NONE, Generation
from libs.wire.results import ResetAnswer, VerifyAnswer
from tests.model.checker.bounds import Kind
from tests.model.checker.messages import Answer, Job
from tests.model.checker.names import FOREIGN, ORIGINAL
from tests.model.checker.rules import Journalled, Rules


class Host(NamedTuple):
    """What is on the disk, and the two things that are not: the work in hand, and a tool that nobody waits for."""

    password: str = ORIGINAL
    mark: Generation = NONE
    last: Journalled = None
    before: str = ORIGINAL  # what was live when the newest intent was journalled
    escrow: frozenset[tuple[Generation, str]] = frozenset()
    working: Job | None = None
    late: str | None = None


class Act(NamedTuple):
    """A step of the host: how it is told, what it leaves, what it answers, and of which kind of bad luck it is."""

    label: str
    after: Host
    answer: Answer | None = None
    kind: Kind | None = None
    nobodys: bool = False  # it may never happen, and nothing waits for it


def take(host: Host, job: Job, rules: Rules) -> Iterator[Act]:
    """What the agent may do with a job that it has just been given, or given again."""
    if host.working is not None:
        return
    yield from _reset(host, job, rules) if job.resets else _compare(host, job, rules)


def go_on(host: Host, rules: Rules) -> Iterator[Act]:
    """What goes on by itself: the work in hand, and a tool left by a killed agent."""
    job = host.working
    if job is not None:
        if host.password == job.password:
            done = host._replace(last=(job.generation, Entry.APPLIED), working=None)
            act = Act(f"agent: {job.generation} compared live, APPLIED", done, _said(job, ResetAnswer.APPLIED, host))
            yield act
            yield _disturbed(act, rules)
        else:
            yield Act(f"host: sets {job.generation}", host._replace(password=job.password))
            refused = _not_live(host, job, rules)
            yield refused._replace(label=f"host: refuses {job.generation}; {refused.label}", kind=Kind.REFUSALS)
    if host.late is not None:
        if job is None:
            yield Act("agent: ends the tool that was left", host._replace(late=None))
        after = host._replace(password=host.late, late=None)
        yield Act(f"host: the tool that was left sets {host.late!r}", after, nobodys=True)


def faults(host: Host) -> Iterator[Act]:
    """What may go wrong on the host without anybody's asking."""
    job = host.working
    if job is not None:
        dead = host._replace(working=None)
        yield Act("FAULT: the agent is killed", dead, kind=Kind.KILLS)
        if host.password != job.password:
            left = dead._replace(late=job.password)
            yield Act("FAULT: the agent is killed, its tool lives on", left, kind=Kind.KILLS)
            unknown = _said(job, ResetAnswer.UNKNOWN)
            yield Act("FAULT: the tool outlasts the agent's patience", left, unknown, Kind.KILLS)
    if host.password != FOREIGN:
        yield Act("FAULT: somebody sets another password", host._replace(password=FOREIGN), kind=Kind.CHANGES)


def _reset(host: Host, job: Job, rules: Rules) -> Iterator[Act]:
    move = rules.decide(host.mark, host.last, job.generation)
    if move is Move.STALE:
        yield Act(f"agent: {job.generation} is stale", host, _said(job, ResetAnswer.UNKNOWN))
    elif move is Move.APPLY:
        unbegun = host._replace(mark=rules.fenced_unbegun(host.mark, job.generation))
        refused = _said(job, ResetAnswer.REFUSED)
        if rules.reaps and host.late is not None:
            yield Act(f"agent: a tool is still at work, refuses {job.generation}", unbegun, refused)
            return
        yield Act(f"agent: too late or too busy for {job.generation}, refuses", unbegun, refused, Kind.REFUSALS)
        journal = host._replace(mark=job.generation, last=(job.generation, Entry.INTENT), before=host.password)
        kept = host.escrow | {(job.generation, job.password)} if rules.keeps_escrow else host.escrow
        yield Act(f"agent: INTENT {job.generation}", journal._replace(working=job, escrow=kept))
    elif rules.reaps and host.late is not None:
        yield Act("agent: a tool is still at work, cannot tell", host, _said(job, ResetAnswer.UNKNOWN))
    else:
        yield from _look_again(host, job, move, rules)


def _look_again(host: Host, job: Job, move: Move, rules: Rules) -> Iterator[Act]:
    opens = host.password == job.password
    look = rules.looked_again(move, opens=opens, in_time=True)
    if look is Look.APPLIED:
        after = host._replace(last=(job.generation, Entry.APPLIED))
        act = Act(f"agent: {job.generation} again, APPLIED", after, _said(job, ResetAnswer.APPLIED, host))
        yield act
        yield _disturbed(act, rules)
    elif look is Look.SET:
        yield Act(f"agent: goes on with {job.generation}", host._replace(working=job))
        if rules.looked_again(move, opens=opens, in_time=False) is Look.NOT_LIVE:
            late = _not_live(host, job, rules)
            yield late._replace(label=f"agent: too late to go on; {late.label}", kind=Kind.REFUSALS)
    elif look is Look.NOT_LIVE:
        yield _not_live(host, job, rules)
    else:
        yield Act(f"agent: {job.generation} again, cannot tell", host, _said(job, ResetAnswer.UNKNOWN))


def _not_live(host: Host, job: Job, rules: Rules) -> Act:
    entry = rules.not_live(as_before=host.password == host.before)
    idle = host._replace(working=None)
    if entry is None:
        return Act(f"agent: {job.generation} is not live, another is, UNKNOWN", idle, _said(job, ResetAnswer.UNKNOWN))
    after = idle._replace(last=(job.generation, entry))
    return Act(f"agent: {job.generation} is not live, REFUSED", after, _said(job, ResetAnswer.REFUSED, host))


def _compare(host: Host, job: Job, rules: Rules) -> Iterator[Act]:
    fenced = host._replace(mark=rules.fenced(host.mark, job.fence))
    held = tuple(sorted((each for each in host.escrow if each[0] not in job.known), reverse=True))
    if rules.reaps and host.late is not None:
        answer = Answer(job.task, job.nonce, job.fence, VerifyAnswer.CANNOT_TELL, None, None, held)
        yield Act("agent: a tool is still at work, cannot compare", fenced, answer)
        return
    live = next((generation for generation, password in job.candidates if password == host.password), None)
    verdict = VerifyAnswer.DOES_NOT_OPEN if live is None else VerifyAnswer.OPENS
    answer = Answer(job.task, job.nonce, job.fence, verdict, live, host.password, held)
    told = "none opens" if live is None else f"{live} opens"
    act = Act(f"agent: compares, {told}", fenced._replace(last=rules.settled(fenced.last, live)), answer)
    yield act
    yield _disturbed(act, rules)


def _disturbed(act: Act, rules: Rules) -> Act:
    """The same, but somebody sets another password between the two looks of the agent."""
    assert act.answer is not None
    shows = act.answer.shows if rules.shows_first else FOREIGN
    label = f"FAULT: another password is set in the midst of this: {act.label}"
    return Act(label, act.after._replace(password=FOREIGN), act.answer._replace(shows=shows, fresh=False), Kind.CHANGES)


def _said(job: Job, answer: ResetAnswer, shown: Host | None = None) -> Answer:
    shows = None if shown is None else shown.password
    return Answer(job.task, job.nonce, job.fence, answer, job.generation, shows)
