"""A process says why it stopped, and takes all its parts along."""

import asyncio
import os
import signal

import pytest

from libs.domain.errors import KeyturnError
from libs.service.lifetime import Lifetime, Reason
from libs.store.errors import StoreAwayError


class Part:
    """Runs for ever, and knows that it was cancelled."""

    def __init__(self) -> None:
        self.cancelled = False
        self.running = asyncio.Event()

    async def run(self) -> None:
        self.running.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def fail(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_in_order(number: signal.Signals) -> None:
    part = Part()
    life = asyncio.create_task(Lifetime().run({"part": part.run()}))
    await part.running.wait()
    os.kill(os.getpid(), number)
    stopped = await life
    assert (stopped.reason, stopped.status) == (Reason.ASKED, 0)
    assert number.name in stopped.sentence
    assert part.cancelled


@pytest.mark.parametrize(
    ("error", "reason", "status"),
    [
        (StoreAwayError("the store does not answer"), Reason.RECOVERABLE, 75),
        (ExceptionGroup("two", [StoreAwayError("a"), StoreAwayError("b")]), Reason.RECOVERABLE, 75),
        (ExceptionGroup("two", [StoreAwayError("a"), KeyturnError("b")]), Reason.BROKEN, 70),
        (KeyturnError("the password is wrong"), Reason.BROKEN, 70),
        (ValueError("a bug"), Reason.BROKEN, 70),
    ],
)
async def test_the_first_failure_cancels_the_rest_and_is_the_reason(
    error: Exception, reason: Reason, status: int
) -> None:
    part = Part()
    stopped = await Lifetime().run({"good": part.run(), "bad": fail(error)})
    assert (stopped.reason, stopped.status) == (reason, status)
    assert stopped.sentence.startswith("bad: ")
    assert part.cancelled


async def test_a_part_that_ends_by_itself_is_a_failure() -> None:
    stopped = await Lifetime().run({"short": asyncio.sleep(0)})
    assert (stopped.reason, stopped.sentence) == (Reason.BROKEN, "short ended by itself")


async def test_of_two_failures_the_worse_is_the_reason() -> None:
    stopped = await Lifetime().run({"one": fail(StoreAwayError("away")), "two": fail(ValueError("a bug"))})
    assert (stopped.reason, stopped.sentence) == (Reason.BROKEN, "two: ValueError: a bug")


async def test_a_caller_can_stop_it() -> None:
    part, life = Part(), Lifetime()
    task = asyncio.create_task(life.run({"part": part.run()}))
    await part.running.wait()
    life.stop("the test is over")
    assert (await task).sentence == "the test is over"
