"""What went wrong lately, kept until the server has heard it: without contact no agent can say what keeps it from one.

    failures.json   at most so many codes, each with its latest sentence, since when, until when and how often     0600

It is for people and holds nothing that must survive, so it is not synced, and a disk that takes none loses it.
"""

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from libs.wire.agent_api import MAX_SAID, Said

_FILE: Final = "failures.json"
_LETTERS: Final = 300
_READ: Final[TypeAdapter[tuple[Said, ...]]] = TypeAdapter(tuple[Said, ...])


@dataclass
class Failures:
    """Those of one state folder, newest last."""

    folder: Path
    _kept: tuple[Said, ...] = field(init=False)

    def __post_init__(self) -> None:
        try:
            self._kept = _READ.validate_json((self.folder / _FILE).read_bytes())[-MAX_SAID:]
        except (OSError, ValidationError):
            self._kept = ()

    @property
    def untold(self) -> tuple[Said, ...]:
        """What the server has not heard."""
        return self._kept

    def note(self, code: str, sentence: str, now: int) -> None:
        """Once more; `now` in Unix milliseconds by the host's clock. What is no code is kept as `unknown`."""
        before = next((each for each in self._kept if each.code == code), None)
        words = " ".join(sentence.split())[:_LETTERS]
        if before is None:
            try:
                after = Said(code=code, sentence=words, first_at=now, last_at=now)
            except ValidationError:
                if code == "unknown":
                    return None  # a clock that stands before 1970
                return self.note("unknown", f"{code}: {sentence}", now)
        else:
            times = min(before.times + 1, 1_000_000)
            after = before.model_copy(update={"sentence": words, "last_at": now, "times": times})
        self._write((*(each for each in self._kept if each.code != code), after)[-MAX_SAID:])
        return None

    def told(self, said: tuple[Said, ...]) -> None:
        """The server has heard these; what was noted since stays."""
        if said:
            self._write(tuple(each for each in self._kept if each not in said))

    def _write(self, kept: tuple[Said, ...]) -> None:
        self._kept = kept
        aside = self.folder / f"{_FILE}.new"
        with contextlib.suppress(OSError):
            aside.write_text(json.dumps([each.model_dump() for each in kept]), "utf-8")
            aside.chmod(0o600)
            aside.replace(self.folder / _FILE)
