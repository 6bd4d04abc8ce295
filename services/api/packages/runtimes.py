"""Runtimes as the gateway streams them: read from the store once, held against their name, kept in memory.

A package begins with the runtime's bytes, the same in each; so they are kept, and their hash's state with them: the
hash of a package costs the hash of its tail only. The bundler names the runtime by the SHA-256 of its whole zip and has
checked its signature; what the store gives must have that hash, or nothing is streamed.
"""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from libs.store.errors import StoreRefusedError
from libs.store.runtimes import Runtimes as PublishedRuntimes
from libs.wire.requests import Platform
from services.api.errors import AwayError

_KEPT = 3


@dataclass(frozen=True)
class Prefix:
    """The first bytes of every package of one runtime."""

    chunks: tuple[bytes, ...]
    size: int
    sha256: "hashlib._Hash"


class Runtimes:
    """The last few runtimes."""

    def __init__(self, published: PublishedRuntimes) -> None:
        self._published = published
        self._kept: OrderedDict[tuple[str, int], Prefix] = OrderedDict()
        self._lock = asyncio.Lock()

    async def prefix(self, runtime: str, size: int) -> Prefix:
        """The first `size` bytes of the runtime with this hash.

        Raises:
            AwayError: `runtime_damaged`: the store does not hold it whole.
        """
        async with self._lock:
            found = self._kept.get((runtime, size))
            if found is None:
                found = await self._read(runtime, size)
                self._kept[runtime, size] = found
            self._kept.move_to_end((runtime, size))
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

    async def releases(self) -> dict[Platform, str]:
        """The release that a package begins with, for each platform that has one."""
        found = await asyncio.gather(*(self._published.newest(platform) for platform in Platform))
        return {each.platform: each.release for each in found if each is not None}

    async def _read(self, runtime: str, size: int) -> Prefix:
        whole, first, chunks, left = hashlib.sha256(), hashlib.sha256(), list[bytes](), size
        published = await self._published.get(runtime)
        if published is None:
            raise _damaged()
        try:
            async for data in self._published.chunks(published):
                await asyncio.to_thread(whole.update, data)
                if left:
                    part = data[:left]
                    await asyncio.to_thread(first.update, part)
                    chunks.append(part)
                    left -= len(part)
        except StoreRefusedError as error:
            raise _damaged() from error
        if left or whole.hexdigest() != runtime:
            raise _damaged()
        return Prefix(tuple(chunks), size, first)


def _damaged() -> AwayError:
    return AwayError("The agent's program in the store is not whole. Publish it again.", "runtime_damaged")
