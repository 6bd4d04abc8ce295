"""The decisions that are checked: the product's own functions, by name, so that a variant can replace one."""

from collections.abc import Callable
from dataclasses import dataclass

from libs.domain import answers, moves, rotation, trust
from libs.domain.moves import Entry, Look, Move
from libs.domain.state import Change, Generation
from libs.wire import results
from libs.wire.results import Result

Turned = Callable[..., Change]
Journalled = tuple[Generation, Entry] | None


@dataclass(frozen=True)
class Rules:
    """Who decides what. The truths at the end are the order of the product's code, which no single function holds."""

    # the scheduler
    request_reset: Turned = rotation.request_reset
    request_verify: Turned = rotation.request_verify
    request_adopt: Turned = rotation.request_adopt
    fetched: Turned = rotation.fetched
    withdrawn: Turned = rotation.withdrawn
    lost: Turned = rotation.lost
    answered: Turned = answers.answered
    contact: Turned = trust.contact
    trust_lost: Turned = trust.trust_lost
    restored: Turned = trust.restored
    quarantine: Turned = trust.quarantine
    release: Turned = trust.release
    said_by: Callable[..., Result] = results.said_by
    # the agent
    decide: Callable[[Generation, Journalled, Generation], Move] = moves.decide
    fenced: Callable[[Generation, Generation], Generation] = moves.fenced
    fenced_unbegun: Callable[[Generation, Generation], Generation] = moves.fenced
    looked_again: Callable[..., Look] = moves.looked_again
    not_live: Callable[..., Entry | None] = moves.not_live
    settled: Callable[[Journalled, Generation | None], Journalled] = moves.settled
    reaps: bool = True
    """The agent awaits or kills a tool that a predecessor left before it compares or sets."""

    shows_first: bool = True
    """The agent reads the field's fingerprint before it compares, not after."""

    keeps_escrow: bool = True
    """The journal keeps each begun password, sealed to the vault and to the recovery key."""

    takes_back: bool = True
    """A withdrawal takes the job out of the mailbox first."""

    begins_epoch: bool = True
    """A restored server numbers its passwords in a new epoch."""
