"""What happened, line by line: the same seed gives the same lines, in any process and on any day."""

import asyncio
import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

_ID = re.compile(r"\b([a-z]{3})_[a-z2-7]{26}\b")


@dataclass
class Trace:
    """The lines of one run, what was injected, and what was violated.

    Identifiers are shown as the first, second, ... of their noun, so that a person can follow them.
    """

    seed: int
    clock: Callable[[], float] = lambda: 0.0
    lines: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    faults: "Counter[str]" = field(default_factory=Counter)
    steps: int = 0
    """How often the invariants were looked at."""
    simulated: float = 0.0
    """Seconds that passed in the simulation."""
    healed_in: float = 0.0
    """Seconds from the last fault until everything had come to rest."""
    first_violation: asyncio.Event = field(default_factory=asyncio.Event)
    _names: dict[str, str] = field(default_factory=dict)
    _counts: "Counter[str]" = field(default_factory=Counter)

    def say(self, who: str, what: str) -> None:
        """One line, at this moment."""
        self.lines.append(f"{self.clock():10.3f} {who:<10} {_ID.sub(self._name, what)}")

    def fault(self, kind: str, what: str = "") -> None:
        """A fault was injected."""
        self.faults[kind] += 1
        self.say("FAULT", f"{kind} {what}".rstrip())

    def violated(self, what: str) -> None:
        """An invariant does not hold. The run ends soon after the first one."""
        self.violations.append(_ID.sub(self._name, what))
        self.first_violation.set()
        self.say("VIOLATED", what)

    @property
    def digest(self) -> str:
        """The trace's name: two runs of one seed have the same."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()[:16]

    def _name(self, found: "re.Match[str]") -> str:
        key = found[0]
        if key not in self._names:
            self._counts[found[1]] += 1
            self._names[key] = f"{found[1]}-{self._counts[found[1]]}"
        return self._names[key]
