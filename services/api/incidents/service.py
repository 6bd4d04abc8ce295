"""Incidents: what may be an attack, for those whose packages it concerns, until somebody has looked at it."""

from collections.abc import Callable, Sequence
from itertools import chain

from libs.store.closings import Closing, Closings
from libs.store.incidents import Incident
from libs.store.incidents import Incidents as StoredIncidents
from services.api.access import Caller, owned
from services.api.audit.recording import Recorder
from services.api.errors import NotThereError
from services.api.fields import Page, Ref, from_cursor, page_of
from services.api.incidents.schemas import CloseBody, ClosedView, IncidentView

_NEXT = (
    "If that machine is yours, build another package for it. If not, somebody has a copy of your package: see which"
    " machine enrolled by it (keyturn agents), and build new packages where you doubt it."
)
_CHOOSE = (
    "See which machine is the right one and choose it, under Admin, Agents or with keyturn agents choose; it gets other"
    " keys, and the other one is out. Shut the other one down, or enrol it anew with a package of its own."
)


class Incidents:
    """Lists and closes incidents. `clock` in Unix milliseconds."""

    def __init__(
        self, raised: Sequence[StoredIncidents], closings: Closings, recorder: Recorder, clock: Callable[[], int]
    ) -> None:
        self._raised, self._closings, self._recorder, self._clock = raised, closings, recorder, clock

    async def page(self, caller: Caller, *, limit: int, cursor: str | None) -> Page[IncidentView]:
        """Who sees every machine sees all, others those of their packages; newest first."""
        seen_by = None if caller.sees_all else caller.id
        after = from_cursor(cursor, int)
        now = self._clock()
        pages = [await each.page(now=now, limit=limit + 1, after=after, seen_by=seen_by) for each in self._raised]
        merged = sorted(chain(*pages), key=lambda each: (each.created_at, each.id), reverse=True)
        found = merged[: limit + 1]
        closed = {each.id: each for each in await self._closings.get_many(each.id for each in found)}
        return page_of(
            found, limit, lambda each: _view(each, closed.get(each.id)), lambda each: (each.created_at, each.id)
        )

    async def one(self, caller: Caller, key: str) -> IncidentView:
        """The incident.

        Raises:
            NotThereError: it is not there, or of somebody else's package.
        """
        return _view(await self._theirs(caller, key), await self._closings.get(key))

    async def close(self, caller: Caller, key: str, body: CloseBody) -> IncidentView:
        """The incident, closed. It stays on record; of two who close it the first one's reason stays.

        Raises:
            NotThereError: it is not there, or of somebody else's package.
            NotAllowedError: this person sees it, and others close it.
        """
        found = await self._theirs(caller, key, changes=True)
        before = await self._closings.get(key)
        if before is None:
            person = caller.to_person()
            await self._recorder.record("incident.close", person, reason=body.reason, detail={"incident": key})
            mine = Closing(id=key, at=self._clock(), by=caller.id, by_name=caller.name, why=body.reason)
            await self._closings.insert(mine)
            before = await self._closings.get(key)
        return _view(found, before)

    async def _theirs(self, caller: Caller, key: str, *, changes: bool = False) -> Incident:
        found = next((each for each in [await of.get(key) for of in self._raised] if each is not None), None)
        if found is None:
            raise NotThereError("incident")
        owned(caller, found.seen_by, "incident", changes=changes)
        return found


def _view(found: Incident, closing: Closing | None) -> IncidentView:
    return IncidentView(
        id=found.id,
        kind=found.kind,
        at=found.created_at,
        sentence=_sentence(found),
        next=_NEXT if found.agent is None else _CHOOSE,
        host_name=found.host_name,
        address=found.address,
        user_name=found.user_name,
        package=found.package,
        token=found.token,
        agent=found.agent,
        key=found.key_hash,
        closed=None
        if closing is None
        else ClosedView(by=Ref(id=closing.by, name=closing.by_name), at=closing.at, reason=closing.why),
    )


def _sentence(found: Incident) -> str:
    if found.agent is not None:
        machines = "; ".join(found.machines)
        return (
            f"Two machines use the identity of {found.resource_name}: {machines}. Nothing is sent to either, and the"
            " vault keeps every password."
        )
    return (
        f"A machine that calls itself {found.host_name}, seen from {found.address or 'an unknown address'}, tried to"
        f" enrol under {found.user_name} with a package that another machine had used. It was refused."
    )
