"""How many tasks are in each state, and how old the oldest open one is: what an operator's alarm rests on."""

from libs.domain.errors import KeyturnError
from libs.service.clock import Clock
from libs.store.ports import Store
from libs.store.tasks import OPEN, Tasks, TaskState
from libs.telemetry.metrics import Metrics

EVERY_SECONDS = 15.0


class TaskNumbers:
    """Counts tasks now and then; a scrape never asks the store."""

    def __init__(self, store: Store, clock: Clock, metrics: Metrics) -> None:
        self._tasks, self._clock = Tasks(store), clock
        self._count = metrics.gauge("tasks", "Open tasks by state, at most 10,000 each.", ("state",))
        self._oldest = metrics.gauge("tasks_oldest_seconds", "Age of the oldest open task by state.", ("state",))

    async def run(self) -> None:
        """Counts for ever; while the store is away the numbers stay as they were, and `keyturn_ready` says so."""
        while True:
            try:
                for state in OPEN:
                    await self._measure(state)
            except KeyturnError as error:
                if not error.retryable:
                    raise
            await self._clock.sleep(EVERY_SECONDS)

    async def _measure(self, state: TaskState) -> None:
        oldest = await self._tasks.oldest(state)
        age = 0.0 if oldest is None else max(0, self._clock.now() - oldest.created_at) / 1_000
        self._count.labels(state).set(await self._tasks.in_state(state))
        self._oldest.labels(state).set(age)
