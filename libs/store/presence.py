"""Presence: when and from where each agent was last heard, and what its disk remembered then.

Last-seen moments come in bulk from the gateways' memory, so that a poll writes nothing; a contact writes the whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from libs.store.paging import newest
from libs.store.ports import Store
from libs.store.record import Record
from libs.store.schema import CollectionName
from libs.store.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidTrouble:
    """Something that went wrong on the agent's side, as it told later. Unix milliseconds by the server's clock."""

    code: str
    sentence: str
    first_at: int
    last_at: int
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence(Record):
    """One agent, by its id."""

    last_seen: int
    address: str = ""
    version: str = ""
    digest: str = ""  # over account, fingerprint and mark of every account at the last contact
    epoch: int = 0  # in which the digest was told: in a later one it counts no more
    boot: int = 0  # the agent's own count of its starts
    sequence: int = 0  # of its last observation
    notice: int = 0  # serial of the newest notice that it follows
    place: str = ""  # where it found the server, if there are moves
    astray: str = ""  # why not where they lead
    said: tuple[SaidTrouble, ...] = ()  # the latest troubles that the agent told of, newest first
    look_asked: int | None = None  # when somebody asked to look at the accounts again; none once it has been done
    skew: int | None = None  # how many seconds the host's clock was ahead at the last session, as far as it told
    upgrade: str | None = None  # the release that it did not take or keep
    upgrade_code: str = ""  # why, by `libs.wire.reasons.UPGRADES`
    upgrade_detail: str = ""


class Presences(Table[Presence]):
    """Every agent."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.PRESENCE, Presence)

    async def contact(self, presence: Presence) -> None:
        """A session was opened."""
        fields = self._codec.to_document(presence)
        await self._collection.put_many({fields.pop("_id"): fields})

    async def touch_many(self, last_seen: Mapping[str, int]) -> None:
        """Agents that were heard since the last time, with the moment of each."""
        await self._collection.put_many({agent: {"last_seen": at} for agent, at in last_seen.items()})

    async def silent_since(self, moment: int, *, limit: int) -> list[Presence]:
        """Agents that were last heard at `moment` or before, those that fell silent last coming first."""
        found = await newest(
            self._collection, field="last_seen", now=moment, high=moment, limit=limit, widths=self._widths
        )
        return self._all(found)

    async def seen_since(self, moment: int, *, limit: int = 10_000) -> int:
        """How many agents were heard since `moment`; `limit` means that many or more."""
        return await self._collection.count(between=("last_seen", moment, 2**53), limit=limit)
