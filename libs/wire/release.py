"""What a runtime and a package consist of: every file with its hash, signed.

A runtime is a zip that a release made once for a platform: the agent's program, and `runtime.json` at its root, which
lists every other file and is signed by the release key (`Prefix.RELEASE`). A package is that zip with files appended
for one download, and `manifest.json`, which lists every file of both, signed by the configuration key
(`Prefix.PACKAGE`) in `manifest.sig`. Both signatures cover the exact bytes of the list.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from libs.wire.ids import PackageId, TokenId
from libs.wire.model import Wire
from libs.wire.requests import Hash, Platform, ServerName, UserName

RUNTIME_MANIFEST = "runtime.json"
"""A `Signed` whose payload is a `RuntimeManifest`, at the root of a runtime."""

PACKAGE_MANIFEST = "manifest.json"
"""A `PackageManifest`, at the root of a package."""

PACKAGE_SIGNATURE = "manifest.sig"
"""The configuration key's signature over `Prefix.PACKAGE` and the bytes of `manifest.json`: one line of base64."""

MAX_FILES = 5_000


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
