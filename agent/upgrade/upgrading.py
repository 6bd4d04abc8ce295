"""One agent staying current: what it does with an offer, a little at a time while nothing else is to do.

`Upgrade` is an agent that stays as it is, because it was not installed so that it can be turned.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from agent.following import Trust
from agent.log import Log
from agent.transport import RefusedError, TransportError
from agent.upgrade.download import Download
from agent.upgrade.offer import Here, UpgradeError, examine
from agent.upgrade.program import Program
from agent.upgrade.record import Record, Trial, read_record, write_record
from agent.upgrade.unpack import Free, free_bytes, unpack
from agent.upgrade.window import Window, hour_here
from libs.wire.agent_api import UpgradeNews
from libs.wire.reasons import UpgradeTrouble
from libs.wire.release import ReleaseStatement, in_order
from libs.wire.sign import Signed

Ask = Callable[[str, int], Awaitable[bytes]]
"""The bytes of a runtime from an offset on, by a signed request."""

_NOT_THERE = "not_there"
_NO_SPACE_PAUSE = 3_600.0
_HOLD_ON_TRIAL = 1.0
_BETWEEN_PIECES = 0.2
_BETWEEN_LOOKS = 2.0


class TurnError(Exception):
    """A newer program waits: the agent ends, and `turn.sh` starts that one."""


class Upgrade:
    """Stays as it is."""

    news: UpgradeNews | None = None
    hold: float = float("inf")
    """For how many seconds a poll is held at most: one on trial wants to be answered soon."""
    pause: float = _BETWEEN_LOOKS
    """Seconds until there is something to do again."""

    @property
    def untold(self) -> bool:
        """Whether the server has not heard the news, or that there is none any more, and may hear it now."""
        return False

    def told(self) -> None:
        """The server heard the news."""

    def offered(self, signed: Signed | None, server_time: int) -> None:
        """A session's answer came, with a release or without one. `server_time` in Unix milliseconds."""

    async def work(self, ask: Ask) -> None:
        """Does a little of what there is to do.

        Raises:
            TurnError: the newer program is there.
        """

    def polled(self) -> None:
        """The server answered a poll."""


@dataclass
class Upgrading(Upgrade):
    """Takes newer releases, or, where its operator wants none, only ends a trial that has begun.

    `interval` is in seconds: so often at most the server hears news out of turn.
    """

    program: Program
    trust: Trust
    state: Path
    window: Window
    log: Log
    version: str
    interval: float
    takes: bool
    clock: Callable[[], int]  # Unix milliseconds by the host
    tick: Callable[[], float]  # seconds by a clock that never jumps
    hour: Callable[[], int] = hour_here
    read_here: Callable[[str], Here] = Here.read
    free: Free = free_bytes
    _said: ReleaseStatement | None = field(default=None, init=False)
    _told: UpgradeNews | None = field(default=None, init=False)
    _not_before: float = field(default=0.0, init=False)
    _may_tell_at: float = field(default=0.0, init=False)
    _settled: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._record = read_record(self.state)
        self.program.tidy()
        self._on_trial = self.program.on_trial
        if self._on_trial:
            self.hold = _HOLD_ON_TRIAL
            self.log.say("on trial", release=self.version)
        else:
            self._after_trial()
        self.news = self._record.news

    def _after_trial(self) -> None:
        """What became of the release that was on trial, if one was."""
        trial = self._record.trial
        if trial is not None and trial.release != self.version:
            if self.program.went_back:
                error = UpgradeError(UpgradeTrouble.WENT_BACK, f"{self.version} goes on")
                self._given_back(trial, error)
                self.log.say("went back", release=trial.release, code=error.code.value)
            else:
                self._keep(self._record.model_copy(update={"trial": None}))  # another program was installed meanwhile
        with contextlib.suppress(OSError):
            self.program.seen_back()

    # ---- what the server hears

    @property
    def untold(self) -> bool:
        return self.news != self._told and self.tick() >= self._may_tell_at

    def told(self) -> None:
        self._told, self._may_tell_at = self.news, self.tick() + self.interval

    def offered(self, signed: Signed | None, server_time: int) -> None:
        self._said = None
        if self._on_trial:
            return
        if signed is None or not self.takes:
            self._tell(None)
            return
        here = self.read_here(max(self._record.floor or self.version, self.version, key=in_order))
        try:
            said = examine(signed, self.trust.release_keys, here, now=max(self.clock(), server_time))
        except UpgradeError as error:
            self._tell(error.news(_name(signed)))
            return
        if in_order(said.release) > in_order(self.version) and self._record.may_try(said.sha256, self.clock()):
            self._said = said
            Download(self.state, said).tidy()

    # ---- a little at a time

    async def work(self, ask: Ask) -> None:
        self.pause, said = _BETWEEN_LOOKS, self._said
        if said is None or self.tick() < self._not_before or not self.window.open(self.hour()):
            return
        try:
            await self._a_little(said, ask)
        except UpgradeError as error:
            self._said = None
            self._not_taken(said, error)
        except TransportError as error:
            self.log.say("a newer release is not downloaded yet", code=error.code, why=str(error))
            self._not_before = self.tick() + self.interval
            if isinstance(error, RefusedError) and error.code == _NOT_THERE:
                self._said = None  # it was taken back
        except OSError as error:
            self._said = None
            self._not_taken(said, UpgradeError(UpgradeTrouble.NO_SPACE, str(error)))

    async def _a_little(self, said: ReleaseStatement, ask: Ask) -> None:
        download = Download(self.state, said)
        if not download.complete:
            if download.offset == 0:
                self.log.say("downloads", release=said.release, bytes=said.size)
            offset = download.offset
            download.add(offset, await ask(said.sha256, offset))
            self.pause = _BETWEEN_PIECES
            return
        await asyncio.to_thread(self._prepare, download)
        self._keep(self._record.model_copy(update={"trial": Trial(release=said.release, sha256=said.sha256)}))
        self.program.ready()
        self.log.say("turns to a newer release", release=said.release)
        raise TurnError

    def _prepare(self, download: Download) -> None:
        """The newer program, unpacked and rehearsed."""
        download.check()
        keys, release = self.trust.release_keys, download.said.release
        unpack(download.file, self.program.rehearsal, keys, release, self.free)
        self.program.rehearse()
        download.drop()

    def _not_taken(self, said: ReleaseStatement, error: UpgradeError) -> None:
        self.program.tidy()
        if error.code is UpgradeTrouble.NO_SPACE:
            self._not_before = self.tick() + _NO_SPACE_PAUSE
            self._tell(error.news(said.release))
            return
        with contextlib.suppress(OSError):
            Download(self.state, said).drop()
        self._given_back(Trial(release=said.release, sha256=said.sha256), error)
        self._tell(self._record.news)

    # ---- the end of a trial

    def polled(self) -> None:
        if self._settled:
            return
        floor = max(self._record.floor or self.version, self.version, key=in_order)
        try:
            trial = self._record.trial
            if self._on_trial or (trial is not None and trial.release == self.version):  # or it was cut while keeping
                self.program.keep()
                self._on_trial, self.hold = False, float("inf")
                self._keep(Record(floor=floor))
                self.news = None
                self.log.say("kept", release=self.version)
            elif floor != self._record.floor:
                self._keep(self._record.model_copy(update={"floor": floor}))
        except OSError as error:
            self.log.say("not kept yet", why=str(error))
            return
        self._settled = True

    # ---- parts

    def _tell(self, news: UpgradeNews | None) -> None:
        if news == self.news:
            return
        self.news = news
        if news is not None:
            self.log.say("a newer release is not taken", code=news.code, release=news.release, why=news.detail)
        elif self._record.news is not None:
            with contextlib.suppress(OSError):
                self._keep(self._record.model_copy(update={"news": None}))

    def _given_back(self, trial: Trial, error: UpgradeError) -> None:
        after = self._record.went_back(trial, error.news(trial.release), self.clock())
        self._record = after
        with contextlib.suppress(OSError):
            write_record(self.state, after)

    def _keep(self, record: Record) -> None:
        write_record(self.state, record)
        self._record = record


def _name(signed: Signed) -> str:
    """Which release a statement names that does not count."""
    try:
        return ReleaseStatement.model_validate_json(signed.payload).release
    except ValidationError:
        return "unknown"
