"""Who this agent is: two keys made on this host, the certificate that binds them, and the few counters that never go
back.

    identity.key, sealing.key, certificate.pem         the first pair: P-256 signs, X25519 opens; its certificate   0600
    identity.N.key, sealing.N.key, certificate.N.pem   the pair of the N-th renewal                                 0600
    print.key                                          32 bytes, keys the fingerprints of password fields           0600
    identity.json                                      after the enrolment: which pair is whose turn, and counters  0600

A renewal makes a new pair. identity.json alone says which pair counts, and it is replaced whole, so a kill between any
two steps leaves a working identity:

    1. the new pair is written                  nobody knows it yet; a start takes such files away
    2. identity.json: `next` is the new pair    from now on the same pair is asked for until it is certified, and what
                                                is sealed to it opens, whether or not the answer arrives
    3. its certificate is written
    4. the server took a request signed by it; identity.json: it is the present pair, the old one is retired
    5. the old pair's signing key and certificate are taken away

A retired sealing key is kept until the renewal after: jobs that were sealed to it lie in the mailbox until then at the
latest, because a renewal begins right after a fetch whose jobs were all answered.

Keys never leave the host. Nothing but a person, or a revocation that the scheduler signed (`agent.farewell`), removes
the last ones: no refusal of a server makes the agent drop its identity.
"""

import contextlib
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from agent.host.durable import sync_folder
from libs.wire.seal import KeyId, key_id

_NAMES = (("identity", "key"), ("sealing", "key"), ("certificate", "pem"))


class IdentityError(Exception):
    """The state folder does not hold what this agent left there. Permanent: a person must look."""


@dataclass(frozen=True)
class Pair:
    """A key that signs and a key that opens."""

    signing: EllipticCurvePrivateKey
    sealing: X25519PrivateKey


@dataclass
class Keys:
    """The keys of this host at present. A renewal changes them in place, for all who hold them."""

    signing: EllipticCurvePrivateKey
    sealing: X25519PrivateKey
    prints: bytes
    others: tuple[X25519PrivateKey, ...] = ()
    """What else may have been sealed to: the next pair's key, and retired ones."""

    def opens(self, recipient: KeyId) -> X25519PrivateKey | None:
        """The key that opens what is sealed to this recipient; None where this host has it not."""
        mine = (self.sealing, *self.others)
        return next((each for each in mine if key_id(each.public_key()) == recipient), None)


@dataclass(frozen=True)
class Enrolled:
    """What the enrolment gave, and what happened since."""

    agent: str
    resource: str
    boot: int = 0
    sequence: int = 0
    pair: int = 0
    """The number of the pair that signs."""
    next: int | None = None
    """The pair of a renewal that is under way."""
    retired: tuple[int, ...] = ()
    """Pairs whose sealing key may still be needed."""


def write_whole(path: Path, data: bytes) -> None:
    """Write a private file so that it is there whole or not at all, also after a power cut."""
    aside = path.with_name(path.name + ".new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    aside.replace(path)
    sync_folder(path.parent)


class Identity:
    """The identity in one state folder, which is made private."""

    def __init__(self, state: Path, write: Callable[[Path, bytes], None] = write_whole) -> None:
        """Read the identity, or make its keys. `write` is how a file gets onto the disk.

        Raises:
            IdentityError: a file is damaged, or the folder cannot be used.
        """
        self._state, self._write = state, write
        try:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            state.chmod(0o700)
            self.enrolled = self._read()
            present = self._made(0) if self.enrolled is None else self._pair(self.enrolled.pair)
            self.keys = Keys(present.signing, present.sealing, self._prints())
            if self.enrolled is not None:
                self._take(self.enrolled)
                self._tidy(self.enrolled)
        except OSError as error:
            raise IdentityError(f"{state} cannot be used: {error.strerror}") from error

    def _read(self) -> Enrolled | None:
        path = self._state / "identity.json"
        if not path.exists():
            return None
        try:
            found = Enrolled(**json.loads(path.read_text("utf-8")))
            return replace(found, retired=tuple(found.retired))
        except (ValueError, TypeError) as error:
            raise IdentityError(f"{path} is damaged; move it away only if this machine shall enrol anew") from error

    # ---- enrolment and counters

    def admit(self, agent: str, resource: str, certificate: bytes) -> Enrolled:
        """Keep what the enrolment gave."""
        self._write(self._file("certificate", 0, "pem"), certificate)
        return self._keep(Enrolled(agent, resource))

    def started(self) -> Enrolled:
        """Count a start of this agent."""
        return self._keep(replace(self._known(), boot=self._known().boot + 1))

    def observed(self) -> int:
        """The next observation's number."""
        return self._keep(replace(self._known(), sequence=self._known().sequence + 1)).sequence

    # ---- renewal

    def prepare(self) -> Pair:
        """The pair of the renewal that is under way, or of a new one: durable when this returns."""
        enrolled = self._known()
        if enrolled.next is not None:
            return self._pair(enrolled.next)
        number = max((enrolled.pair, *enrolled.retired)) + 1
        pair = self._made(number)
        self._keep(replace(enrolled, next=number))
        return pair

    def certified(self, certificate: bytes) -> None:
        """Keep the certificate of the pair that is under way; the present pair stays present."""
        number = self._known().next
        if number is None:
            raise IdentityError("no renewal is under way")
        self._write(self._file("certificate", number, "pem"), certificate)

    @property
    def successor(self) -> Pair | None:
        """The pair that is certified and not yet known to be in use.

        It is the one to sign with: the server may have seen it already, and then takes the present one no more.
        """
        number = None if self.enrolled is None else self.enrolled.next
        if number is None or not self._file("certificate", number, "pem").exists():
            return None
        return self._pair(number)

    def disowned(self) -> None:
        """The server does not know the successor: it lost the renewal, which is asked for again with the same pair."""
        number = self._known().next
        if number is not None:
            self._file("certificate", number, "pem").unlink(missing_ok=True)

    def renewed(self, *, answered: bool) -> Enrolled:
        """The server has taken a request signed by the new pair: it is the present one from now on.

        With `answered` every job that was fetched before was answered too, and older retired pairs go.
        """
        enrolled = self._known()
        if enrolled.next is None:
            return enrolled
        kept = () if answered else enrolled.retired
        after = self._keep(replace(enrolled, pair=enrolled.next, next=None, retired=(*kept, enrolled.pair)))
        self._tidy(after)
        return after

    # ---- revocation

    def drop(self) -> None:
        """Takes the identity away, and makes the keys of the next one. Safe to repeat.

        The key of the fingerprints stays: what the journal knows of this host's password fields goes on counting.
        """
        (self._state / "identity.json").unlink(missing_ok=True)
        for name, kind in _NAMES:
            for path in (self._file(name, 0, kind), *self._state.glob(f"{name}.*.{kind}")):
                path.unlink(missing_ok=True)
        sync_folder(self._state)
        self.enrolled = None
        pair = self._made(0)
        self.keys.signing, self.keys.sealing, self.keys.others = pair.signing, pair.sealing, ()

    # ---- parts

    def _known(self) -> Enrolled:
        if self.enrolled is None:
            raise IdentityError("not enrolled")
        return self.enrolled

    def _keep(self, enrolled: Enrolled) -> Enrolled:
        self._write(self._state / "identity.json", json.dumps(asdict(enrolled)).encode())
        self.enrolled = enrolled
        self._take(enrolled)
        return enrolled

    def _take(self, enrolled: Enrolled) -> None:
        """Gives the keys to all who hold them."""
        present = self._pair(enrolled.pair)
        others = [*enrolled.retired] if enrolled.next is None else [enrolled.next, *enrolled.retired]
        self.keys.signing, self.keys.sealing = present.signing, present.sealing
        self.keys.others = tuple(self._sealing(number) for number in others)

    def _tidy(self, enrolled: Enrolled) -> None:
        """Takes away what identity.json does not name: pairs of long ago, and one that nobody asked for yet."""
        signing = {enrolled.pair, enrolled.pair if enrolled.next is None else enrolled.next}
        wanted = {
            *(self._file(name, number, kind) for number in signing for name, kind in _NAMES),
            *(self._file("sealing", number, "key") for number in enrolled.retired),
        }
        for name, kind in _NAMES:
            for path in (self._file(name, 0, kind), *self._state.glob(f"{name}.*.{kind}")):
                if path not in wanted:
                    # What stays because the disk is sick is taken away at a later start.
                    with contextlib.suppress(OSError):
                        path.unlink(missing_ok=True)

    def _file(self, name: str, number: int, kind: str) -> Path:
        return self._state / (f"{name}.{number}.{kind}" if number else f"{name}.{kind}")

    def _made(self, number: int) -> Pair:
        """The pair of this number, made where it is not there yet: nobody knows it before identity.json names it."""
        self._make(self._file("identity", number, "key"), lambda: generate_private_key(SECP256R1()))
        self._make(self._file("sealing", number, "key"), X25519PrivateKey.generate)
        return self._pair(number)

    def _make(self, path: Path, make: Callable[[], EllipticCurvePrivateKey | X25519PrivateKey]) -> None:
        if not path.exists():
            self._write(path, make().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def _pair(self, number: int) -> Pair:
        signing = _key(self._file("identity", number, "key"))
        if not isinstance(signing, EllipticCurvePrivateKey):
            raise IdentityError(f"a key in {self._state} is of another kind")
        return Pair(signing, self._sealing(number))

    def _sealing(self, number: int) -> X25519PrivateKey:
        sealing = _key(self._file("sealing", number, "key"))
        if not isinstance(sealing, X25519PrivateKey):
            raise IdentityError(f"a key in {self._state} is of another kind")
        return sealing

    def _prints(self) -> bytes:
        path = self._state / "print.key"
        if not path.exists():
            self._write(path, secrets.token_bytes(32))
        return path.read_bytes()


def _key(path: Path) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError as error:
        raise IdentityError(f"{path} is gone, so this machine must enrol anew: move identity.json away") from error
    except ValueError as error:
        raise IdentityError(f"{path} is damaged") from error
