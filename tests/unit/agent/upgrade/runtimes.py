"""Small releases, and a machine that has one installed."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.following import Trust
from agent.log import Log
from agent.trust import Package
from agent.upgrade.offer import Here
from agent.upgrade.program import Program
from agent.upgrade.upgrading import Upgrading
from agent.upgrade.window import ALL_DAY, Window
from libs.wire.agent_api import PIECE_BYTES
from libs.wire.release import File, ReleaseStatement, RuntimeManifest
from libs.wire.requests import Platform
from libs.wire.sign import Prefix, Signed, sign
from tests.unit.bundler.runtimes import signed_runtime

NOW = 1_764_044_000_000
RELEASE = Ed25519PrivateKey.generate()
RUNS = b"#!/bin/sh\nexit 0\n"
MACHINE = "x86_64"


@dataclass(frozen=True)
class Made:
    """A release: its zip, and what it says of it."""

    raw: bytes
    said: ReleaseStatement
    signed: Signed

    def piece(self, offset: int) -> bytes:
        return self.raw[offset : offset + PIECE_BYTES]


def made(
    release: str = "0.2.0",
    program: bytes = RUNS,
    key: Ed25519PrivateKey = RELEASE,
    *,
    listed: bytes | None = None,
    **changes: object,
) -> Made:
    """A release; with `listed` its list is about another program than the one in it."""
    files = {
        "runtime/keyturn-agent": (0o755, program),
        "runtime/_internal/library.so": (0o644, hashlib.sha256(b"x").digest() * 10_000),
        "runtime/turn.sh": (0o644, b"# the next turn\n"),
    }
    true = {**files, "runtime/keyturn-agent": (0o755, listed or program)}
    manifest = RuntimeManifest(
        platform=Platform.LINUX,
        release=release,
        machine=MACHINE,
        libc="glibc 2.31",
        files=tuple(
            File(path=path, mode=mode, size=len(raw), sha256=hashlib.sha256(raw).hexdigest())
            for path, (mode, raw) in sorted(true.items())
        ),
    )
    raw = signed_runtime(key, files, manifest)
    said = ReleaseStatement(
        platform=Platform.LINUX,
        release=release,
        machine=MACHINE,
        libc="glibc 2.31",
        size=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        issued_at=NOW - 1,
        expires_at=NOW + 1_000,
    ).model_copy(update=changes)
    return Made(raw, said, sign(said.to_bytes(), Prefix.STATEMENT, key))


@dataclass
class Machine:
    """A host on which release 0.1.0 is installed; its agent is begun anew by `agent`."""

    folder: Path
    now: int = NOW
    seconds: float = 0.0
    hour: int = 12
    free: int = 10**9
    asked: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        keys = self.program.folder / "keys"
        keys.mkdir(parents=True)
        pem = RELEASE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for name in ("task", "configuration", "release"):
            (keys / f"{name}.pem").write_bytes(pem)
        (self.program.folder / "turn.sh").write_text("# this turn\n")
        (self.program.folder / "runtime").mkdir()
        (self.program.folder / "runtime/keyturn-agent").write_bytes(RUNS)
        self.state.mkdir()

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def program(self) -> Program:
        return Program(self.folder / "program", self.folder / "agent.conf")

    def agent(self, version: str = "0.1.0", window: Window = ALL_DAY, *, takes: bool = True) -> Upgrading:
        return Upgrading(
            program=self.program,
            trust=Trust(Package.load(self.program.folder), self.state),
            state=self.state,
            window=window,
            log=Log("error"),
            version=version,
            interval=5.0,
            takes=takes,
            clock=lambda: self.now,
            tick=lambda: self.seconds,
            hour=lambda: self.hour,
            free=lambda _: self.free,
            read_here=lambda floor: Here(MACHINE, "2.36", floor),
        )
