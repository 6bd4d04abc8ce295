"""The relay: takes events from the outboxes of one service to the broker.

An event is published first, with a deadline, and taken away after the broker's word. Whatever fails in between, the
entry stays and is sent again: so each event arrives at least once, and a consumer sees some of them twice.

Two ways lead to it. A service that has just written calls `nudge`, and its events go within milliseconds. A sweep
every few seconds finds what a crash, a failure or a lost nudge has left. It leaves out what was written a moment ago,
which a nudge is about to send.

An event that cannot be sent must not keep the others. A type that was refused, or whose queue does not answer, is left
out until the next sweep; a broker that is away ends the sweep; the pages of a sweep go on behind what failed.
"""

import asyncio
from collections import Counter

import structlog

from libs.broker.errors import BrokerAwayError, BrokerClosedError, BrokerError
from libs.broker.ports import Broker
from libs.service.clock import Clock
from libs.store.errors import StoreError
from libs.store.outbox import Outbox, Waiting
from libs.store.schema import CollectionName
from libs.telemetry.metrics import Metrics
from libs.wire.steps import Step, step

DEADLINE_S = 5.0
SWEEP_S = 3.0
GRACE_MS = 2_000
PAGE = 200
TOGETHER = 16
NUDGES = 10_000

_log = structlog.get_logger(__name__)


class Relay:
    """The relay of one service. `run` is a part of its process.

    Args:
        outbox: The service's outboxes.
        broker: Where to.
        clock: Time.
        metrics: Gets `keyturn_outbox_*`.
        deadline_s: Seconds for each publish.
        sweep_s: Seconds between two sweeps.
    """

    def __init__(
        self,
        outbox: Outbox,
        broker: Broker,
        clock: Clock,
        metrics: Metrics,
        *,
        deadline_s: float = DEADLINE_S,
        sweep_s: float = SWEEP_S,
    ) -> None:
        self._outbox = outbox
        self._broker = broker
        self._clock = clock
        self._deadline_s = deadline_s
        self._sweep_s = sweep_s
        self._nudged: dict[tuple[CollectionName, str], None] = {}
        self._wanted = asyncio.Event()
        self._in_flight: set[str] = set()
        self._waiting = metrics.gauge("outbox_waiting", "Events that the last sweep found and could not send.")
        self._oldest = metrics.gauge("outbox_oldest_seconds", "Age of the oldest event that could not be sent.")
        self._sent = metrics.counter("outbox_published", "Events published.")
        self._failed = metrics.counter("outbox_failures", "Publishes that failed, by error.", ("error",))

    def nudge(self, name: CollectionName, key: str) -> None:
        """Says that this document has an event now. Forgotten when too many wait; the sweep finds it then."""
        if len(self._nudged) < NUDGES:
            self._nudged[name, key] = None
            self._wanted.set()

    async def run(self) -> None:
        """Relays until it is cancelled.

        Raises:
            StoreError: the store refuses for good.
            BrokerClosedError: the broker's connection was closed by this side.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_nudges())
            group.create_task(self._sweep_for_ever())

    async def sweep(self) -> None:
        """Sends everything that waits. One failure of the store ends it; the next sweep begins anew."""
        sweep = _Sweep()
        until = self._clock.now() - GRACE_MS
        try:
            for name in self._outbox.collections:
                await self._sweep_one(name, until, sweep)
        except StoreError as error:
            if not error.retryable:
                raise
            _log.warning("sweep cut short", why=str(error))
            return
        self._waiting.set(sum(sweep.left.values()))
        self._oldest.set(0 if sweep.oldest is None else (self._clock.now() - sweep.oldest) / 1_000)

    async def _sweep_for_ever(self) -> None:
        while True:
            await self.sweep()
            await self._clock.sleep(self._sweep_s)

    async def _follow_nudges(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            nudged, self._nudged = self._nudged, {}
            sweep = _Sweep()
            for first in range(0, len(nudged), TOGETHER):
                some = list(nudged)[first : first + TOGETHER]
                await asyncio.gather(*(self._send_of(name, key, sweep) for name, key in some))

    async def _send_of(self, name: CollectionName, key: str, sweep: "_Sweep") -> None:
        try:
            await self._send_all(await self._outbox.of(name, key), sweep)
        except StoreError as error:
            if not error.retryable:
                raise
            _log.info("nudge left to the sweep", why=str(error))

    async def _sweep_one(self, name: CollectionName, until: int, sweep: "_Sweep") -> None:
        seen: set[str] = set()
        since = 0
        while True:
            page = await self._outbox.page(name, since=since, until=until, limit=PAGE)
            documents: dict[str, list[Waiting]] = {}
            for event in page:
                if event.envelope.id not in seen:
                    documents.setdefault(event.document, []).append(event)
            if not documents:
                return
            seen.update(event.envelope.id for event in page)
            keys = list(documents)
            for first in range(0, len(keys), TOGETHER):
                some = keys[first : first + TOGETHER]
                await asyncio.gather(*(self._send_all(documents[key], sweep) for key in some))
            if sweep.over:
                return
            # What was sent is gone from the next page, and what failed lies before it.
            since = max(since, *(min(event.envelope.at for event in events) for events in documents.values()))

    async def _send_all(self, events: list[Waiting], sweep: "_Sweep") -> None:
        """One document's events, in their order."""
        for event in events:
            await self._send(event, sweep)

    async def _send(self, event: Waiting, sweep: "_Sweep") -> None:
        envelope = event.envelope
        if envelope.id in self._in_flight:
            return
        if sweep.over or envelope.type in sweep.refused:
            sweep.leave(event)
            return
        self._in_flight.add(envelope.id)
        try:
            step(Step.RELAY_FOUND, envelope.type)
            await self._broker.publish(envelope, deadline_s=self._deadline_s)
            self._sent.inc()
            step(Step.RELAY_CONFIRMED, envelope.type)
            await self._outbox.published(event)
            step(Step.RELAY_TAKEN_AWAY, envelope.type)
        except BrokerClosedError:
            raise
        except StoreError as error:
            if not error.retryable:
                raise
            _log.warning("event stays in its outbox", type=envelope.type, document=event.document, why=str(error))
            sweep.over = True
            sweep.leave(event)
        except BrokerError as error:
            self._failed.labels(type(error).__name__).inc()
            report = _log.warning if error.retryable else _log.error
            report("event not published", type=envelope.type, document=event.document, why=str(error))
            if isinstance(error, BrokerAwayError):
                sweep.over = True
            else:
                sweep.refused.add(envelope.type)
            sweep.leave(event)
        finally:
            self._in_flight.discard(envelope.id)


class _Sweep:
    """What one round has learnt: types not to try again, and what is left."""

    def __init__(self) -> None:
        self.over = False
        self.refused: set[str] = set()
        self.left: Counter[str] = Counter()
        self.oldest: int | None = None

    def leave(self, event: Waiting) -> None:
        self.left[event.envelope.type] += 1
        at = event.envelope.at
        self.oldest = at if self.oldest is None else min(self.oldest, at)
