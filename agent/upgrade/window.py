"""When an operator lets an agent take a newer release: whole hours of the host's own time of day."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

_FORM = re.compile(r"([0-9]{1,2})-([0-9]{1,2})")
_HOURS = 24


@dataclass(frozen=True, slots=True)
class Window:
    """From the hour `first` on, up to the hour `end`, which may be on the next day; the same hour twice is all day."""

    first: int = 0
    end: int = 0

    @classmethod
    def parse(cls, text: str) -> "Window":
        """`22-5`: from 22:00 to 5:00.

        Raises:
            ValueError: it is no window.
        """
        found = _FORM.fullmatch(text)
        hours = tuple(map(int, found.groups())) if found else (_HOURS + 1,)
        if any(hour > _HOURS for hour in hours):
            raise ValueError("write two hours of the day, such as 22-5; 0-24 is all day")
        return cls(hours[0] % _HOURS, hours[1] % _HOURS)

    def open(self, hour: int) -> bool:
        """Whether it is open in this hour of the day."""
        if self.first == self.end:
            return True
        if self.first < self.end:
            return self.first <= hour < self.end
        return hour >= self.first or hour < self.end


ALL_DAY = Window()


def hour_here(clock: Callable[[], float] = time.time) -> int:
    """The hour of the host's time of day."""
    return time.localtime(clock()).tm_hour
