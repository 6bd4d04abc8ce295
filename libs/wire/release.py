"""What a runtime and a package consist of: every file with its hash, signed.

A runtime is a zip that a release made once for a platform: the agent's program, and `runtime.json` at its root, which
lists every other file and is signed by the release key (`Prefix.RELEASE`). A package is that zip with files appended
for one download, and `manifest.json`, which lists every file of both, signed by the configuration key
(`Prefix.PACKAGE`) in `manifest.sig`. Both signatures cover the exact bytes of the list.

Beside its zip a release writes a statement, signed by the release key too (`Prefix.STATEMENT`): what the zip is, and
until when installed agents may still take it. A gateway shows it to agents, which decide by it before they download.
"""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from libs.wire.ids import PackageId, TokenId
from libs.wire.model import Millis, Wire
from libs.wire.requests import Hash, Platform, ServerName, UserName
from libs.wire.sign import BadSignatureError, Prefix, PublicKey, Signed, verify_any

RUNTIME_MANIFEST = "runtime.json"
"""A `Signed` whose payload is a `RuntimeManifest`, at the root of a runtime."""

PACKAGE_MANIFEST = "manifest.json"
"""A `PackageManifest`, at the root of a package."""

PACKAGE_SIGNATURE = "manifest.sig"
"""The configuration key's signature over `Prefix.PACKAGE` and the bytes of `manifest.json`: one line of base64."""

STATEMENT_SUFFIX = ".statement"
"""A release's statement lies beside its zip, under the zip's name and this."""

MAX_FILES = 5_000
_PARTS = 3


def _below_the_root(path: str) -> str:
    if any(part in ("", ".", "..") for part in path.split("/")):
        raise ValueError("a path below the root, without empty parts, . and ..")
    return path


Path = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.+@ /-]{1,200}$"), AfterValidator(_below_the_root)]
"""A path below the package's root, with `/`."""


class File(Wire):
    """One file."""

    path: Path
    mode: int = Field(ge=0, le=0o777)
    size: int = Field(ge=0, lt=2**32)
    sha256: Hash


class RuntimeManifest(Wire):
    """What a release put together, once for a platform."""

    version: Literal[1] = 1
    platform: Platform
    release: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z.+-]{1,64}$")]
    machine: Annotated[str, StringConstraints(max_length=32)] = ""  # such as x86_64
    libc: Annotated[str, StringConstraints(max_length=32)] = ""  # the oldest that it runs on, such as "glibc 2.36"
    files: tuple[File, ...] = Field(min_length=1, max_length=MAX_FILES)


class PackageManifest(Wire):
    """What one download consists of."""

    version: Literal[1] = 1
    package: PackageId
    token: TokenId
    platform: Platform
    runtime: Hash
    release: Annotated[str, StringConstraints(max_length=64)]
    server_name: ServerName
    server_port: int = Field(ge=1, le=65_535)
    user_name: UserName
    files: tuple[File, ...] = Field(min_length=1, max_length=MAX_FILES + 100)


ReleaseVersion = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}$")]
"""A release that agents can be brought to: three numbers, by which one release is older than another."""


class ReleaseStatement(Wire):
    """What a release says of its runtime's zip. Machine and libc are those of `RuntimeManifest`."""

    version: Literal[1] = 1
    platform: Platform
    release: ReleaseVersion
    machine: Annotated[str, StringConstraints(max_length=32)]
    libc: Annotated[str, StringConstraints(max_length=32)]
    size: int = Field(ge=1, lt=2**32)
    sha256: Hash
    issued_at: Millis
    expires_at: Millis  # no agent takes it after this, so that an old release cannot be offered for ever


def read_statement(signed: Signed, releases: Iterable[PublicKey]) -> ReleaseStatement:
    """The statement, once one of these release keys was found to have signed it.

    Raises:
        BadSignatureError: none has, or it is no statement.
    """
    payload = verify_any(signed, Prefix.STATEMENT, releases)
    try:
        return ReleaseStatement.model_validate_json(payload)
    except ValidationError as error:
        raise BadSignatureError("signed as it should be, but not a statement of this version") from error


def in_order(release: str) -> tuple[int, ...]:
    """A release as numbers that compare as releases do.

    Raises:
        ValueError: it is no `ReleaseVersion`.
    """
    numbers = tuple(int(part) for part in release.split("."))
    if len(numbers) != _PARTS:
        raise ValueError(f"{release} is no release: three numbers with points between them")
    return numbers
