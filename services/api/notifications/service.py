"""The bell: a person's own tasks, counted."""

from collections.abc import Callable

from libs.domain.state import Kind
from libs.store.tasks import Tasks as StoredTasks
from services.api.access import Caller
from services.api.notifications.schemas import NotificationsView
from services.api.tasks.service import Tasks
from services.api.tasks.views import of_task


class Notifications:
    """Reads the signed-in person's own tasks. `clock` in Unix milliseconds."""

    def __init__(self, tasks: Tasks, stored: StoredTasks, clock: Callable[[], int]) -> None:
        self._tasks, self._stored, self._clock = tasks, stored, clock

    async def mine(self, caller: Caller, *, limit: int) -> NotificationsView:
        """How many of each kind, how many wait for their agents, and the newest."""
        desk = await self._tasks.waiting(caller)
        newest = await self._stored.page(now=self._clock(), limit=limit, requester=caller.id)
        projected = {each.id for each in newest}
        requested = [each for each in desk if each.id not in projected]
        counts = {
            kind: await self._stored.triggered(caller.id, kind) + sum(each.kind is kind for each in requested)
            for kind in Kind
        }
        items = (*requested, *(of_task(each, self._clock()) for each in newest))
        return NotificationsView(
            resets=counts[Kind.RESET],
            verifies=counts[Kind.VERIFY] + counts[Kind.ADOPT],
            waiting=await self._stored.waiting(caller.id) + len(requested),
            items=items[:limit],
        )
