"""Failures on demand: at the n-th operation from now, before it took effect or after.

A test walks n through a whole run, so that each write is once the last that a process got through.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from libs.store.errors import OutcomeUnknownError, StoreAwayError

T = TypeVar("T")


class Effect(StrEnum):
    """Whether the failing operation still reached the store."""

    BEFORE = "before"
    AFTER = "after"


class Faults:
    """The plan of failures of one connection. With `away` set nothing gets through at all."""

    def __init__(self) -> None:
        self.away = False
        self.operations = 0
        self._at: dict[int, Effect] = {}

    def fail_at(self, n: int, effect: Effect = Effect.BEFORE) -> None:
        """Fails the n-th operation from now, counting from 1. Several may be planned."""
        self._at[self.operations + n] = effect

    def run(self, operation: Callable[[], T], *, writes: bool) -> T:
        """Runs one operation, or fails it as planned.

        Raises:
            StoreAwayError: it was kept from the store.
            OutcomeUnknownError: a write took effect and its answer was lost.
        """
        self.operations += 1
        effect = self._at.pop(self.operations, None)
        if self.away or effect is Effect.BEFORE:
            raise StoreAwayError("the store does not answer")
        answer = operation()
        if effect is Effect.AFTER:
            raise OutcomeUnknownError("the answer was lost") if writes else StoreAwayError("the answer was lost")
        return answer
