"""Newer programs for agents: which one is offered, and its bytes piece by piece.

The gateway checks no signature of it: a statement counts by the release key that the agent trusts, and the bytes by the
hash in the statement. What is read from the store is kept for a moment, because a fleet asks for the same.
"""

from collections import OrderedDict
from collections.abc import Callable

from pydantic import ValidationError

from libs.store.runtimes import CHUNK_BYTES, PublishedRuntime, Runtimes
from libs.wire.agent_api import PIECE_BYTES
from libs.wire.release import ReleaseStatement, in_order
from libs.wire.requests import Platform
from libs.wire.sign import Signed
from services.api.errors import AwayError, NotThereError

_FRESH = 5_000
_KEPT_CHUNKS = 32
_AT_ONCE = 16


class Offers:
    """What the newest runtime's release says of it. `clock` in Unix milliseconds.

    Agents that take a newer program by themselves are those on Linux.
    """

    def __init__(self, runtimes: Runtimes, clock: Callable[[], int]) -> None:
        self._runtimes, self._clock = runtimes, clock
        self._read_at = -_FRESH
        self._newest: PublishedRuntime | None = None
        self._chunks: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._reading = 0

    async def newer_than(self, release: str) -> Signed | None:
        """The statement of the newest runtime, where it is of a newer release than this and can still be taken."""
        now = self._clock()
        if not self._read_at <= now < self._read_at + _FRESH:
            self._newest, self._read_at = await self._runtimes.newest(Platform.LINUX), now
        signed = None if self._newest is None else self._newest.statement
        if signed is None:
            return None
        try:
            statement = ReleaseStatement.model_validate_json(signed.payload)
            newer = in_order(statement.release) > in_order(release)
        except (ValidationError, ValueError):
            return None
        return signed if newer and now < statement.expires_at else None

    async def piece(self, runtime: str, offset: int) -> bytes:
        """The bytes of a runtime from `offset`, a multiple of `PIECE_BYTES`, on; none behind its end.

        Raises:
            NotThereError: there is no such runtime, or it was withdrawn.
            AwayError: `runtime_busy`, while many agents ask at once; `runtime_damaged`.
        """
        n, start = divmod(offset, CHUNK_BYTES)
        chunk = self._chunks.get((runtime, n))
        if chunk is None:
            if self._reading >= _AT_ONCE:
                raise AwayError("Many agents download at present. Ask again.", "runtime_busy", seconds=5)
            self._reading += 1
            try:
                chunk = await self._read(runtime, n)
            finally:
                self._reading -= 1
        return chunk[start : start + PIECE_BYTES]

    async def _read(self, runtime: str, n: int) -> bytes:
        published = await self._runtimes.get(runtime)
        if published is None or published.withdrawn_at is not None:
            raise NotThereError("runtime")
        if n >= published.chunks:
            return b""
        chunk = await self._runtimes.chunk(runtime, n)
        if chunk is None:
            sentence = "The agent's program in the store is not whole. Publish it again."
            raise AwayError(sentence, "runtime_damaged", seconds=60)
        self._chunks[runtime, n] = chunk
        while len(self._chunks) > _KEPT_CHUNKS:
            self._chunks.popitem(last=False)
        return chunk
