"""Waiting for what is away: at the start for store and broker, later for anything that fails retryably.

A service that starts before its store or broker does not end: it says in health and log what it waits for, and goes on
when that comes.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from libs.broker.backoff import Backoff
from libs.broker.errors import BrokerAwayError
from libs.broker.ports import Broker
from libs.domain.errors import KeyturnError
from libs.service.clock import Clock
from libs.service.health import Step
from libs.store.ports import Store

T = TypeVar("T")

_log = structlog.get_logger(__name__)


async def until_done(
    what: str,
    attempt: Callable[[], Awaitable[T]],
    clock: Clock,
    *,
    step: Step | None = None,
    backoff: Backoff | None = None,
) -> T:
    """What `attempt` returns, as soon as it does not fail retryably.

    Args:
        what: For the log, such as "waiting for the store".
        attempt: Tried again after each retryable error.
        clock: Sleeps between two tries.
        step: Told what is waited for, and that it is done.
        backoff: The waits.

    Raises:
        KeyturnError: a permanent one, as `attempt` raised it.
    """
    waits = backoff or Backoff()
    failed = False
    while True:
        try:
            result = await attempt()
        except KeyturnError as error:
            if not error.retryable:
                raise
            if step is not None:
                step.waits(what)
            if not failed:
                _log.warning(what, why=str(error))
            failed = True
            await clock.sleep(waits.next())
        else:
            if failed:
                _log.info("goes on", after=what)
            if step is not None:
                step.done()
            return result


async def store_there(store: Store, clock: Clock, *, step: Step | None = None) -> None:
    """Returns when the store answers.

    Raises:
        StoreDeniedError: it does not know this service.
    """
    await until_done("waiting for the store", store.ping, clock, step=step)


async def broker_there(broker: Broker, clock: Clock, *, step: Step | None = None) -> None:
    """Returns when the broker is connected. While it refuses this service it waits too: that can be mended there."""

    async def attempt() -> None:
        if not broker.state.ready:
            raise BrokerAwayError(broker.state.sentence)

    await until_done("waiting for the broker", attempt, clock, step=step, backoff=Backoff(0.1, 1.0))
