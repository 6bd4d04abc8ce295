"""Publishing a runtime: checked against the release's signature, then put into the store where gateways find it.

What installed agents are offered counts by the release's statement, which lies beside the runtime's zip. A runtime
without one is for new packages alone.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from deploy.admin import layout
from deploy.admin.errors import AdminError
from deploy.admin.keys import load_releases
from deploy.admin.store_setup import read_password
from libs.store.mongo.store import open_store
from libs.store.runtimes import PublishedRuntime, Runtimes
from libs.store.schema import ADMINISTRATOR
from libs.wire.release import STATEMENT_SUFFIX, ReleaseStatement, read_statement
from libs.wire.sign import BadSignatureError, Signed
from services.bundler.runtime import MAX_RUNTIME_BYTES, Runtime, check_runtime

_MAX_STATEMENT_BYTES = 16_384
_SHORTEST_NAME = 6


async def add_runtime(file: Path, url: str, *, private: Path, keys: Path, offer: bool = True) -> str:
    """Publishes the runtime in `file`; returns a sentence about it.

    Args:
        file: The runtime's zip.
        url: `mongodb://HOST:PORT/`, without credentials.
        private: The administrator's folder.
        keys: The folder that `init` made.
        offer: Whether agents are offered it too, where its statement lies beside it.

    Raises:
        AdminError: a file cannot be read, no release is trusted yet, or the statement does not fit the runtime.
        RuntimeNotTrustedError: it is not what the release signed.
        StoreError: as `libs.store.errors` lists.
    """
    releases = load_releases(keys / layout.PUBLIC / layout.RELEASE)
    raw = await asyncio.to_thread(_read, file)
    runtime = await asyncio.to_thread(check_runtime, raw, *releases)
    statement = _statement(file.with_name(file.name + STATEMENT_SUFFIX), raw, runtime, releases) if offer else None
    async with _runtimes(url, private) as runtimes:
        added = await runtimes.publish(
            raw,
            runtime.manifest.platform,
            runtime.manifest.release,
            runtime.directory.prefix_bytes,
            now=_now(),
            statement=statement,
        )
    what = f"runtime {runtime.manifest.release} for {runtime.manifest.platform} ({len(raw):,} bytes, {runtime.hash})"
    agents = "Agents are offered it" if statement is not None else "It is for new packages alone"
    return f"Published {what}. {agents}." if added else f"The {what} was published already, and is whole. {agents}."


async def list_runtimes(url: str, *, private: Path) -> list[str]:
    """A line about each runtime, the one that was published last first.

    Raises:
        StoreError: as `libs.store.errors` lists.
    """
    async with _runtimes(url, private) as runtimes:
        found = await runtimes.all()
    return [_line(each) for each in found]


async def withdraw_runtime(name: str, url: str, *, private: Path) -> str:
    """Takes back the runtime whose hash begins with `name`; returns a sentence about it. May be repeated.

    Raises:
        AdminError: not exactly one has such a hash.
        StoreError: as `libs.store.errors` lists.
    """
    async with _runtimes(url, private) as runtimes:
        fits = [each for each in await runtimes.all() if each.id.startswith(name.lower())]
        if len(name) < _SHORTEST_NAME or len(fits) != 1:
            raise AdminError(
                f"{len(fits)} runtimes have a hash that begins with {name}; at least {_SHORTEST_NAME} characters of one"
                " are needed. See: keyturn-server runtime list"
            )
        await runtimes.withdraw(fits[0], now=_now())
        left = await runtimes.newest(fits[0].platform)
    goes_on = "No package can be built now." if left is None else f"Packages begin with {left.release} from now on."
    return (
        f"Runtime {fits[0].release} is taken back, and no further agent takes it. {goes_on}"
        " Agents that run it stay on it until they are offered a newer one."
    )


@asynccontextmanager
async def _runtimes(url: str, private: Path) -> AsyncIterator[Runtimes]:
    store = open_store(url, ADMINISTRATOR, read_password(private / layout.STORE_PASSWORD))
    try:
        yield Runtimes(store)
    finally:
        await store.close()


def _line(runtime: PublishedRuntime) -> str:
    if runtime.withdrawn_at is not None:
        use = f"taken back {_day(runtime.withdrawn_at)}"
    elif runtime.statement is None:
        use = "packages alone"
    else:
        until = ReleaseStatement.model_validate_json(runtime.statement.payload).expires_at
        use = f"packages, and agents until {_day(until)}"
    return f"{runtime.id[:12]}  {runtime.platform}  {runtime.release}  {_day(runtime.created_at)}  {use}"


def _day(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, UTC).date().isoformat()


def _now() -> int:
    return time.time_ns() // 1_000_000


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_RUNTIME_BYTES + 1)
    except OSError as error:
        raise AdminError(f"{file} cannot be read: {error.strerror}") from error


def _statement(file: Path, raw: bytes, runtime: Runtime, releases: tuple[Ed25519PublicKey, ...]) -> Signed | None:
    """The release's statement about this zip; None where there is none."""
    try:
        with file.open("rb") as stream:
            signed = Signed.model_validate_json(stream.read(_MAX_STATEMENT_BYTES))
        said = read_statement(signed, releases)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AdminError(f"{file} cannot be read: {error.strerror}") from error
    except (ValidationError, BadSignatureError) as error:
        raise AdminError(f"{file} is no statement of a release that is trusted here: sign it again") from error
    manifest = runtime.manifest
    if (said.sha256, said.size, said.platform, said.release, said.machine, said.libc) != (
        runtime.hash,
        len(raw),
        manifest.platform,
        manifest.release,
        manifest.machine,
        manifest.libc,
    ):
        raise AdminError(f"{file} is about another runtime: it belongs beside the zip that it was made with")
    if said.expires_at <= _now():
        raise AdminError(
            f"{file} was good until {_day(said.expires_at)}: sign it again, or add it with --packages-only"
        )
    return signed
