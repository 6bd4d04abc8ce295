"""Published runtimes: chunks first, then the one document that makes them count.

    trust.chunks    {_id: "<hash>:<n>", runtime, n, data}     1 MiB each, the whole zip in order
    trust.runtimes  {_id: <hash>, platform, release, bytes, prefix_bytes, chunks, created_at, statement, withdrawn_at}

A package begins with the first `prefix_bytes` of a runtime. A publication that ended in the middle leaves chunks that
nobody reads; publishing again puts every chunk right. What the release signed is checked by whoever composes,
because the store vouches for nothing. One that was withdrawn stays, and neither packages nor agents get it any more.
"""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from libs.store.errors import StoreRefusedError
from libs.store.ports import Store
from libs.store.record import Record
from libs.store.schema import CollectionName
from libs.store.table import Table
from libs.wire.requests import Platform
from libs.wire.sign import Signed

CHUNK_BYTES = 1_048_576
_EVER = 2**53
_MOST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRuntime(Record):
    """One runtime; its id is the SHA-256 of its zip, hexadecimal."""

    platform: Platform
    release: str
    bytes: int
    prefix_bytes: int
    chunks: int
    created_at: int
    statement: Signed | None = None  # the release's; without one it is for packages alone
    withdrawn_at: int | None = None


class Runtimes(Table[PublishedRuntime]):
    """Every runtime."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.RUNTIMES, PublishedRuntime)
        self._chunks = store.collection(CollectionName.CHUNKS)

    async def publish(
        self,
        raw: bytes,
        platform: Platform,
        release: str,
        prefix_bytes: int,
        *,
        now: int,
        statement: Signed | None = None,
    ) -> bool:
        """Publishes a zip; False when it was published already. Then it is whole again, offered and not withdrawn.

        `now` in Unix milliseconds.
        """
        name, starts = hashlib.sha256(raw).hexdigest(), range(0, len(raw), CHUNK_BYTES)
        for n, start in enumerate(starts):
            key, data = _chunk(name, n), raw[start : start + CHUNK_BYTES]
            if not await self._chunks.insert({"_id": key, "runtime": name, "n": n, "data": data}):
                # The name is the hash of these bytes, so whatever else lies there is damage.
                await self._chunks.update(key, set={"data": data})
        made = PublishedRuntime(
            id=name,
            platform=platform,
            release=release,
            bytes=len(raw),
            prefix_bytes=prefix_bytes,
            chunks=len(starts),
            created_at=now,
            statement=statement,
        )
        if await self.insert(made):
            return True
        again = self._codec.to_document(made)
        fields = ("withdrawn_at", "statement") if statement is not None else ("withdrawn_at",)
        await self._collection.update(name, set={field: again[field] for field in fields})
        return False

    async def all(self) -> list[PublishedRuntime]:
        """Each one that was ever published, the last one first."""
        found = await self._collection.find(between=("created_at", 0, _EVER), newest_first=True, limit=_MOST)
        return self._all(found)

    async def withdraw(self, runtime: PublishedRuntime, *, now: int) -> None:
        """Takes it back: packages begin with the one before it, and agents are offered that or nothing."""
        await self._collection.update(runtime.id, set={"withdrawn_at": now})

    async def newest(self, platform: Platform) -> PublishedRuntime | None:
        """The one that was published last for a platform, and was not withdrawn."""
        found = await self._collection.find(
            equals={"platform": platform.value}, between=("created_at", 0, _EVER), newest_first=True, limit=_MOST
        )
        return next((each for each in self._all(found) if each.withdrawn_at is None), None)

    async def chunk(self, runtime: str, n: int) -> bytes | None:
        """The bytes of one chunk; None where it is missing."""
        found = await self._chunks.get(_chunk(runtime, n))
        return None if found is None else bytes(found["data"])

    async def chunks(self, runtime: PublishedRuntime) -> AsyncIterator[bytes]:
        """The zip, chunk by chunk.

        Raises:
            StoreRefusedError: a chunk is missing.
        """
        for n in range(runtime.chunks):
            found = await self._chunks.get(_chunk(runtime.id, n))
            if found is None:
                raise StoreRefusedError(f"chunk {n} of the runtime {runtime.id} is missing")
            yield found["data"]

    async def whole(self, runtime: PublishedRuntime) -> bytes:
        """The zip.

        Raises:
            StoreRefusedError: a chunk is missing, or the bytes are not those of its name.
        """
        raw = b"".join([chunk async for chunk in self.chunks(runtime)])
        if hashlib.sha256(raw).hexdigest() != runtime.id:
            raise StoreRefusedError(f"the runtime {runtime.id} in the store is damaged")
        return raw


def _chunk(runtime: str, n: int) -> str:
    return f"{runtime}:{n:05}"
