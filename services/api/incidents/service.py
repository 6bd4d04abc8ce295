"""Incidents: what may be an attack, for those whose packages it concerns."""

from collections.abc import Callable

from libs.store.incidents import Incident
from libs.store.incidents import Incidents as StoredIncidents
from services.api.access import Caller
from services.api.fields import Page, from_cursor, page_of
from services.api.incidents.schemas import IncidentView

_NEXT = (
    "If that machine is yours, build another package for it. If not, somebody has a copy of your package: see which"
    " machine enrolled by it (keyturn agents), and build new packages where you doubt it."
)


class Incidents:
    """Lists incidents. `clock` in Unix milliseconds."""

    def __init__(self, incidents: StoredIncidents, clock: Callable[[], int]) -> None:
        self._incidents, self._clock = incidents, clock

    async def page(self, caller: Caller, *, limit: int, cursor: str | None) -> Page[IncidentView]:
        """An administrator sees all, others those of their packages; newest first."""
        seen_by = None if caller.is_administrator else caller.id
        after = from_cursor(cursor, int)
        found = await self._incidents.page(now=self._clock(), limit=limit + 1, after=after, seen_by=seen_by)
        return page_of(found, limit, _view, lambda each: (each.created_at, each.id))


def _view(found: Incident) -> IncidentView:
    return IncidentView(
        id=found.id,
        kind=found.kind,
        at=found.created_at,
        sentence=(
            f"A machine that calls itself {found.host_name}, seen from {found.address or 'an unknown address'}, tried"
            f" to enrol under {found.user_name} with a package that another machine had used. It was refused."
        ),
        next=_NEXT,
        host_name=found.host_name,
        address=found.address,
        user_name=found.user_name,
        package=found.package,
        token=found.token,
        key=found.key_hash,
    )
