"""What the agent must not forget: an append-only file of checked lines, durable before `append` returns.

One record is one line: the SHA-256 (its first 16 hexadecimal digits) of the rest, a blank, and JSON with the record and
its number. Numbers go up by one and never start again, so a server can see that a disk went back. A power cut can tear
the last line only, and that line was never acknowledged: it is cut off at the next opening. Any other line that does
not check means that the disk lost what it had promised, and the journal refuses to open.

A record is a mapping of its writer's own, with two known keys: `account`, and the optional `mark`, a generation
"epoch.counter". The highest mark of each account is kept for ever, also through a compaction.
"""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

_FILE: Final = "journal"
_ASIDE: Final = "journal.new"
_LOCK: Final = "journal.lock"
_CHECK: Final = 16
_MAX_LINE: Final = 1024 * 1024

Record = Mapping[str, Any]


class JournalError(Exception):
    """The tree of this module's errors."""


class JournalUnwritableError(JournalError):
    """Retryable: the record was not written, and nothing of it was left behind."""


class JournalDamagedError(JournalError):
    """Permanent: a line that had been acknowledged does not check. A person must look at the disk."""


class JournalBusyError(JournalError):
    """Permanent for this process: another one has this journal open."""


class Disk:
    """The four calls that can fail, in one place, so that a test can let them fail."""

    def write(self, descriptor: int, data: bytes) -> int:
        return os.write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        os.ftruncate(descriptor, size)

    def rename(self, source: Path, target: Path) -> None:
        source.replace(target)


def _generation(mark: str) -> tuple[int, int]:
    epoch, _, counter = mark.partition(".")
    return int(epoch), int(counter)


def _line(number: int, record: Record) -> bytes:
    body = json.dumps({"n": number, "r": record}, ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode()
    return _check(body) + b" " + body + b"\n"


def _check(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest()[:_CHECK].encode()


def _parse(line: bytes) -> tuple[int, dict[str, Any]] | None:
    check, blank, body = line[:_CHECK], line[_CHECK : _CHECK + 1], line[_CHECK + 1 :]
    if blank != b" " or check != _check(body):
        return None
    content = json.loads(body)
    return content["n"], content["r"]


class Journal:
    """One open journal. It is not shared between threads."""

    def __init__(self, folder: Path, *, disk: Disk | None = None) -> None:
        """Open or make the journal in a folder that is made 0700.

        Raises:
            JournalBusyError: another process has it open.
            JournalDamagedError: an acknowledged line does not check.
            JournalUnwritableError: folder or file cannot be made or read.
        """
        self._folder = folder
        self._disk = disk or Disk()
        self._path = folder / _FILE
        self._records: list[tuple[int, dict[str, Any]]] = []
        self._marks: dict[str, str] = {}
        self._number = 0
        self._size = 0
        self._trusted = False
        self._file = -1
        self._lock = -1
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            self._lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalUnwritableError(f"the journal's folder {folder} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise JournalBusyError(f"another process has the journal in {folder} open") from None
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give file and lock back."""
        for descriptor in (self._file, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._lock = -1

    @property
    def number(self) -> int:
        """The number of the newest record; 0 for a new journal."""
        return self._number

    def records(self, account: str | None = None) -> Iterator[dict[str, Any]]:
        """The records that are kept, oldest first; of one account where it is named."""
        for _, record in self._records:
            if account is None or record.get("account") == account:
                yield dict(record)

    def mark(self, account: str) -> str | None:
        """The highest generation that any record of this account ever carried."""
        return self._marks.get(account)

    def marks(self) -> dict[str, str]:
        """The mark of every account that has one."""
        return dict(self._marks)

    def append(self, record: Record) -> int:
        """Write one record; it is durable when this returns its number.

        Raises:
            JournalUnwritableError: the disk refused. Nothing of the record is left, and a later call may succeed.
            ValueError: the record is larger than a mebibyte, or its mark is no generation.
        """
        if record.get("mark") is not None:
            _generation(record["mark"])
        line = _line(self._number + 1, record)
        if len(line) > _MAX_LINE:
            raise ValueError(f"a record of {len(line)} bytes is larger than {_MAX_LINE}")
        try:
            if not self._trusted:
                self._reopen()
            self._write_whole(self._file, line)
            self._disk.sync(self._file)
        except OSError as error:
            self._take_back()
            raise JournalUnwritableError(f"the journal {self._path} cannot be written: {error.strerror}") from error
        self._size += len(line)
        self._keep(self._number + 1, json.loads(line[_CHECK + 1 :])["r"])
        return self._number

    def compact(self, keep: Callable[[dict[str, Any]], bool]) -> None:
        """Write the records that `keep` wants and every mark to a new file and put it in this one's place.

        Raises:
            JournalUnwritableError: the disk refused; the old file is as it was.
        """
        wanted = [(number, record) for number, record in self._records if keep(dict(record))]
        lines = [_line(number, record) for number, record in wanted]
        # The newest number is carried by the marks' record, so that numbers never start again.
        marks = {"kind": "marks", "marks": self._marks}
        data = b"".join([_line(self._number, marks), *lines])
        aside = self._folder / _ASIDE
        try:
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                self._write_whole(descriptor, data)
                self._disk.sync(descriptor)
            finally:
                os.close(descriptor)
            self._disk.rename(aside, self._path)
            self._sync_folder()
        except OSError as error:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
            self._trusted = False
            raise JournalUnwritableError(f"the journal {self._path} cannot be rewritten: {error.strerror}") from error
        self._open()

    def _open(self) -> None:
        """Read the file whole, cut a torn end off, and make what is read durable."""
        try:
            (self._folder / _ASIDE).unlink(missing_ok=True)  # a compaction that never ended
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            if self._file >= 0:
                os.close(self._file)
            self._file = file
            with os.fdopen(os.dup(file), "rb") as reading:
                reading.seek(0)
                data = reading.read()
            self._load(data)
            if self._size < len(data):
                self._disk.truncate(self._file, self._size)
            self._disk.sync(self._file)
            self._sync_folder()
        except OSError as error:
            raise JournalUnwritableError(f"the journal {self._path} cannot be opened: {error.strerror}") from error
        self._trusted = True

    def _load(self, data: bytes) -> None:
        self._records, self._marks, self._number, self._size = [], {}, 0, 0
        lines = data.split(b"\n")
        last = len(lines) - 2 if not lines[-1] else len(lines) - 1
        for index, line in enumerate(lines[: last + 1]):
            whole = index < len(lines) - 1
            parsed = _parse(line) if whole else None
            if parsed is None:
                if index == last:
                    return  # torn: it was never acknowledged
                raise JournalDamagedError(f"line {index + 1} of {self._path} does not check")
            number, record = parsed
            if record.get("kind") == "marks":
                self._marks.update(record["marks"])
                self._number = number
            else:
                self._keep(number, record)
            self._size += len(line) + 1

    def _keep(self, number: int, record: dict[str, Any]) -> None:
        self._records.append((number, record))
        self._number = max(self._number, number)
        account, mark = record.get("account"), record.get("mark")
        if account is not None and mark is not None:
            known = self._marks.get(account)
            if known is None or _generation(mark) > _generation(known):
                self._marks[account] = mark

    def _write_whole(self, descriptor: int, data: bytes) -> None:
        while data:
            data = data[self._disk.write(descriptor, data) :]

    def _take_back(self) -> None:
        """Cut a half-written line off; where even that fails the file is read again before the next record."""
        self._trusted = False
        with contextlib.suppress(OSError):
            self._disk.truncate(self._file, self._size)

    def _reopen(self) -> None:
        """After a failed write the kernel may have dropped pages it once showed: believe only what is read now."""
        expected = self._number
        self._open()
        if self._number > expected:
            # The record whose write failed is on the disk after all. Its writer was told that it is not.
            self._disk.truncate(self._file, self._size_before(expected))
            self._open()
        if self._number < expected:
            raise JournalDamagedError(f"{self._path} lost record {expected}, which had been made durable")

    def _size_before(self, number: int) -> int:
        size = 0
        for line in self._path.read_bytes().splitlines(keepends=True):
            parsed = _parse(line.removesuffix(b"\n"))
            if parsed is None or parsed[0] > number:
                return size
            size += len(line)
        return size

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._disk.sync(descriptor)
        finally:
            os.close(descriptor)
