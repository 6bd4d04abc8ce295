"""What a lab calls its things on the machine.

Every trace that a lab leaves (bridge, cable, network namespace, control group) carries eight hexadecimal digits that
its folder's path gives. So a lab finds all that is its own after a crash without a register, and two folders do not
meet. A network interface's name has at most 15 characters, which is why there are not more digits.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from tests.lab.errors import LabError

_HOST = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True)
class Names:
    lab: str

    @classmethod
    def of(cls, folder: Path) -> "Names":
        return cls("kt" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8])

    @property
    def number(self) -> int:
        """The same digits as a number."""
        return int(self.lab.removeprefix("kt"), 16)

    @property
    def bridge(self) -> str:
        return self.lab

    def cable(self, number: int) -> str:
        return f"{self.lab}.{number}"

    def host(self, name: str) -> str:
        """The name of a host's network namespace and of its control groups."""
        if not _HOST.fullmatch(name):
            raise LabError(f"{name!r} is no name for a host: small letters, digits and -, at most 31, a letter first.")
        return f"{self.lab}-{name}"

    def owns(self, name: str) -> bool:
        return name == self.lab or name.startswith((f"{self.lab}-", f"{self.lab}."))
