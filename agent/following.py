"""What this agent trusts now: its package, and the notices that came since (`libs.wire.notice`).

    notice.json     the newest notice that was taken, and the configuration key of the package that it began with   0600

The file is replaced whole, so a kill between any two steps leaves a trust that works: the one before, whose notices are
asked for again. A package carries the notice of its day; whichever has the higher serial counts. A package of another
system, whose configuration key the kept notice does not know, puts that notice aside.
"""

import ssl
from collections.abc import Callable, Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509 import load_der_x509_certificate
from pydantic import Field, ValidationError

from agent.identity import write_whole
from agent.trust import Package, PackageError, trusting
from libs.wire.model import Wire
from libs.wire.notice import Notice, Place, SignedNotice, Signers, read_notice, signers_of
from libs.wire.seal import KeyId, key_id
from libs.wire.sign import BadSignatureError

_FILE = "notice.json"


class NotFollowedError(Exception):
    """What came as notices is not signed by keys that this agent trusts. What it trusted stays as it was."""


class _Kept(Wire):
    """What lies in the state folder."""

    roots: tuple[KeyId, ...] = Field(min_length=1)
    notice: SignedNotice


class Trust:
    """Keys and authorities that count, changed in place for all who hold this."""

    def __init__(self, package: Package, state: Path, write: Callable[[Path, bytes], None] = write_whole) -> None:
        """The trust as package and state folder have it.

        Raises:
            PackageError: the package's notice is damaged.
        """
        self.package = package
        self._file, self._write = state / _FILE, write
        self._signers = Signers(package.task_keys, package.configuration_keys)
        self.notice: Notice | None = None
        brought = package.notice()
        if brought is not None:
            try:
                self._take(read_notice(brought, self._signers))
            except BadSignatureError as error:
                raise PackageError(f"{package.folder}: its notice does not fit its keys; install it again") from error
        kept = self._kept()
        if kept is not None and kept.serial > self.serial:
            self._take(kept)

    @property
    def serial(self) -> int:
        """Of the newest notice that was taken; 0 where there was none."""
        return 0 if self.notice is None else self.notice.serial

    @property
    def task_keys(self) -> tuple[Ed25519PublicKey, ...]:
        """Whose jobs count."""
        return self._signers.tasks

    @property
    def release_keys(self) -> tuple[Ed25519PublicKey, ...]:
        """Whose programs count: those of the newest notice, or of the package where no notice names any.

        None where one of them is no key.
        """
        if self.notice is None or not self.notice.release_keys:
            return self.package.release_keys()
        try:
            return tuple(Ed25519PublicKey.from_public_bytes(each) for each in self.notice.release_keys)
        except ValueError:
            return ()

    def tls(self, trust_file: Path | None) -> ssl.SSLContext:
        """Trust in the server authorities of the newest notice, or of the package, and in the operator's file.

        Raises:
            PackageError: a certificate file is missing or damaged.
        """
        if self.notice is None:
            return trusting(self.package.folder / "trust.pem", trust_file)
        return trusting(trust_file, certificates=self.notice.server_authorities)

    def leads(self, start: Place) -> tuple[Place, ...]:
        """Where moves lead from the place in agent.conf, which is the first of them."""
        return (start,) if self.notice is None else self.notice.leads(start)

    def follow(self, notices: Iterable[SignedNotice]) -> bool:
        """Takes what is newer and signed as it should be, one after another; whether anything was. Durable then.

        Raises:
            NotFollowedError: the newest of them does not count.
            OSError: the disk refuses; what was trusted stays.
        """
        before, newest, why = self.serial, self.serial, ""
        for signed in notices:
            if signed.serial <= self.serial:
                continue
            newest = max(newest, signed.serial)
            try:
                notice = read_notice(signed, self._signers)
                _usable(notice)
                signers_of(notice)
            except BadSignatureError as error:
                why = str(error)
                continue
            self._keep(signed)
            self._take(notice)
        if self.serial < newest:
            raise NotFollowedError(f"notice {newest} does not count: {why}")
        return self.serial > before

    # ---- parts

    def _take(self, notice: Notice) -> None:
        self._signers, self.notice = signers_of(notice), notice

    def _roots(self) -> set[KeyId]:
        return {key_id(each) for each in self.package.configuration_keys}

    def _keep(self, signed: SignedNotice) -> None:
        kept = _Kept(roots=tuple(sorted(self._roots())), notice=signed)
        self._write(self._file, kept.to_bytes())

    def _kept(self) -> Notice | None:
        """The notice in the state folder; None where it is of another system than the package, or damaged.

        A damaged one must not strand the agent: the server has it, and all that came before.
        """
        try:
            kept = _Kept.model_validate_json(self._file.read_bytes())
            notice = Notice.model_validate_json(kept.notice.payload)
            known = {*kept.roots, *(key_id(each) for each in signers_of(notice).configuration)}
        except (OSError, ValidationError, BadSignatureError):
            return None
        return notice if known & self._roots() else None


def _usable(notice: Notice) -> None:
    """Refuses a notice whose authorities are no certificates: to take it would cut the line to every server."""
    try:
        for each in notice.server_authorities:
            load_der_x509_certificate(each)
    except ValueError as error:
        raise BadSignatureError("an authority in the notice is no certificate") from error
