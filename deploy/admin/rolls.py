"""A roll-over of one kind of key, in phases, with a way back from each (`docs/keys.md`).

    steady      [old]        announce -> announced
    announced   [old, new]   use -> in use         back -> steady, without the new key
    in use      [new, old]   retire -> retired     back -> announced
    retired     [new]        end -> steady         back -> announced

The list is the file that services and agents are shown, and its order is the phase: no other file says it. So a step
that was interrupted is told by what it left, and is taken again. `end` alone deletes a key that was in use.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from deploy.admin import layout
from deploy.admin.errors import AdminError
from deploy.admin.files import replace, sync_folder
from deploy.admin.kinds import Files, entries, half_for
from libs.wire.key_files import blocks


class Phase(StrEnum):
    """Where a roll-over stands."""

    STEADY = "steady"
    ANNOUNCED = "announced"
    IN_USE = "in use"
    RETIRED = "retired"


class Step(StrEnum):
    """What an operator may do."""

    ANNOUNCE = "announce"
    USE = "use"
    RETIRE = "retire"
    END = "end"
    BACK = "back"
    STATUS = "status"


_AFTER = {
    (Step.ANNOUNCE, Phase.STEADY): Phase.ANNOUNCED,
    (Step.USE, Phase.ANNOUNCED): Phase.IN_USE,
    (Step.RETIRE, Phase.IN_USE): Phase.RETIRED,
    (Step.END, Phase.RETIRED): Phase.STEADY,
    (Step.BACK, Phase.RETIRED): Phase.ANNOUNCED,
    (Step.BACK, Phase.IN_USE): Phase.ANNOUNCED,
    (Step.BACK, Phase.ANNOUNCED): Phase.STEADY,
}
_ENDS_IN = {Step.ANNOUNCE: Phase.ANNOUNCED, Step.USE: Phase.IN_USE, Step.RETIRE: Phase.RETIRED}


@dataclass(frozen=True)
class Record:
    """The two keys of a roll-over, as they are shown."""

    old: bytes
    new: bytes

    def shown_in(self, phase: Phase) -> tuple[bytes, ...]:
        """What the file shows in a phase of this roll-over."""
        return {
            Phase.STEADY: (self.old,),
            Phase.ANNOUNCED: (self.old, self.new),
            Phase.IN_USE: (self.new, self.old),
            Phase.RETIRED: (self.new,),
        }[phase]


@dataclass(frozen=True)
class Roll:
    """The roll-over of one kind, in the folder that `init` made."""

    folder: Path
    files: Files

    @property
    def phase(self) -> Phase:
        """Where it stands, by the files.

        Raises:
            AdminError: a file cannot be read, or they are as no step leaves them.
        """
        record, shown = self._record(), self._shown()
        if record is None:
            return Phase.STEADY
        for phase in Phase:
            if record.shown_in(phase) == shown:
                return phase
        raise AdminError(f"{self._path} and {self._record_path} do not fit each other; put back a copy of both")

    def take(self, step: Step, *, now: int, given: bytes | None = None) -> Phase:
        """Takes a step; the phase that it leads to. Where that phase was reached already nothing is changed.

        Args:
            step: Any but `status`.
            now: Unix milliseconds.
            given: The new key, where it is made elsewhere.

        Raises:
            AdminError: the step does not follow, a key is missing, or a file cannot be written.
        """
        phase = self.phase
        if _ENDS_IN.get(step) is phase or (step is Step.BACK and phase is Phase.STEADY and self._record()):
            return phase
        after = _AFTER.get((step, phase))
        if after is None:
            steps = " or ".join(each.value for each, at in _AFTER if at is phase)
            raise AdminError(f"{self.files.kind} are {phase.value}, so {step.value} does not follow; {steps} would")
        try:
            if step is Step.ANNOUNCE:
                self._begin(now, given)
            elif step is Step.END:
                self._end()
            else:
                self._show(after)
        except OSError as error:
            raise AdminError(f"{error.filename or self.folder} cannot be written: {error.strerror}") from error
        return after

    def withdrawn(self) -> None:
        """Forgets the new key of a roll-over that was taken back to its beginning, once no notice names it."""
        record = self._record()
        if record is None or self.phase is not Phase.STEADY:
            return
        self._hold(record.old)
        self._forget()

    # ---- parts

    def _begin(self, now: int, given: bytes | None) -> None:
        """The new key is held, and recorded, before anybody is shown it."""
        shown = self._shown()
        if len(shown) != 1:
            raise AdminError(
                f"{self._path} holds {len(shown)} keys and no roll-over is under way; leave the one in use"
            )
        if given is not None:
            private: bytes | None = None
            new = given
        else:
            private, new = self.files.make(now)
        if new == shown[0]:
            raise AdminError(f"{self._path} holds this key already")
        if private is not None and self.files.held is not None:
            self._hold(shown[0], private)
        record = Record(shown[0], new)
        text = json.dumps({"old": record.old.decode(), "new": record.new.decode()})
        replace(self._record_path, text.encode(), layout.FILE_MODE)
        self._show(Phase.ANNOUNCED)

    def _show(self, phase: Phase) -> None:
        record = self._record()
        if record is None:
            raise AdminError(f"{self._record_path} is gone; put back a copy of it")
        shown = record.shown_in(phase)
        if phase is Phase.RETIRED and (why := self.files.unready(self.folder, record.new)):
            raise AdminError(f"not retired: {why}")
        if self.files.held is not None and half_for(self._held(), shown[0]) is None:
            raise AdminError(f"{self.folder / self.files.held} has no private half for the key that would be in use")
        if phase is Phase.RETIRED:
            self._keep_retired(record.old, kept=True)
        replace(self._path, b"".join(shown), self.files.mode)
        if phase is not Phase.RETIRED:
            self._keep_retired(record.old, kept=False)

    def _keep_retired(self, old: bytes, *, kept: bool) -> None:
        """Whether the old key lies among the retired ones. It lies there before it is taken away elsewhere."""
        if self.files.retired is None:
            return
        path = self.folder / self.files.retired
        there = blocks(path.read_bytes()) if path.exists() else ()
        others = tuple(each for each in there if each != old)
        after = (*others, old) if kept else others
        if after:
            replace(path, b"".join(after), self.files.mode)
        else:
            path.unlink(missing_ok=True)

    def _end(self) -> None:
        """Deletes the old key: from here there is no way back to it."""
        record = self._record()
        if record is not None:
            self._hold(record.new)
            self._forget()

    def _hold(self, shown: bytes, *more: bytes) -> None:
        """Holds the half of what is shown and more, and nothing else."""
        if self.files.held is None:
            return
        half = half_for(self._held(), shown)
        if half is None:
            raise AdminError(f"{self.folder / self.files.held} has no private half for {self._path}")
        replace(self.folder / self.files.held, b"".join((half, *more)), layout.FILE_MODE)

    def _forget(self) -> None:
        self._record_path.unlink(missing_ok=True)
        sync_folder(self._record_path.parent)

    def _held(self) -> tuple[bytes, ...]:
        return () if self.files.held is None else entries(self.folder, self.files.held)

    def _shown(self) -> tuple[bytes, ...]:
        return entries(self.folder, self.files.shown, self.files.entries)

    def _record(self) -> Record | None:
        try:
            found = json.loads(self._record_path.read_bytes())
            return Record(found["old"].encode(), found["new"].encode())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise AdminError(f"{self._record_path} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AdminError(f"{self._record_path} is damaged; put back a copy of it") from error

    @property
    def _path(self) -> Path:
        return self.folder / self.files.shown

    @property
    def _record_path(self) -> Path:
        return self.folder / self.files.record
