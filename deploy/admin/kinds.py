"""The kinds of keys that can be rolled over: in which files they lie, and how a new one is made.

shown   the file whose order counts: its first entry is in use, the others are trusted beside it
held    the private halves of all that may still be needed; kinds without one are secret as a whole, or made elsewhere
record  the two keys of a roll-over that is under way, in the private folder of the service that owns them
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from cryptography.x509 import load_pem_x509_certificate

from deploy.admin import layout
from deploy.admin.errors import AdminError
from deploy.admin.keys import make_pair, public_half, public_of
from libs.pki.check import issued_by
from libs.wire.key_files import blocks


class Kind(StrEnum):
    """What can be rolled over."""

    TASKS = "tasks"
    SERVERS = "servers"
    AGENTS = "agents"
    VAULT = "vault"
    SESSION = "session"
    RELEASE = "release"
    CONFIGURATION = "configuration"


class Made(NamedTuple):
    """A new key: its private half where this folder holds it, and what is shown of it."""

    private: bytes | None
    shown: bytes


@dataclass(frozen=True)
class Files:
    """Where the keys of one kind lie, below the folder of keys."""

    kind: Kind
    folder: str  # of the service that owns them
    name: str  # of the files, without an ending
    shown: str  # below the folder of keys
    mode: int
    make: Callable[[int], Made]  # of Unix milliseconds
    held: str | None
    restart: str  # what reads the keys at its start, in this order
    entries: Callable[[bytes], tuple[bytes, ...]] = blocks
    tells: bool = True
    """Whether agents are told of it by a notice."""
    retired: str | None = None
    """Where a retired key is kept, for what it is still good for; below the folder of keys."""
    unready: Callable[[Path, bytes], str | None] = lambda _folder, _new: None
    """Why the old key cannot be retired yet, in a sentence, as far as the folder of keys tells it."""

    @property
    def record(self) -> str:
        return f"{self.folder}/{self.name}.roll.json"


def _gateway_waits(folder: Path, new: bytes) -> str | None:
    """A gateway whose certificate is of the old authority would be trusted by nobody any more."""
    served = folder / "gateway" / "tls.pem"
    if not served.exists() or issued_by(load_pem_x509_certificate(served.read_bytes()), load_pem_x509_certificate(new)):
        return None
    return f"{served} is still of the old authority; restart the bundler, then the gateways, and wait a minute"


def _pair(kind: Kind, public: str, restart: str) -> Files:
    pair = next(each for each in layout.PAIRS if each.public == public)
    return Files(
        kind=kind,
        folder=pair.folder,
        name=pair.private.removesuffix(".key"),
        shown=f"{layout.PUBLIC}/{pair.public}",
        mode=layout.PUBLIC_FILE_MODE,
        make=lambda now: Made(*make_pair(pair.kind, pair.public, now=now)),
        held=f"{pair.folder}/{pair.private}",
        restart=restart,
    )


def _lines(raw: bytes) -> tuple[bytes, ...]:
    return tuple(each + b"\n" for each in raw.split())


def _made_elsewhere(_now: int) -> Made:
    raise AdminError("a release's key is made where releases are signed: name its public half with --release PEM")


FILES = {
    each.kind: each
    for each in (
        _pair(Kind.TASKS, "task.pem", "the scheduler"),
        replace(_pair(Kind.SERVERS, "server-ca.pem", "the bundler, then the gateways"), unready=_gateway_waits),
        replace(
            _pair(Kind.AGENTS, "agent-ca.pem", "the gateways and the scheduler, then the bundler"),
            tells=False,  # they see it by the certificates that they get
            retired=f"{layout.PUBLIC}/{layout.RETIRED_AGENTS}",
        ),
        _pair(Kind.VAULT, "vault.pem", "the scheduler, then the gateways"),
        _pair(Kind.CONFIGURATION, "configuration.pem", "the bundler"),
        Files(
            kind=Kind.SESSION,
            folder="gateway",
            name="session",
            shown=f"gateway/{layout.SESSION_SECRET}",
            mode=layout.FILE_MODE,
            make=lambda _now: Made(None, secrets.token_hex(32).encode() + b"\n"),
            held=None,
            restart="the gateways",
            entries=_lines,
            tells=False,
        ),
        Files(
            kind=Kind.RELEASE,
            folder=layout.ADMIN,
            name="release",
            shown=f"{layout.PUBLIC}/{layout.RELEASE}",
            mode=layout.PUBLIC_FILE_MODE,
            make=_made_elsewhere,
            held=None,
            restart="the bundler",
        ),
    )
}


def half_for(privates: tuple[bytes, ...], shown: bytes) -> bytes | None:
    """The private half of what is shown, among these; None where it is not there."""
    wanted = public_of(shown)
    return next((each for each in privates if public_half(each) == wanted), None)


def entries(folder: Path, name: str, split: Callable[[bytes], tuple[bytes, ...]] = blocks) -> tuple[bytes, ...]:
    """What a file of keys holds, in its order.

    Raises:
        AdminError: it cannot be read, or holds nothing.
    """
    path = folder / name
    try:
        found = split(path.read_bytes())
    except OSError as error:
        raise AdminError(f"{path} cannot be read: {error.strerror}") from error
    if not found:
        raise AdminError(f"{path} holds no key")
    return found
