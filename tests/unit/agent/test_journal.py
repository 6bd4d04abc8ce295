"""The journal, torn at every byte, on a disk that fails in every call."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from agent.journal import Disk, Journal, JournalBusyError, JournalDamagedError, JournalUnwritableError

RECORDS: list[dict[str, Any]] = [
    {"kind": "intent", "account": "acc_a", "mark": "100.1", "job": "é\n" * 20},
    {"kind": "tool", "account": "acc_a", "pid": 17},
    {"kind": "applied", "account": "acc_a", "mark": "100.1"},
    {"kind": "intent", "account": "acc_b", "mark": "99.7"},
]


def write(folder: Path) -> bytes:
    with Journal(folder) as journal:
        for record in RECORDS:
            journal.append(record)
    return (folder / "journal").read_bytes()


class FailingDisk(Disk):
    """Fails at its n-th call; writes half of what it should before it does."""

    def __init__(self, at: int, code: int = errno.ENOSPC) -> None:
        self.at = at
        self.code = code
        self.calls = 0

    def _count(self) -> bool:
        self.calls += 1
        return self.calls == self.at

    def _fail(self) -> None:
        raise OSError(self.code, os.strerror(self.code))

    def write(self, descriptor: int, data: bytes) -> int:
        if self._count():
            super().write(descriptor, data[: len(data) // 2])
            self._fail()
        return super().write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        super().sync(descriptor)
        if self._count():
            self._fail()

    def truncate(self, descriptor: int, size: int) -> None:
        if self._count():
            self._fail()
        super().truncate(descriptor, size)

    def rename(self, source: Path, target: Path) -> None:
        if self._count():
            self._fail()
        super().rename(source, target)


def test_what_was_appended_is_there_after_opening_again(tmp_path: Path) -> None:
    write(tmp_path)
    with Journal(tmp_path) as journal:
        assert list(journal.records()) == RECORDS
        assert list(journal.records("acc_b")) == RECORDS[3:]
        assert journal.marks() == {"acc_a": "100.1", "acc_b": "99.7"}
        assert journal.number == 4
        assert journal.append({"kind": "x", "account": "acc_b"}) == 5


def test_folder_and_files_are_private(tmp_path: Path) -> None:
    write(tmp_path / "state")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "state").iterdir())


def test_a_cut_at_every_byte_keeps_each_whole_line_and_goes_on(tmp_path: Path) -> None:
    data = write(tmp_path / "whole")
    for length in range(len(data) + 1):
        folder = tmp_path / str(length)
        folder.mkdir()
        (folder / "journal").write_bytes(data[:length])
        whole = data[:length].count(b"\n")
        with Journal(folder) as journal:
            assert list(journal.records()) == RECORDS[:whole]
            assert journal.append(RECORDS[0]) == whole + 1
        with Journal(folder) as journal:
            assert list(journal.records()) == [*RECORDS[:whole], RECORDS[0]]


def test_a_last_line_whose_sectors_came_in_another_order_is_torn(tmp_path: Path) -> None:
    data = bytearray(write(tmp_path))
    data[-10] ^= 0xFF
    (tmp_path / "journal").write_bytes(data)
    with Journal(tmp_path) as journal:
        assert list(journal.records()) == RECORDS[:3]


def test_a_damaged_line_before_the_last_is_not_passed_over(tmp_path: Path) -> None:
    data = write(tmp_path)
    at = data.index(b"\n") + 30
    (tmp_path / "journal").write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    with pytest.raises(JournalDamagedError, match="line 2"):
        Journal(tmp_path)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("at", range(1, 4))
def test_a_failed_append_leaves_nothing_and_a_later_one_succeeds(tmp_path: Path, at: int, code: int) -> None:
    write(tmp_path)
    disk = FailingDisk(0, code)
    with Journal(tmp_path, disk=disk) as journal:
        disk.calls, disk.at = 0, at
        failed = 0
        for record in RECORDS[:2]:
            try:
                journal.append(record)
            except JournalUnwritableError:
                failed += 1
        assert failed == 1
        kept = list(journal.records())
        journal.append(RECORDS[2])
    with Journal(tmp_path) as journal:
        assert list(journal.records()) == [*kept, RECORDS[2]]
        assert journal.number == len(kept) + 1


def test_a_record_that_reached_the_disk_although_its_sync_failed_is_taken_back(tmp_path: Path) -> None:
    """The write arrived, the sync and the cut both failed: the writer was told no, so it must be no."""

    class Stubborn(FailingDisk):
        def truncate(self, descriptor: int, size: int) -> None:
            if self.calls == self.at:
                self.at = -1
                self._fail()
            super().truncate(descriptor, size)

    disk = Stubborn(0)
    with Journal(tmp_path, disk=disk) as journal:
        journal.append(RECORDS[0])
        disk.calls, disk.at = 0, 2
        with pytest.raises(JournalUnwritableError):
            journal.append(RECORDS[1])
        assert (tmp_path / "journal").read_bytes().count(b"\n") == 2
        assert journal.append(RECORDS[2]) == 2
    with Journal(tmp_path) as journal:
        assert list(journal.records()) == [RECORDS[0], RECORDS[2]]


def test_compaction_keeps_what_is_wanted_every_mark_and_the_number(tmp_path: Path) -> None:
    write(tmp_path)
    with Journal(tmp_path) as journal:
        journal.compact(lambda record: record["kind"] == "applied")
        assert list(journal.records()) == [RECORDS[2]]
    with Journal(tmp_path) as journal:
        assert list(journal.records()) == [RECORDS[2]]
        assert journal.marks() == {"acc_a": "100.1", "acc_b": "99.7"}
        assert journal.append(RECORDS[1]) == 5
        journal.compact(lambda _record: False)
        assert journal.number == 5
        assert journal.mark("acc_a") == "100.1"


@pytest.mark.parametrize("at", range(1, 5))
def test_a_failed_compaction_loses_nothing(tmp_path: Path, at: int) -> None:
    write(tmp_path)
    disk = FailingDisk(0)
    with Journal(tmp_path, disk=disk) as journal:
        disk.calls, disk.at = 0, at
        with pytest.raises(JournalUnwritableError):
            journal.compact(lambda record: record["kind"] != "tool")
        assert journal.append({"kind": "later", "account": "acc_c"}) == 5
    with Journal(tmp_path) as journal:
        kept = [record["kind"] for record in journal.records()]
        assert kept in (["intent", "tool", "applied", "intent", "later"], ["intent", "applied", "intent", "later"])
        assert journal.marks() == {"acc_a": "100.1", "acc_b": "99.7"}
        assert not (tmp_path / "journal.new").exists()


def test_the_mark_is_the_highest_as_numbers_not_as_text(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        for mark in ("9.10", "9.9", "10.1", "9.11"):
            journal.append({"kind": "intent", "account": "acc_a", "mark": mark})
        assert journal.mark("acc_a") == "10.1"
        with pytest.raises(ValueError, match="invalid literal"):
            journal.append({"kind": "intent", "account": "acc_a", "mark": "ten"})
        assert journal.number == 4


def test_one_journal_is_opened_once(tmp_path: Path) -> None:
    with Journal(tmp_path), pytest.raises(JournalBusyError):
        Journal(tmp_path)
    Journal(tmp_path).close()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(JournalUnwritableError, match="cannot be used"):
        Journal(tmp_path / "file" / "state")


def test_a_record_is_bounded(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal, pytest.raises(ValueError, match="larger"):
        journal.append({"kind": "intent", "account": "acc_a", "job": "x" * 2**20})
