"""A notice: the whole trust that an agent shall hold from now on, signed by two hands.

`docs/decisions/0011-notices.md` says why. It stands for itself, so it may come over any line. An agent takes it when
one task key and one configuration key that it trusts already have signed it, and its serial is above that of the last
one it took. Each notice is whole, and each is signed by keys that the one before made trusted: an agent that was off
for months follows them in their order.
"""

from collections.abc import Iterable, Sequence
from operator import not_
from typing import Annotated, Literal, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field, StringConstraints, ValidationError

from libs.wire.model import Base64, Millis, Wire
from libs.wire.seal import KeyId
from libs.wire.sign import BadSignatureError, Prefix, Signed, sign, verify

MAX_KEYS = 16
MAX_NOTICE = 262_144
AT_ONCE = 8
"""Notices in one answer: an agent that was off for long asks again for the next."""

Keys = tuple[Base64, ...]

PlaceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]([A-Za-z0-9._:%-]{0,251}[A-Za-z0-9_])?$")]
"""Whatever agent.conf may name: a host's name, or an address, an IPv6 one spelt out."""


class Place(Wire):
    """Where a server is: its name or address, and its port."""

    name: PlaceName
    port: int = Field(ge=1, le=65_535)

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


class Move(Wire):
    """Agents whose server is at `old` shall try `new` first."""

    old: Place
    new: Place


class Notice(Wire):
    """Everything that an agent trusts. Keys are raw, authorities are certificates in DER; their order means nothing."""

    version: Literal[1] = 1
    serial: int = Field(ge=1, lt=2**53)
    issued_at: Millis
    server_authorities: Keys = Field(min_length=1, max_length=MAX_KEYS)
    task_keys: Keys = Field(min_length=1, max_length=MAX_KEYS)  # Ed25519
    configuration_keys: Keys = Field(min_length=1, max_length=MAX_KEYS)  # Ed25519
    release_keys: Keys = Field(max_length=MAX_KEYS)  # Ed25519
    vault_keys: Keys = Field(min_length=1, max_length=MAX_KEYS)  # X25519
    recovery_keys: Keys = Field(min_length=1, max_length=MAX_KEYS)  # X25519
    moves: tuple[Move, ...] = Field(default=(), max_length=64, exclude_if=not_)

    def leads(self, start: Place) -> tuple[Place, ...]:
        """The places that moves lead to from `start`, which is the first of them; the last is where to be."""
        return leads(self.moves, start)


class Signature(Wire):
    """One key's signature."""

    key: KeyId
    signature: Base64 = Field(max_length=128)


class SignedNotice(Wire):
    """The exact bytes of a notice, and who signed them."""

    payload: Base64 = Field(max_length=MAX_NOTICE)
    signatures: tuple[Signature, ...] = Field(min_length=1, max_length=2 * MAX_KEYS)

    @property
    def serial(self) -> int:
        """What the bytes say of their serial, unchecked; 0 where they say nothing."""
        try:
            return Notice.model_validate_json(self.payload).serial
        except ValidationError:
            return 0


class Notices(Wire):
    """Notices in the order of their serials: as a file, and as the answer to an agent."""

    notices: tuple[SignedNotice, ...]


class Signers(NamedTuple):
    """Whose signatures count: one of each is needed."""

    tasks: tuple[Ed25519PublicKey, ...]
    configuration: tuple[Ed25519PublicKey, ...]


def sign_notice(notice: Notice, keys: Sequence[Ed25519PrivateKey]) -> SignedNotice:
    """The notice, signed by each of these keys."""
    payload = notice.to_bytes()
    signed = [sign(payload, Prefix.NOTICE, key) for key in keys]
    return SignedNotice(
        payload=payload,
        signatures=tuple(Signature(key=each.key, signature=each.signature) for each in signed),
    )


def read_notice(signed: SignedNotice, signers: Signers) -> Notice:
    """The notice, once a task key and a configuration key of these were found to have signed it.

    Raises:
        BadSignatureError: one of the two has not, or it is no notice.
    """
    for role, keys in zip(("task", "configuration"), signers, strict=True):
        if not any(_signed_by(signed, key) for key in keys):
            raise BadSignatureError(f"no {role} key that is trusted here has signed it")
    try:
        return Notice.model_validate_json(signed.payload)
    except ValidationError as error:
        raise BadSignatureError("signed as it should be, but not a notice of this version") from error


def signers_of(notice: Notice) -> Signers:
    """Whose signatures count once this notice was taken.

    Raises:
        BadSignatureError: a key in it is none.
    """
    return Signers(_ed25519(notice.task_keys), _ed25519(notice.configuration_keys))


def _ed25519(raw: Iterable[bytes]) -> tuple[Ed25519PublicKey, ...]:
    try:
        return tuple(Ed25519PublicKey.from_public_bytes(each) for each in raw)
    except ValueError as error:
        raise BadSignatureError("a key in the notice is none") from error


def _signed_by(signed: SignedNotice, key: Ed25519PublicKey) -> bool:
    for each in signed.signatures:
        try:
            verify(Signed(payload=signed.payload, key=each.key, signature=each.signature), Prefix.NOTICE, key)
        except BadSignatureError:
            continue
        return True
    return False


def leads(moves: Sequence[Move], start: Place) -> tuple[Place, ...]:
    """The places that moves lead to from `start`, which is the first of them. A circle ends where it would close."""
    path = [start]
    while (after := next((each.new for each in moves if _same(each.old, path[-1])), None)) is not None:
        if any(_same(after, each) for each in path):
            break
        path.append(after)
    return tuple(path)


def _same(one: Place, other: Place) -> bool:
    return (one.name.lower(), one.port) == (other.name.lower(), other.port)
