"""Weaker rules, each one decision away from the product's, that the checker must catch.

The first twelve are those of the protocol's design; the others are what this checker models beside it, and what it
found wrong in the table. A variant that is not caught means that a rule is idle, or that the checker is blind.
"""

from dataclasses import replace
from typing import Any

from libs.domain.accounts import Account
from libs.domain.answers import answered
from libs.domain.errors import BusyError, NotNowError, StaleAnswerError
from libs.domain.moves import Look, Move, decide, looked_again
from libs.domain.rotation import lost, request_adopt, request_reset, request_verify
from libs.domain.state import Change, Generation, Rotation, Status, VersionState
from libs.domain.trust import restored, trust_lost
from libs.domain.versions import proven
from libs.wire.reasons import Reason
from libs.wire.results import Outcome, ResetAnswer, ResetOutcome, Result
from libs.wire.sign import Signed
from tests.model.checker.bounds import Bounds
from tests.model.checker.explore import Setting
from tests.model.checker.names import password_of_task, sealed
from tests.model.checker.rules import Journalled, Rules

_NO_ESCROW = Rules(keeps_escrow=False)


def _variant(name: str, rules: Rules, **more: int) -> Setting:
    return Setting(name, Bounds(**{"resets": 2} | more), rules)


# ---- the twelve of the design


def _kept_after(r: Rotation, **how: Any) -> Change:
    """The vault learns the password from the answer, not before the offer."""
    after = request_reset(r, **how).after
    unknown = tuple(replace(v, sealed=None) if v.generation == how["generation"] else v for v in after.versions)
    return Change(replace(after, versions=unknown))


def _learned(account: Account, result: Result, outcome: Outcome, **how: Any) -> Change:
    change = answered(account, result, outcome, **how)
    if not isinstance(outcome, ResetOutcome) or outcome.answer is not ResetAnswer.APPLIED:
        return change
    known = tuple(
        replace(v, sealed=sealed(password_of_task(result.task))) if str(v.generation) == outcome.generation else v
        for v in change.after.versions
    )
    return Change(replace(change.after, versions=known), change.ended)


def _only_proven(account: Account, result: Result, outcome: Outcome, **how: Any) -> Change:
    change = answered(account, result, outcome, **how)
    proof = change.after.proof
    if proof is None or change.after.status is not Status.IN_SYNC:
        return change
    kept = tuple(v for v in change.after.versions if v.generation == proof.generation)
    return Change(replace(change.after, versions=kept), change.ended)


def _dropped(r: Rotation, *, task: str, now: int) -> Change:
    """The lease is over: back to the status before, as if nothing had been offered."""
    flight = r.flight
    change = lost(r, task=task, now=now)
    if flight is None or flight.compares:
        return change
    kept = tuple(v for v in r.versions if v.generation != flight.generation)
    return Change(replace(r, status=r.back, flight=None, versions=kept), change.ended)


def _refused_dropped(account: Account, result: Result, outcome: Outcome, **how: Any) -> Change:
    change = answered(account, result, outcome, **how)
    kept = tuple(v for v in change.after.versions if v.state is not VersionState.REFUSED)
    return Change(replace(change.after, versions=kept), change.ended)


def _refused_in_sync(account: Account, result: Result, outcome: Outcome, **how: Any) -> Change:
    change = answered(account, result, outcome, **how)
    refused = isinstance(outcome, ResetOutcome) and outcome.answer is ResetAnswer.REFUSED
    return Change(replace(change.after, status=Status.IN_SYNC), change.ended) if refused else change


def _cancelled_after_the_fetch(r: Rotation, *, task: str, nonce: str, at: int, lease_until: int) -> Change:
    """A cancel that came with the fetch wins, and the version is forgotten."""
    del nonce, at, lease_until
    return _dropped(r, task=task, now=0)


def _unfenced(mark: Generation, journal: Journalled, offered: Generation) -> Move:
    move = decide(mark, journal, offered)
    return Move.APPLY if move is Move.STALE else move


def _any_episode(account: Account, result: Result, outcome: Outcome, **how: Any) -> Change:
    """A comparison's answer counts whatever episode it is of."""
    flight = account.rotation.flight
    if flight is not None and flight.compares and not isinstance(outcome, ResetOutcome):
        fence = str(account.rotation.newest)
        result = result.model_copy(update={"task": flight.task, "nonce": flight.nonce, "fence": fence})
    return answered(account, result, outcome, **how)


def _nothing_shown(r: Rotation, **how: Any) -> Change:
    del how
    return Change(r)


def _as_it_was(r: Rotation, *, epoch: int, now: int) -> Change:
    del epoch, now
    return Change(r)


_DESIGN = (
    _variant(
        "the vault learns the password after the host",
        replace(_NO_ESCROW, request_reset=_kept_after, answered=_learned),
    ),
    _variant("no history, host rolled back", replace(_NO_ESCROW, answered=_only_proven), rollbacks=1),
    _variant("the candidate is dropped when unsure", replace(_NO_ESCROW, lost=_dropped)),
    _variant("the candidate is dropped when refused", replace(_NO_ESCROW, answered=_refused_dropped), refusals=1),
    _variant("a refused first reset says in sync", Rules(answered=_refused_in_sync), refusals=1),
    _variant("a cancel after the fetch forgets it", replace(_NO_ESCROW, fetched=_cancelled_after_the_fetch)),
    _variant("no fence on the agent", Rules(decide=_unfenced)),
    _variant("a tool left by a killed agent is not awaited", Rules(reaps=False), kills=1),
    _variant("comparisons are not bound to their episode", Rules(answered=_any_episode), checks=2, changes=1),
    _variant("contacts show nothing, host rolled back", Rules(contact=_nothing_shown), rollbacks=1),
    _variant("restored without recovery", Rules(restored=_as_it_was), restores=1),
    _variant("restored, the agent keeps no escrow", _NO_ESCROW, restores=1),
)


# ---- who is believed, and when


def _anybody(agent: str, public: object, signed: Signed) -> Result:
    del agent, public
    return Result.model_validate_json(signed.payload)


def _any_agent(account: Account, result: Result, outcome: Outcome, *, resource: str, **how: Any) -> Change:
    del resource
    return answered(account, result, outcome, resource=account.resource, **how)


def _by_the_hosts_clock(account: Account, result: Result, outcome: Outcome, *, receipt: int, **how: Any) -> Change:
    del receipt
    return answered(account, result, outcome, receipt=result.finished_at, **how)


def _any_contact_before(account: Account, result: Result, outcome: Outcome, **how: Any) -> Change:
    """An answer makes IN_SYNC whatever a contact that came after it has shown."""
    change = answered(account, result, outcome, **how)
    after, proof = change.after, change.after.proof
    if proof is None or proof.at != how["now"] or after.status is not Status.UNCERTAIN:
        return change
    return Change(replace(after, status=Status.IN_SYNC), change.ended)


_BELIEF = (
    _variant("anybody's signature counts", Rules(said_by=_anybody), resets=1),
    _variant("an agent speaks for another resource", Rules(answered=_any_agent), resets=1),
    _variant("the host's clock decides", Rules(answered=_by_the_hosts_clock), resets=1, changes=1),
    _variant("an answer outdoes a later contact", Rules(answered=_any_contact_before), resets=1, changes=1),
    _variant("the field is shown as it is after the comparison", Rules(shows_first=False), resets=1, changes=1),
)


# ---- what the agent may do


def _unfenced_refusal(mark: Generation, offered: Generation) -> Generation:
    del offered
    return mark


def _by_the_journal(move: Move, *, opens: bool | None, in_time: bool) -> Look:
    """What the journal calls applied is not compared again."""
    look = looked_again(move, opens=opens, in_time=in_time)
    return Look.APPLIED if move is Move.REPORT_AGAIN and look is Look.NOT_LIVE else look


def _sets_again(move: Move, *, opens: bool | None, in_time: bool) -> Look:
    look = looked_again(move, opens=opens, in_time=in_time)
    return Look.SET if move is Move.REPORT_AGAIN and look is Look.NOT_LIVE else look


def _never_settled(journal: Journalled, live: Generation | None) -> Journalled:
    del live
    return journal


_AGENT = (
    _variant("a refusal to begin leaves no trace", Rules(fenced_unbegun=_unfenced_refusal), resets=1, refusals=1),
    _variant("a comparison fences nothing off", Rules(fenced=_unfenced_refusal), resets=2, kills=1),
    _variant("a comparison settles no intent", Rules(settled=_never_settled), resets=1, kills=1),
    _variant("applied by the journal alone", Rules(looked_again=_by_the_journal), resets=1, changes=1),
    _variant("a repeat is set again", Rules(looked_again=_sets_again), resets=1, changes=1),
)


# ---- what the scheduler may do


def _queued_behind(r: Rotation, **how: Any) -> Change:
    """A second reset takes the place of the one in flight."""
    try:
        return request_reset(r, **how)
    except BusyError:
        return request_reset(replace(r, flight=None), **how)


def _believed_at_once(r: Rotation, **how: Any) -> Change:
    """What a person states is taken for proven."""
    after = request_adopt(r, **how).after
    return Change(
        replace(proven(after, how["generation"], now=how["now"], receipt=how["now"], fingerprint=None), flight=None)
    )


def _leaves_quarantine(account: Account, result: Result, outcome: Outcome, **how: Any) -> Change:
    r = account.rotation
    if r.status is Status.QUARANTINED and r.unanswered is not None:
        account = replace(account, rotation=replace(r, status=Status.UNCERTAIN))
    return answered(account, result, outcome, **how)


def _old_answers_count(r: Rotation, *, epoch: int, now: int) -> Change:
    change = restored(r, epoch=epoch, now=now)
    open_ = change.after.unanswered
    before = trust_lost(r, now=now).after.unanswered
    if open_ is None or before is None:
        return change
    return Change(replace(change.after, unanswered=replace(open_, nonce=before.nonce)), change.ended)


def _old_jobs_run(r: Rotation, *, epoch: int, now: int) -> Change:
    change = restored(r, epoch=epoch, now=now)
    return Change(replace(change.after, newest=r.newest), change.ended)


def _never_compared(r: Rotation, **how: Any) -> Change:
    if r.status is Status.UNCERTAIN:
        raise NotNowError(Reason.ACCOUNT_UNCERTAIN)
    return request_verify(r, **how)


def _deaf(account: Account, result: Result, outcome: Outcome, **how: Any) -> Change:
    """No comparison is ever answered, so one follows the other."""
    if not isinstance(outcome, ResetOutcome):
        raise StaleAnswerError("not heard")
    return answered(account, result, outcome, **how)


_SCHEDULER = (
    _variant("a withdrawn job stays in the mailbox", Rules(takes_back=False), resets=1, cancels=1),
    _variant("a second reset takes the first one's place", Rules(request_reset=_queued_behind)),
    _variant("what a person states is proven", Rules(request_adopt=_believed_at_once), resets=0, adoptions=1),
    _variant("a late answer ends a quarantine", Rules(answered=_leaves_quarantine), resets=1, clones=1),
    _variant("a restored server goes on in its old epoch", Rules(begins_epoch=False), restores=1),
    _variant("an uncertain account is not compared", Rules(request_verify=_never_compared), resets=1),
    _variant("no comparison is ever answered", Rules(answered=_deaf), resets=1),
    _variant("answers from before a restore count", Rules(restored=_old_answers_count), restores=1),
    _variant("jobs from before a restore run", Rules(restored=_old_jobs_run), restores=1),
)

VARIANTS = (*_DESIGN, *_BELIEF, *_AGENT, *_SCHEDULER)
"""Each must be caught."""
