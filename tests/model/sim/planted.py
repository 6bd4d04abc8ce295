"""Weakened versions of the product, each of which a simulation must catch: who sees nothing proves nothing.

Each one takes away one decision of the protocol, for the time of a run. `tests/model/test_sim.py` runs seeds until the
invariants say no.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import libs.domain.answers
import libs.domain.rotation
import services.scheduler.observations
import services.scheduler.sweeper
from agent.apply import Worker
from agent.memory import Memory
from libs.domain.rotation import refused
from libs.domain.state import Change, End, Ended, Kind, Rotation, VersionState
from libs.domain.versions import marked
from libs.wire.reasons import Reason
from services.scheduler.records import Records

Planted = Callable[[], "contextlib.AbstractContextManager[Any]"]


def _drops_what_was_refused() -> Any:
    """A refused version is forgotten, although the host may be live with it."""

    def weak(r: Rotation, **told: Any) -> Change:
        change = refused(r, **told)
        kept = tuple(each for each in change.after.versions if each.generation != told["generation"])
        return Change(replace(change.after, versions=kept), change.ended)

    return patch.object(libs.domain.answers, "refused", weak)


def _no_intent() -> Any:
    """The agent sets a password before its journal knows of it."""
    return patch.object(Memory, "begin", lambda *_: None)


def _timeout_is_a_failure() -> Any:
    """No answer came in time, and that is called refused."""

    def weak(r: Rotation, *, task: str, now: int) -> Change:
        flight = r.flight
        if flight is None or flight.kind is not Kind.RESET:
            return libs.domain.rotation.lost(r, task=task, now=now)
        after = replace(marked(r, flight.generation, VersionState.REFUSED), status=r.back, flight=None)
        return Change(after, (Ended(task, flight.kind, End.REFUSED, now, Reason.NO_ANSWER, None, flight.generation),))

    return patch.object(services.scheduler.sweeper, "lost", weak)


def _tool_is_not_awaited() -> Any:
    """A tool that a killed agent left is not ended before a comparison, and applies after it."""

    async def quiet(*_: Any) -> None:
        """Says that nobody is at work."""

    return patch.object(Worker, "_quiet", quiet)


def _contacts_show_nothing() -> Any:
    """What a host shows at a contact is not held against what was proven."""
    return patch.object(services.scheduler.observations, "contact", lambda r, **_: Change(r))


def _offered_without_audit() -> Any:
    """A job lies in the mail, and no record tells of it."""

    async def nothing(*_: Any) -> None:
        """Records nothing."""

    return patch.object(Records, "offered", nothing)


def _applied_is_not_compared() -> Any:
    """What the agent's journal calls applied is reported without another look."""
    return patch.object(libs.domain.answers, "compared", _believes_the_newest)


def _believes_the_newest(r: Rotation, **told: Any) -> Change:
    newest = next((each.generation for each in r.versions), None)
    return libs.domain.rotation.compared(r, **(told | {"opens": told["opens"] or newest}))


PLANTED: dict[str, Planted] = {
    "a refused version is dropped": _drops_what_was_refused,
    "the agent journals no intent": _no_intent,
    "a timeout is recorded as a failure": _timeout_is_a_failure,
    "a tool left by a killed agent is not awaited": _tool_is_not_awaited,
    "contacts show nothing": _contacts_show_nothing,
    "an offer leaves before its audit record": _offered_without_audit,
    "a comparison that found nothing proves the newest": _applied_is_not_compared,
}


@contextlib.contextmanager
def planted(name: str) -> Iterator[None]:
    """The product without one of its decisions."""
    with PLANTED[name]():
        yield
