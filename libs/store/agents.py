"""What the scheduler has decided about each agent: the pair of keys it is pinned to, whether it was revoked,
and whether it is on two machines.

Written by the scheduler alone.
"""

from dataclasses import dataclass

from libs.store.ports import Store
from libs.store.record import Revised
from libs.store.schema import CollectionName
from libs.store.table import TurningTable
from libs.wire.sign import Signed

_EVER = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedKey:
    """A key that the agent no longer has, because another machine has it too."""

    key_hash: str
    statement: Signed  # `libs.wire.revocation`, of this key alone


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDocument(Revised):
    """One agent, by its id. One that was revoked before it was ever believed has no pair."""

    serial: str = ""  # of the certificate that is pinned, hexadecimal
    key_hash: str = ""  # of its signing key: SHA-256 over its SubjectPublicKeyInfo
    sealing_key: bytes = b""  # X25519, raw
    pinned_at: int = 0
    revoked: Signed | None = None  # `libs.wire.revocation`
    revoked_at: int | None = None
    left_at: int | None = None  # it left by its own word; `revoked` is then what every other agent of its keys is told
    fork: str | None = None  # the request by which it was found on two machines
    quarantined_at: int | None = None  # until that is settled
    quarantined_key: str = ""  # the pinned key's hash then: the chosen machine must renew it
    chosen: str | None = None  # the run of the machine that a person chose
    chosen_because: str = ""
    ended: tuple[EndedKey, ...] = ()


class AgentDocuments(TurningTable[AgentDocument]):
    """Every agent that was ever believed, or revoked."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.AGENTS, AgentDocument)

    async def quarantined(self, *, limit: int = 1_000) -> list[AgentDocument]:
        """Those that are on two machines, and not settled."""
        return self._all(await self._collection.find(between=("quarantined_at", 0, _EVER), limit=limit))

    async def revoked_since(self, moment: int, *, limit: int = 10_000) -> set[str]:
        """The agents that were revoked at `moment` or later."""
        found = await self._collection.find(between=("revoked_at", moment, _EVER), limit=limit)
        return {str(document["_id"]) for document in found}
