"""One thing that was looked at: what was seen and, where it is not well, its code and the remedy."""

from dataclasses import dataclass

from libs.wire.reasons import Reason
from libs.wire.troubles import Trouble, remedy_of


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` is None where it is well. `seen` is what was seen, on one line and without a secret."""

    what: str
    seen: str
    code: Trouble | Reason | None = None
    grave: bool = True
    """Whether the agent cannot work by it. What is not grave is told, and the exit status stays 0."""

    @property
    def well(self) -> bool:
        """Whether nothing is wrong here."""
        return self.code is None

    @property
    def remedy(self) -> str:
        """What to do; empty where nothing is to be done."""
        return "" if self.code is None else remedy_of(self.code)
