"""Both backends against the contract, and the Linux one on files and tools made up for the test."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.backends.chpasswd import Chpasswd, ToolEnd
from agent.backends.crypt import load_crypt
from agent.backends.directory import nobody, sources_of
from agent.backends.linux_local import LinuxLocal
from agent.backends.memory import MemoryBackend
from agent.backends.ports import Backend, Bounds, FoundAccount, Opens, SetOutcome, Started
from libs.wire.observations import Kind
from libs.wire.reasons import Reason, Remark
from libs.wire.secret import Secret
from tests.unit.agent.backend_contract import NEW, OLD, BackendContract, no_started

CRYPT = load_crypt()
PASSWD = """root:x:0:0:root:/root:/bin/bash
daemon:x:1:1::/usr/sbin:/usr/sbin/nologin
ops:x:1500:1500::/home/ops:/bin/bash
closed:x:1501:1501::/home/closed:/bin/bash
shut:x:1502:1502::/home/shut:/bin/sh
"""


def hashed(secret: Secret, setting: bytes = b"$6$rounds=1000$saltsalt") -> str:
    answer = CRYPT.hash(secret.reveal(), setting)
    assert answer is not None
    return answer.decode()


def make_etc(root: Path, shadow: dict[str, str] | None = None, passwd: str = PASSWD) -> Path:
    fields = {"root": "*", "daemon": "*", "ops": hashed(OLD), "closed": "!", "shut": f"!{hashed(OLD)}"} | (shadow or {})
    etc = root / "etc"
    etc.mkdir()
    (etc / "passwd").write_text(passwd)
    (etc / "shadow").write_text("".join(f"{name}:{field}:19000:0:99999:7:::\n" for name, field in fields.items()))
    return root


class FileTool:
    """Does what chpasswd does, to the files below a root."""

    def __init__(self, root: Path, *, end: ToolEnd | None = None, setting: bytes = b"$6$rounds=1000$newsaltx") -> None:
        self.shadow = root / "etc/shadow"
        self.end = end
        self.setting = setting
        self.lines: list[bytes] = []

    async def run(self, line: bytes, *, encrypted: bool, started: Started) -> ToolEnd:
        started(4_000_000, 1)
        self.lines.append(line)
        if self.end is not None:
            return self.end
        name, _, field = line.removesuffix(b"\n").partition(b":")
        new = field if encrypted else hashed(Secret(field), self.setting).encode()
        rows = [row.split(b":") for row in self.shadow.read_bytes().splitlines()]
        rows = [[row[0], new, *row[2:]] if row[0] == name else row for row in rows]
        self.shadow.write_bytes(b"".join(b":".join(row) + b"\n" for row in rows))
        return ToolEnd(0, b"")


Make = Callable[..., tuple[LinuxLocal, FileTool]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def build(
        shadow: dict[str, str] | None = None, *, passwd: str = PASSWD, end: ToolEnd | None = None, setting: bytes = b""
    ) -> tuple[LinuxLocal, FileTool]:
        root = make_etc(tmp_path, shadow, passwd)
        tool = FileTool(root, end=end, setting=setting or b"$6$rounds=1000$newsaltx")
        one = LinuxLocal(
            root=root, tool=tool, crypt=CRYPT, who_answers=nobody, now=lambda: 20_000 * 86_400.0, lock_seconds=0.2
        )
        return one, tool

    return build


class TestMemoryBackend(BackendContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return MemoryBackend(
            [
                (FoundAccount("ops", 1500, 1500, "/bin/bash"), OLD),
                (FoundAccount("closed", 1501, 1501, "/bin/bash", frozenset({Kind.LOCKED, Kind.NO_PASSWORD})), None),
                (FoundAccount("shut", 1502, 1502, "/bin/bash", frozenset({Kind.LOCKED})), OLD),
            ]
        )


class TestLinuxLocal(BackendContract):
    @pytest.fixture
    def backend(self, make: Make) -> Backend:
        return make()[0]


async def test_every_kind_is_seen(make: Make) -> None:
    passwd = PASSWD + "toor:x:0:0::/root:/bin/sh\nguest:x:1600:1600::/:/bin/false\nbare:x:1601:1601::/:\n"
    one, _ = make({"toor": hashed(OLD), "guest": "", "ops": f"{hashed(OLD)}"}, passwd=passwd)
    shadow = one._shadow.read_text().replace(
        f"ops:{hashed(OLD)}:19000:0:99999:7:::", f"ops:{hashed(OLD)}:1:0:9:7::19000:"
    )
    one._shadow.write_text(shadow)
    kinds = {account.name: account.kinds for account in (await one.discover(Bounds())).accounts}
    assert kinds == {
        "root": {Kind.ROOT_EQUIVALENT, Kind.LOCKED, Kind.NO_PASSWORD},
        "daemon": {Kind.SYSTEM, Kind.LOCKED, Kind.NO_PASSWORD, Kind.NO_LOGIN_SHELL},
        "ops": {Kind.EXPIRED},
        "closed": {Kind.LOCKED, Kind.NO_PASSWORD},
        "shut": {Kind.LOCKED},
        "toor": {Kind.ROOT_EQUIVALENT},
        "guest": {Kind.NO_PASSWORD, Kind.NO_LOGIN_SHELL},
        "bare": {Kind.LOCKED, Kind.NO_PASSWORD},  # it has no line in shadow
    }
    compared = await one.compare("ops", 1500, OLD)
    assert compared.remarks == {Remark.EXPIRED}


async def test_a_field_in_passwd_itself_counts(make: Make) -> None:
    one, _ = make(passwd=PASSWD + f"old:{hashed(OLD)}:1700:1700::/:/bin/sh\n")
    assert (await one.compare("old", 1700, OLD)).opens is Opens.OPENS


@pytest.mark.parametrize("mark", ["!", "!!", "*", "!*"])
async def test_every_lock_mark_is_kept(make: Make, mark: str) -> None:
    one, tool = make({"shut": f"{mark}{hashed(OLD)}"})
    answer = await one.set("shut", 1502, NEW, unlock=False, started=no_started)
    assert answer.outcome is SetOutcome.DONE
    assert tool.lines[0].startswith(f"shut:{mark}$".encode())
    assert NEW.reveal() not in tool.lines[0]


@pytest.mark.parametrize("field", ["*", "!", "!!", "!*", "*LK*", "!x"])
async def test_every_mark_without_a_hash_is_refused(make: Make, field: str) -> None:
    one, tool = make({"shut": field})
    answer = await one.set("shut", 1502, NEW, unlock=False, started=no_started)
    assert (answer.outcome, answer.reason) == (SetOutcome.REFUSED, Reason.ACCOUNT_LOCKED)
    assert tool.lines == []
    assert (await one.compare("shut", 1502, NEW)).opens is Opens.DOES_NOT_OPEN


async def test_an_unknown_format_cannot_be_told(make: Make) -> None:
    one, _ = make({"ops": "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"})
    compared = await one.compare("ops", 1500, OLD)
    assert (compared.opens, compared.reason) == (Opens.CANNOT_TELL, Reason.HASH_NOT_KNOWN)
    assert "aGFzaA" not in compared.detail


@pytest.mark.parametrize(
    ("setting", "plain", "remarks"),
    [
        (b"$2b$04$..CA.uOD/eaGAOmJB.yMBu", b"b" * 71, set()),
        (b"$2b$04$..CA.uOD/eaGAOmJB.yMBu", b"b" * 73, {Remark.HASH_IGNORES_TAIL}),
        (b"ab", b"passwordlong", {Remark.HASH_IGNORES_TAIL, Remark.HASH_IS_WEAK}),
        (b"ab", b"short", {Remark.HASH_IS_WEAK}),
        (b"$1$saltsalt$", b"x" * 40, {Remark.HASH_IS_WEAK}),
    ],
)
async def test_what_a_hash_ignores_is_remarked(make: Make, setting: bytes, plain: bytes, remarks: set[Remark]) -> None:
    one, _ = make({"ops": hashed(Secret(plain), setting)}, setting=setting)
    compared = await one.compare("ops", 1500, Secret(plain))
    assert compared.opens is Opens.OPENS
    assert compared.remarks == remarks
    answer = await one.set("ops", 1500, Secret(plain), unlock=False, started=no_started)
    assert answer.outcome is SetOutcome.DONE
    assert answer.remarks == remarks


async def test_a_tools_words_are_scrubbed(make: Make) -> None:
    plain = NEW.reveal()
    said = b"chpasswd: no: " + plain + b"\n" + repr(plain).encode() + b" " + plain.hex().encode() + b"\x1b[2J"
    one, _ = make(end=ToolEnd(1, said))
    answer = await one.set("ops", 1500, NEW, unlock=False, started=no_started)
    assert (answer.outcome, answer.reason) == (SetOutcome.REFUSED, Reason.REFUSED_BY_HOST)
    assert answer.detail.startswith("no: ***")
    assert "Neu" not in answer.detail
    assert plain.hex() not in answer.detail
    assert answer.detail.isprintable()


async def test_a_tool_that_cannot_be_ended_leaves_it_unknown(make: Make) -> None:
    one, _ = make(end=ToolEnd(None, b"", reaped=False))
    answer = await one.set("ops", 1500, NEW, unlock=False, started=no_started)
    assert (answer.outcome, answer.reason) == (SetOutcome.UNKNOWN, Reason.TOOL_UNFINISHED)


async def test_a_failed_tool_whose_password_is_live_has_done_it(make: Make) -> None:
    one, _ = make({"ops": hashed(NEW)}, end=ToolEnd(1, b"nscd could not be told"))
    answer = await one.set("ops", 1500, NEW, unlock=False, started=no_started)
    assert (answer.outcome, answer.detail) == (SetOutcome.DONE, "nscd could not be told")


async def test_a_field_that_somebody_else_changed_meanwhile_is_unknown(make: Make) -> None:
    one, _ = make(end=ToolEnd(1, b"no"))

    def started(_pid: int, _birth: int) -> None:
        one._shadow.write_text(one._shadow.read_text().replace(hashed(OLD), hashed(Secret("third"))))

    answer = await one.set("ops", 1500, NEW, unlock=False, started=started)
    assert (answer.outcome, answer.reason) == (SetOutcome.UNKNOWN, Reason.NOT_LIVE_AFTER_SET)


async def test_a_shadow_that_is_not_there_is_no_empty_discovery(make: Make) -> None:
    one, _ = make()
    one._shadow.unlink()
    with pytest.raises(FileNotFoundError):
        await one.discover(Bounds())
    assert (await one.compare("ops", 1500, OLD)).opens is Opens.CANNOT_TELL


async def test_a_host_without_the_tool_is_refused_not_broken(make: Make) -> None:
    one, _ = make()
    one._tool = Chpasswd(os.environ, command=("keyturn-no-such-tool",))
    answer = await one.set("ops", 1500, NEW, unlock=False, started=no_started)
    assert (answer.outcome, answer.reason) == (SetOutcome.REFUSED, Reason.REFUSED_BY_HOST)
    assert "keyturn-no-such-tool cannot be started: No such file" in answer.detail


async def test_what_cannot_be_read_is_refused_not_broken(make: Make) -> None:
    one, tool = make()
    one._shadow.unlink()
    answer = await one.set("ops", 1500, NEW, unlock=False, started=no_started)
    assert (answer.outcome, answer.reason) == (SetOutcome.REFUSED, Reason.NO_PRIVILEGE)
    assert tool.lines == []
    assert await one.fingerprint("ops", 1500, b"k" * 32) is None


async def test_a_large_file_is_read_within_its_bounds(make: Make) -> None:
    many = "".join(f"u{number}:x:{100_000 + number}:100::/:/bin/sh\n" for number in range(20_000))
    one, _ = make(passwd=PASSWD + many)
    found = await one.discover(Bounds())
    assert len(found.accounts) == 5_000
    assert found.cut
    by_bytes = await one.discover(Bounds(file_bytes=100_000, accounts=100_000))
    assert by_bytes.cut
    assert len(by_bytes.accounts) < 5_000
    last = await one.find("u19999", 119_999)
    assert last is not None


async def test_a_line_without_end_is_skipped_not_kept(make: Make) -> None:
    one, _ = make(passwd="a" * 100_000 + "\n" + PASSWD)
    found = await one.discover(Bounds())
    assert [skipped.rule for skipped in found.skipped] == ["line_too_long"]
    assert found.accounts[0].name == "root"


async def test_the_real_runner_feeds_one_line_and_ends_its_tool(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    copy = Chpasswd(os.environ, command=("sh", "-c", f"cat >{tmp_path}/got; echo said; exit 3", "_"))
    end = await copy.run(b"ops:word\n", encrypted=False, started=lambda *tool: seen.append(tool))
    assert end == ToolEnd(3, b"said\n")
    assert (tmp_path / "got").read_bytes() == b"ops:word\n"
    assert seen[0][1] > 0
    slow = Chpasswd(os.environ, command=("sh", "-c", "sleep 600 & sleep 600", "_"), seconds=0.3)
    assert await slow.run(b"ops:word\n", encrypted=False, started=no_started) == ToolEnd(None, b"")


def test_the_sources_of_a_host_are_read_without_the_local_files(tmp_path: Path) -> None:
    (tmp_path / "nsswitch.conf").write_text("# passwd: nis\npasswd:  files [NOTFOUND=return] sss ldap # x\ngroup: y\n")
    assert sources_of(tmp_path / "nsswitch.conf") == ["sss", "ldap"]
    assert sources_of(tmp_path / "none") == []


def test_the_hosts_library_verifies_its_own_current_formats() -> None:
    assert {"$y$", "$6$", "$2b$", "$1$"} <= set(CRYPT.verifies())
    assert not CRYPT.can_verify(None)
    assert not CRYPT.can_verify(b"$argon2id$")


async def test_a_password_counts_as_set_only_when_a_power_cut_could_not_take_it_back(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, tool = make()
    written_through: list[bool] = []

    def fsync(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink() == tool.shadow.parent and tool.lines:
            written_through.append(True)
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fsync)
    answer = await one.set("ops", 1500, NEW, unlock=False, started=no_started)
    assert written_through == [True]
    assert (answer.outcome, "cannot be written through" in answer.detail) == (SetOutcome.UNKNOWN, True)
