"""The published runtimes in the store: chunks first, then the one document that makes them count.

    trust.chunks    {_id: "<hash>:<n>", runtime, n, data}           1 MiB each, the whole zip in order
    trust.runtimes  {_id: <hash>, platform, release, bytes, prefix_bytes, chunks, created_at}

A gateway streams the first `prefix_bytes` of the chunks, then the tail. A publication that ended in the middle leaves
chunks that nobody reads, and publishing again finds them in their places.
"""

import hashlib
from collections.abc import AsyncIterator

from libs.store.errors import StoreRefusedError
from libs.store.ports import Document, Store
from libs.store.schema import CollectionName
from libs.wire.requests import Platform
from services.bundler.runtime import Runtime

CHUNK_BYTES = 1_048_576


class RuntimeShelf:
    """Runtimes, by the SHA-256 of their zip."""

    def __init__(self, store: Store) -> None:
        self._runtimes = store.collection(CollectionName.RUNTIMES)
        self._chunks = store.collection(CollectionName.CHUNKS)

    async def add(self, runtime: Runtime, raw: bytes, *, now: int) -> bool:
        """Publishes a checked runtime; False when it was published already. `now` in Unix milliseconds.

        Raises:
            StoreError: as `libs.store.errors` lists; the same call may be repeated.
        """
        starts = range(0, len(raw), CHUNK_BYTES)
        for n, start in enumerate(starts):
            key = f"{runtime.hash}:{n:05}"
            data = raw[start : start + CHUNK_BYTES]
            if not await self._chunks.insert({"_id": key, "runtime": runtime.hash, "n": n, "data": data}):
                there = await self._chunks.get(key)
                if there is None or there["data"] != data:
                    raise StoreRefusedError(f"the chunk {key} in the store is another one")
        return await self._runtimes.insert(
            {
                "_id": runtime.hash,
                "platform": runtime.manifest.platform.value,
                "release": runtime.manifest.release,
                "bytes": len(raw),
                "prefix_bytes": runtime.directory.prefix_bytes,
                "chunks": len(starts),
                "created_at": now,
            }
        )

    async def newest(self, platform: Platform) -> Document | None:
        """The runtime that was published last for a platform."""
        found = await self._runtimes.find(
            equals={"platform": platform.value}, between=("created_at", 0, 2**53), newest_first=True, limit=1
        )
        return found[0] if found else None

    async def chunks(self, document: Document) -> AsyncIterator[bytes]:
        """The zip of a runtime, chunk by chunk.

        Raises:
            StoreRefusedError: a chunk is missing.
        """
        for n in range(document["chunks"]):
            found = await self._chunks.get(f"{document['_id']}:{n:05}")
            if found is None:
                raise StoreRefusedError(f"chunk {n} of the runtime {document['_id']} is missing")
            yield found["data"]

    async def whole(self, document: Document) -> bytes:
        """The zip of a runtime.

        Raises:
            StoreRefusedError: a chunk is missing, or the bytes are not those of its name.
        """
        raw = b"".join([chunk async for chunk in self.chunks(document)])
        if hashlib.sha256(raw).hexdigest() != document["_id"]:
            raise StoreRefusedError(f"the runtime {document['_id']} in the store is damaged")
        return raw
