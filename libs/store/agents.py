"""What the scheduler has decided about each agent: the pair of keys it is pinned to. Written by the scheduler alone."""

from dataclasses import dataclass

from libs.store.ports import Store
from libs.store.record import Revised
from libs.store.schema import CollectionName
from libs.store.table import TurningTable


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDocument(Revised):
    """One agent, by its id."""

    serial: str  # of the certificate that is pinned, hexadecimal
    key_hash: str  # of its signing key: SHA-256 over its SubjectPublicKeyInfo
    sealing_key: bytes  # X25519, raw
    pinned_at: int


class AgentDocuments(TurningTable[AgentDocument]):
    """Every agent that was ever believed."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.AGENTS, AgentDocument)
