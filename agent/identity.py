"""Who this agent is: two keys made on this host, the certificate that binds them, and the few counters that never go
back.

    identity.key   P-256, signs requests, results and observations       0600
    sealing.key    X25519, opens what is sealed to this agent            0600
    print.key      32 bytes, keys the fingerprints of password fields    0600
    certificate.pem, identity.json                                       after the enrolment

Keys never leave the host, and nothing but a person removes them: no refusal of a server makes the agent drop its
identity.
"""

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from agent.host.durable import sync_folder

Key = TypeVar("Key", EllipticCurvePrivateKey, X25519PrivateKey)


class IdentityError(Exception):
    """The state folder does not hold what this agent left there. Permanent: a person must look."""


@dataclass(frozen=True)
class Keys:
    """The three keys of this host."""

    signing: EllipticCurvePrivateKey
    sealing: X25519PrivateKey
    prints: bytes


@dataclass(frozen=True)
class Enrolled:
    """What the enrolment gave, and the counters since."""

    agent: str
    resource: str
    boot: int = 0
    sequence: int = 0


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

    def __init__(self, state: Path) -> None:
        """Read the identity, or make its keys.

        Raises:
            IdentityError: a file is damaged, or the folder cannot be used.
        """
        self._state = state
        try:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            state.chmod(0o700)
            signing = _key(state / "identity.key", lambda: generate_private_key(SECP256R1()))
            sealing = _key(state / "sealing.key", X25519PrivateKey.generate)
            if not isinstance(signing, EllipticCurvePrivateKey) or not isinstance(sealing, X25519PrivateKey):
                raise IdentityError(f"a key in {state} is of another kind")
            self.keys = Keys(signing, sealing, _bytes(state / "print.key"))
            self.enrolled = self._read()
        except OSError as error:
            raise IdentityError(f"{state} cannot be used: {error.strerror}") from error

    def _read(self) -> Enrolled | None:
        path = self._state / "identity.json"
        if not path.exists():
            return None
        try:
            return Enrolled(**json.loads(path.read_text("utf-8")))
        except (ValueError, TypeError) as error:
            raise IdentityError(f"{path} is damaged; move it away only if this machine shall enrol anew") from error

    def admit(self, agent: str, resource: str, certificate: bytes) -> Enrolled:
        """Keep what the enrolment gave."""
        write_whole(self._state / "certificate.pem", certificate)
        return self._keep(Enrolled(agent, resource))

    def started(self) -> Enrolled:
        """Count a start of this agent."""
        return self._keep(replace(self._known(), boot=self._known().boot + 1))

    def observed(self) -> int:
        """The next observation's number."""
        return self._keep(replace(self._known(), sequence=self._known().sequence + 1)).sequence

    def _known(self) -> Enrolled:
        if self.enrolled is None:
            raise IdentityError("not enrolled")
        return self.enrolled

    def _keep(self, enrolled: Enrolled) -> Enrolled:
        write_whole(self._state / "identity.json", json.dumps(asdict(enrolled)).encode())
        self.enrolled = enrolled
        return enrolled


def _key(path: Path, make: Callable[[], Key]) -> PrivateKeyTypes:
    if not path.exists():
        made = make()
        write_whole(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return made
    try:
        return load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise IdentityError(f"{path} is damaged") from error


def _bytes(path: Path) -> bytes:
    if not path.exists():
        write_whole(path, secrets.token_bytes(32))
    return path.read_bytes()
