"""What an agent's answer does to an account: the one way from a checked result to the table.

An answer counts for its resource, account, task, generation, nonce and fence alone (invariant I9). What the agent
cannot tell of a reset leaves the account uncertain; what it cannot tell of a comparison leaves it as it is.
"""

from libs.domain.accounts import Account
from libs.domain.errors import StaleAnswerError
from libs.domain.rotation import applied, cannot_tell, compared, lost, refused
from libs.domain.state import Change, Generation, Rotation, Version
from libs.wire.reasons import Reason
from libs.wire.results import Outcome, ResetAnswer, ResetOutcome, Result, VerifyAnswer, VerifyOutcome


def answered(
    account: Account,
    result: Result,
    outcome: Outcome,
    *,
    resource: str,
    next_nonce: str,
    now: int,
    receipt: int,
    recovered: tuple[Version, ...] = (),
) -> Change:
    """The account after one outcome of a result that the agent of `resource` signed.

    `now` is when the gateway received it, and `receipt` its number. The agent's own time decides nothing. `recovered`
    is what the agent's escrow held beside the known versions, each opened once, so that nothing else is kept.

    Raises:
        StaleAnswerError: it does not count for this account, or not any more.
    """
    if account.resource != resource:
        raise StaleAnswerError(f"the agent of {resource} speaks of an account of {account.resource}")
    if isinstance(outcome, ResetOutcome):
        return _reset(account.rotation, result, outcome, now=now, receipt=receipt)
    return _compared(account.rotation, result, outcome, recovered, next_nonce=next_nonce, now=now, receipt=receipt)


def _reset(r: Rotation, result: Result, outcome: ResetOutcome, *, now: int, receipt: int) -> Change:
    generation = Generation.parse(outcome.generation)
    if outcome.answer is ResetAnswer.APPLIED:
        return applied(
            r,
            task=result.task,
            generation=generation,
            nonce=result.nonce,
            now=now,
            receipt=receipt,
            fingerprint=outcome.fingerprint,
            remarks=outcome.remarks,
        )
    if outcome.answer is ResetAnswer.REFUSED:
        return refused(
            r,
            task=result.task,
            generation=generation,
            nonce=result.nonce,
            now=now,
            receipt=receipt,
            reason=outcome.reason or Reason.REFUSED_BY_HOST,
            detail=outcome.detail,
            fingerprint=outcome.fingerprint,
        )
    flight = r.flight
    if flight is None or (flight.task, flight.nonce, flight.generation) != (result.task, result.nonce, generation):
        raise StaleAnswerError(f"{result.task} with {generation} is not in flight")
    return lost(r, task=result.task, now=now)


def _compared(
    r: Rotation,
    result: Result,
    outcome: VerifyOutcome,
    recovered: tuple[Version, ...],
    *,
    next_nonce: str,
    now: int,
    receipt: int,
) -> Change:
    if outcome.answer is VerifyAnswer.CANNOT_TELL:
        return cannot_tell(
            r,
            task=result.task,
            nonce=result.nonce,
            now=now,
            reason=outcome.reason or Reason.HASH_NOT_KNOWN,
            detail=outcome.detail,
            recovered=recovered,
        )
    opens = None
    if outcome.answer is VerifyAnswer.OPENS:
        if outcome.generation is None:
            raise StaleAnswerError("it does not say which generation opens")
        opens = Generation.parse(outcome.generation)
    return compared(
        r,
        task=result.task,
        nonce=result.nonce,
        fence=Generation.parse(result.fence),
        opens=opens,
        next_nonce=next_nonce,
        now=now,
        receipt=receipt,
        fingerprint=outcome.fingerprint,
        remarks=outcome.remarks,
        recovered=recovered,
    )
