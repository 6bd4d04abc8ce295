"""Local accounts of a Linux host: found in its files, set by its own tool, compared by its own library.

A set tells three ends apart. The new password opens the account: done, whatever the tool said. It does not, and the
field is what it was before: refused, nothing changed. Anything else: unknown, either password may be live.
"""

import asyncio
import errno
import hashlib
import hmac
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from agent.backends import account_lock, preflight
from agent.backends.account_kinds import effective_field, kinds_of, system_uids_below
from agent.backends.chpasswd import ChangeTool, Chpasswd, ToolEnd, ToolNotStartedError
from agent.backends.comparison import compare_field, last_byte_changed
from agent.backends.crypt import Crypt, load_crypt
from agent.backends.directory import WhoAnswers, ask_getent
from agent.backends.hash_method import salt_for_new_password
from agent.backends.passwd_file import PasswdLine, ShadowLine, find_passwd, read_passwd, read_shadow
from agent.backends.password_field import take_apart
from agent.backends.ports import (
    Bounds,
    Busy,
    Comparison,
    Discovery,
    FoundAccount,
    Opens,
    Reaped,
    SetAnswer,
    SetOutcome,
    Started,
)
from agent.host import processes
from agent.host.durable import sync_folder
from libs.wire.reasons import Reason, Remark
from libs.wire.secret import Secret
from libs.wire.settable import why_not_settable

_DETAIL_LETTERS: Final = 300
_SEARCH: Final = Bounds(file_bytes=256 * 1024 * 1024, seconds=30.0)
_TOOL_NOISE: Final = "chpasswd: "


class LinuxLocal:
    """The backend over the files below `root`; the tool decides for itself which files it changes."""

    def __init__(
        self,
        *,
        root: Path,
        tool: ChangeTool,
        crypt: Crypt,
        who_answers: WhoAnswers,
        now: Callable[[], float] = time.time,
        lock_seconds: float = 20.0,
        reap_seconds: float = 40.0,
    ) -> None:
        """`lock_seconds` bounds the wait for the lock of the account files, `reap_seconds` that for an old tool."""
        self._root = root
        self._passwd = root / "etc/passwd"
        self._shadow = root / "etc/shadow"
        self._lock_file = root / "etc/.pwd.lock"
        self._tool = tool
        self._crypt = crypt
        self._who_answers = who_answers
        self._now = now
        self._lock_seconds = lock_seconds
        self._reap_seconds = reap_seconds
        # The lock of the account files belongs to this whole process, so its own sets take turns here.
        self._turn = asyncio.Lock()

    async def discover(self, bounds: Bounds, key: bytes | None = None) -> Discovery:
        """See `Backend.discover`. Each file is read once, however many accounts there are."""
        return await asyncio.to_thread(self._discover, bounds, key)

    def _discover(self, bounds: Bounds, key: bytes | None) -> Discovery:
        read = read_passwd(self._passwd, bounds)
        shadow, shadow_cut = read_shadow(self._shadow, frozenset(line.name for line in read.lines), bounds)
        below = system_uids_below(self._root)
        # An account whose shadow line lies behind the bound is left out: nothing true could be said of it.
        known = [line for line in read.lines if not shadow_cut or line.name in shadow or not line.shadowed]
        accounts = tuple(
            replace(
                self._found(line, shadow.get(line.name), below),
                fingerprint=_fingerprint(line, shadow.get(line.name), key) if key is not None else None,
            )
            for line in known
        )
        return Discovery(accounts, read.skipped, cut=read.cut or shadow_cut)

    def _found(self, line: PasswdLine, shadow: ShadowLine | None, below: int) -> FoundAccount:
        kinds = kinds_of(line, shadow, today=int(self._now() // 86_400), system_below=below)
        return FoundAccount(line.name, line.uid, line.gid, line.shell, kinds)

    async def find(self, name: str, uid: int) -> FoundAccount | None:
        """See `Backend.find`."""
        found = await asyncio.to_thread(self._look_up, name, uid)
        return None if found is None else self._found(*found, system_uids_below(self._root))

    def _look_up(self, name: str, uid: int) -> tuple[PasswdLine, ShadowLine | None] | None:
        line = find_passwd(self._passwd, name, _SEARCH)
        if line is None or line.uid != uid:
            return None
        shadow, _ = read_shadow(self._shadow, frozenset({name}), _SEARCH)
        return line, shadow.get(name)

    async def fingerprint(self, name: str, uid: int, key: bytes) -> str | None:
        """See `Backend.fingerprint`: HMAC-SHA256 over uid and field."""
        try:
            found = await asyncio.to_thread(self._look_up, name, uid)
        except OSError:
            return None
        return None if found is None else _fingerprint(*found, key)

    async def compare(self, name: str, uid: int, secret: Secret) -> Comparison:
        """See `Backend.compare`."""
        try:
            found = await asyncio.to_thread(self._look_up, name, uid)
        except OSError as error:
            sentence = f"the agent cannot read {error.filename}: {error.strerror}"
            return Comparison(Opens.CANNOT_TELL, Reason.NO_PRIVILEGE, sentence)
        if found is None:
            return Comparison(Opens.CANNOT_TELL, Reason.NOT_A_LOCAL_ACCOUNT, await self._not_local(name, uid))
        kinds = kinds_of(*found, today=int(self._now() // 86_400), system_below=0)
        return await asyncio.to_thread(compare_field, self._crypt, take_apart(effective_field(*found)), kinds, secret)

    async def set(self, name: str, uid: int, secret: Secret, *, unlock: bool, started: Started) -> SetAnswer:
        """See `Backend.set`."""
        if rule := why_not_settable(secret):
            return _refused(Reason.PASSWORD_NOT_SETTABLE, rule)
        async with self._turn:
            try:
                before = await self._field_to_change(name, uid, unlock=unlock)
            except OSError as error:
                return _refused(Reason.NO_PRIVILEGE, f"the agent cannot read {error.filename}: {error.strerror}")
            if isinstance(before, SetAnswer):
                return before
            mark = b"" if unlock else take_apart(before).mark
            line = await asyncio.to_thread(self._line, name, secret, mark)
            if line is None:
                return _refused(Reason.REFUSED_BY_HOST, "this host's libcrypt makes no salt for a locked account")
            try:
                end = await self._tool.run(line, encrypted=bool(mark), started=started)
            except ToolNotStartedError as error:
                return _refused(Reason.REFUSED_BY_HOST, str(error))
            return await self._judge(name, uid, secret, before, end)

    async def _field_to_change(self, name: str, uid: int, *, unlock: bool) -> bytes | SetAnswer:
        """The account's field as it is, or why the set is refused before anything is begun."""
        found = await asyncio.to_thread(self._look_up, name, uid)
        if found is None:
            return _refused(Reason.NOT_A_LOCAL_ACCOUNT, await self._not_local(name, uid))
        before = effective_field(*found)
        if take_apart(before).never_had and not unlock:
            return _refused(Reason.ACCOUNT_LOCKED, f"{name} never had a password and is closed to passwords")
        if obstacle := await asyncio.to_thread(preflight.examine, self._root):
            return _refused(obstacle.reason, obstacle.sentence)
        if in_the_way := await self.settle():
            return _refused(Reason.ACCOUNT_DB_BUSY, in_the_way.sentence)
        return before

    def _line(self, name: str, secret: Secret, mark: bytes) -> bytes | None:
        """The tool's one line. A locked account's field is made here, so that it is never unlocked in between."""
        field = secret.reveal()
        if mark:
            salt = salt_for_new_password(self._root, self._crypt)
            hashed = self._crypt.hash(field, salt) if salt else None
            if hashed is None:
                return None
            field = mark + hashed
        return name.encode() + b":" + field + b"\n"

    async def _judge(self, name: str, uid: int, secret: Secret, before: bytes, end: ToolEnd) -> SetAnswer:
        said = _sentence(end.text, secret)
        if not end.reaped:
            return SetAnswer(SetOutcome.UNKNOWN, Reason.TOOL_UNFINISHED, "the tool was killed but has not ended")
        now = await self.compare(name, uid, secret)
        if now.opens is Opens.OPENS:
            try:
                # The tool leaves its last rename to the kernel: a power cut would bring the old file back.
                await asyncio.to_thread(sync_folder, self._shadow.parent)
            except OSError as error:
                lost = f"the password is set, but {self._shadow.parent} cannot be written through: {error.strerror}"
                return SetAnswer(SetOutcome.UNKNOWN, detail=lost)
            remarks = now.remarks | await self._tail_remark(name, uid, secret)
            return SetAnswer(SetOutcome.DONE, remarks=remarks, detail=said if end.code else "")
        if now.opens is Opens.CANNOT_TELL:
            return SetAnswer(SetOutcome.UNKNOWN, now.reason, now.detail, now.remarks)
        if end.code == 0 or await self._field_now(name, uid) != before:
            return SetAnswer(SetOutcome.UNKNOWN, Reason.NOT_LIVE_AFTER_SET, said, now.remarks)
        return replace(await self._why_refused(end, said), remarks=now.remarks)

    async def _field_now(self, name: str, uid: int) -> bytes | None:
        try:
            found = await asyncio.to_thread(self._look_up, name, uid)
        except OSError:
            return None  # what cannot be read cannot be called unchanged
        return None if found is None else effective_field(*found)

    async def _why_refused(self, end: ToolEnd, said: str) -> SetAnswer:
        if obstacle := await asyncio.to_thread(preflight.examine, self._root):
            return _refused(obstacle.reason, obstacle.sentence)
        if end.code is None:
            in_the_way = await asyncio.to_thread(account_lock.busy, self._lock_file)
            if in_the_way.holder:
                return _refused(Reason.ACCOUNT_DB_BUSY, in_the_way.sentence)
            return _refused(Reason.REFUSED_BY_HOST, "the tool did not end in time; it was killed and changed nothing")
        return _refused(Reason.REFUSED_BY_HOST, said or f"the tool ended with status {end.code}")

    async def _tail_remark(self, name: str, uid: int, secret: Secret) -> frozenset[Remark]:
        """What a password with another last byte says: a hash that takes it too ignores the end."""
        answer = await self.compare(name, uid, last_byte_changed(secret))
        return frozenset({Remark.HASH_IGNORES_TAIL}) if answer.opens is Opens.OPENS else frozenset()

    async def reap(self, pid: int, birth: int) -> Reaped:
        """See `Backend.reap`."""
        if processes.birth_of(pid) != birth:
            return Reaped.GONE
        if await processes.ended_within(pid, birth, self._reap_seconds):
            return Reaped.ENDED
        processes.kill(pid, birth)
        return Reaped.KILLED if await processes.ended_within(pid, birth, 10.0) else Reaped.STILL_RUNNING

    async def settle(self) -> Busy | None:
        """See `Backend.settle`."""
        try:
            async with account_lock.held(self._lock_file, self._lock_seconds) as in_the_way:
                return in_the_way
        except OSError as error:
            if error.errno == errno.EROFS:
                return None  # no tool can be in the middle of a change of files that cannot be changed
            return Busy(None, f"the agent cannot take the lock {self._lock_file}: {error.strerror}")

    async def _not_local(self, name: str, uid: int) -> str:
        line = await asyncio.to_thread(find_passwd, self._passwd, name, _SEARCH)
        if line is not None:
            return f"{name} has the uid {line.uid} on this host, not {uid}: it is another account"
        source = await self._who_answers(name)
        where = f"the name service's source {source} answers for it" if source else "no directory answers for it either"
        return f"{name} has no line in {self._passwd}; {where}"


def _fingerprint(line: PasswdLine, shadow: ShadowLine | None, key: bytes) -> str:
    return hmac.new(key, f"{line.uid}:".encode() + effective_field(line, shadow), hashlib.sha256).hexdigest()


def _refused(reason: Reason, sentence: str) -> SetAnswer:
    return SetAnswer(SetOutcome.REFUSED, reason, sentence[:_DETAIL_LETTERS])


def _sentence(text: bytes, secret: Secret) -> str:
    """The tool's words on one line, without the password in any form that a tool might quote it in."""
    plain = secret.reveal()
    for form in (plain, plain.hex().encode(), repr(plain)[2:-1].encode()):
        text = text.replace(form, b"***")
    words = " ".join(secret.scrub(text.decode("utf-8", "replace")).split())
    return "".join(letter if letter.isprintable() else "?" for letter in words).removeprefix(_TOOL_NOISE)[
        :_DETAIL_LETTERS
    ]


def open_linux_local(environ: Mapping[str, str] = os.environ) -> LinuxLocal:
    """The backend of this very host.

    Raises:
        CryptUnavailableError: the host has no libcrypt.
    """
    root = Path("/")
    return LinuxLocal(
        root=root,
        tool=Chpasswd(environ),
        crypt=load_crypt(),
        who_answers=ask_getent(environ, root / "etc/nsswitch.conf"),
    )
