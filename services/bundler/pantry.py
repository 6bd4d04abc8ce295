"""The runtimes that packages begin with, each checked once a process against the release's signature."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from libs.store.errors import StoreRefusedError
from libs.store.runtimes import PublishedRuntime, Runtimes
from libs.wire.requests import Platform
from services.bundler.errors import Code, DeclinedError
from services.bundler.runtime import Runtime, RuntimeNotTrustedError, check_runtime

if TYPE_CHECKING:
    from hashlib import _Hash


class Checked(NamedTuple):
    """A runtime that counts, and the hash of its prefix so far, for the hash of whole packages."""

    runtime: Runtime
    prefix: "_Hash"

    def package_hash(self, tail: bytes) -> str:
        """SHA-256 of the package with this tail, hexadecimal."""
        whole = self.prefix.copy()
        whole.update(tail)
        return whole.hexdigest()


class Pantry:
    """Keeps the last checked runtime of each platform; its bytes are not kept."""

    def __init__(self, runtimes: Runtimes, releases: Callable[[], tuple[Ed25519PublicKey, ...]]) -> None:
        """`releases` gives the releases' public keys, of which an operator may bring the first after the start."""
        self._runtimes = runtimes
        self._releases = releases
        self._checked: dict[Platform, Checked] = {}
        self._turn = asyncio.Lock()

    async def newest(self, platform: Platform) -> Checked:
        """The runtime that was published last for a platform.

        Raises:
            DeclinedError: `runtime_missing` or `runtime_not_trusted`.
            StoreError: as `libs.store.errors` lists.
        """
        published = await self._runtimes.newest(platform)
        if published is None:
            raise DeclinedError(
                Code.RUNTIME_MISSING,
                f"No runtime for {platform} is published. An operator adds one with keyturn-server runtime add.",
            )
        async with self._turn:
            known = self._checked.get(platform)
            if known is None or known.runtime.hash != published.id:
                releases = self._releases()
                if not releases:
                    sentence = "No release is trusted yet. An operator names one with keyturn-server trust-release."
                    raise DeclinedError(Code.RUNTIME_NOT_TRUSTED, sentence)
                raw = await self._whole(published)
                known = await asyncio.to_thread(_check, raw, releases, platform)
                self._checked[platform] = known
            return known

    async def _whole(self, published: PublishedRuntime) -> bytes:
        try:
            return await self._runtimes.whole(published)
        except StoreRefusedError as error:
            raise DeclinedError(Code.RUNTIME_NOT_TRUSTED, f"The published runtime is damaged: {error}.") from error


def _check(raw: bytes, releases: tuple[Ed25519PublicKey, ...], platform: Platform) -> Checked:
    try:
        runtime = check_runtime(raw, *releases)
    except RuntimeNotTrustedError as error:
        raise DeclinedError(
            Code.RUNTIME_NOT_TRUSTED, f"The published runtime does not count: {error}."[:500]
        ) from error
    if runtime.manifest.platform is not platform:
        sentence = f"The runtime published for {platform} is signed for {runtime.manifest.platform}."
        raise DeclinedError(Code.RUNTIME_NOT_TRUSTED, sentence)
    return Checked(runtime, hashlib.sha256(memoryview(raw)[: runtime.directory.prefix_bytes]))
