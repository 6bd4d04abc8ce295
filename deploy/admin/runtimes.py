"""Publishing a runtime: checked against the release's signature, then put into the store where gateways find it."""

import asyncio
import time
from pathlib import Path

from deploy.admin import layout
from deploy.admin.errors import AdminError
from deploy.admin.keys import load_releases
from deploy.admin.store_setup import read_password
from libs.store.mongo.store import open_store
from libs.store.runtimes import Runtimes
from libs.store.schema import ADMINISTRATOR
from services.bundler.runtime import MAX_RUNTIME_BYTES, check_runtime


async def add_runtime(file: Path, url: str, *, private: Path, keys: Path) -> str:
    """Publishes the runtime in `file`; returns a sentence about it.

    Args:
        file: The runtime's zip.
        url: `mongodb://HOST:PORT/`, without credentials.
        private: The administrator's folder.
        keys: The folder that `init` made.

    Raises:
        AdminError: a file cannot be read, or no release is trusted yet.
        RuntimeNotTrustedError: it is not what the release signed.
        StoreError: as `libs.store.errors` lists.
    """
    releases = load_releases(keys / layout.PUBLIC / layout.RELEASE)
    raw = await asyncio.to_thread(_read, file)
    runtime = await asyncio.to_thread(check_runtime, raw, *releases)
    store = open_store(url, ADMINISTRATOR, read_password(private / layout.STORE_PASSWORD))
    try:
        added = await Runtimes(store).publish(
            raw,
            runtime.manifest.platform,
            runtime.manifest.release,
            runtime.directory.prefix_bytes,
            now=time.time_ns() // 1_000_000,
        )
    finally:
        await store.close()
    what = f"runtime {runtime.manifest.release} for {runtime.manifest.platform} ({len(raw):,} bytes, {runtime.hash})"
    return f"Published {what}." if added else f"The {what} was published already, and is whole."


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_RUNTIME_BYTES + 1)
    except OSError as error:
        raise AdminError(f"{file} cannot be read: {error.strerror}") from error
