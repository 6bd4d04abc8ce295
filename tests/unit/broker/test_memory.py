"""What only the twin can do: fail at a given call, lose and double on demand, be full and be silent."""

import pytest

from libs.broker.errors import BrokerAwayError, BrokerDeniedError, BrokerFullError, PublishTimeoutError
from libs.broker.memory.broker import MemoryBroker
from libs.broker.memory.faults import Effect, Fate
from libs.broker.memory.node import MemoryNode
from libs.broker.memory.topics import matches
from libs.broker.ports import Gap, Link
from libs.broker.stream import NoticeStream
from libs.broker.topology import WORK_LENGTH, QueueName, Service
from libs.wire.envelope import Envelope
from libs.wire.events import AgentWake, TaskRequested
from libs.wire.ids import Noun, new_id

NOW = 1_800_000_000_000
QUEUE = QueueName.REQUESTS


def requested() -> Envelope:
    return TaskRequested(task=new_id(Noun.TASK)).envelope(NOW)


@pytest.fixture
def node() -> MemoryNode:
    return MemoryNode(lambda: NOW)


@pytest.fixture
def broker(node: MemoryNode) -> MemoryBroker:
    return MemoryBroker(node, Service.SCHEDULER)


@pytest.mark.parametrize(
    ("effect", "error", "arrived"), [(Effect.BEFORE, BrokerAwayError, 2), (Effect.AFTER, PublishTimeoutError, 3)]
)
async def test_the_nth_call_fails(
    node: MemoryNode, broker: MemoryBroker, effect: Effect, error: type[Exception], arrived: int
) -> None:
    broker.faults.fail_at(2, effect)
    await broker.publish(requested(), deadline_s=1)
    with pytest.raises(error):
        await broker.publish(requested(), deadline_s=1)
    await broker.publish(requested(), deadline_s=1)
    assert node.waiting(QUEUE) == arrived


@pytest.mark.parametrize(("fate", "arrived"), [(Fate.DROP, 0), (Fate.DOUBLE, 2), (Fate.DELIVER, 1)])
async def test_a_fate_meets_work_and_notices(node: MemoryNode, broker: MemoryBroker, fate: Fate, arrived: int) -> None:
    broker.faults.fate = lambda _: fate
    gateway = MemoryBroker(node, Service.GATEWAY)
    await broker.publish(requested(), deadline_s=1)
    assert node.waiting(QUEUE) == arrived
    async with gateway.notices(["agent.*"]) as heard:
        await broker.notify(AgentWake(agent=new_id(Noun.AGENT)).envelope(NOW))
        await gateway.close()
        assert len([each async for each in heard if not isinstance(each, Gap)]) == arrived


async def test_a_full_queue_refuses(node: MemoryNode, broker: MemoryBroker) -> None:
    for _ in range(WORK_LENGTH):
        node.put_raw(QUEUE, b"")
    with pytest.raises(BrokerFullError):
        await broker.publish(requested(), deadline_s=1)


async def test_a_silent_broker_ends_a_publish_at_its_deadline(node: MemoryNode, broker: MemoryBroker) -> None:
    broker.faults.silent = True
    with pytest.raises(PublishTimeoutError):
        await broker.publish(requested(), deadline_s=0.01)
    assert node.waiting(QUEUE) == 1


async def test_a_blocked_broker_takes_nothing_and_is_read(node: MemoryNode, broker: MemoryBroker) -> None:
    await broker.publish(requested(), deadline_s=1)
    node.blocked = True
    assert broker.state.link is Link.BLOCKED
    with pytest.raises(BrokerAwayError):
        await broker.publish(requested(), deadline_s=1)
    async with broker.consume(QUEUE, prefetch=1) as deliveries:
        await (await anext(deliveries)).ack()


async def test_rights_are_held(node: MemoryNode) -> None:
    gateway = MemoryBroker(node, Service.GATEWAY)
    with pytest.raises(BrokerDeniedError):
        async with gateway.consume(QUEUE, prefetch=1):
            pass


@pytest.mark.parametrize(
    ("pattern", "key", "met"),
    [
        ("agent.wake", "agent.wake", True),
        ("agent.*", "agent.wake", True),
        ("*.changed", "task.changed", True),
        ("*", "task.changed", False),
        ("#", "task.changed", True),
        ("task.#", "task", True),
        ("task.#.x", "task.a.b.x", True),
        ("task.*", "task", False),
        ("agent.wake", "agent.waken", False),
    ],
)
def test_topics(pattern: str, key: str, met: bool) -> None:
    assert matches(pattern, key) is met


async def test_a_stream_that_nobody_reads_keeps_a_gap_instead() -> None:
    stream = NoticeStream(length=3)
    notices = [AgentWake(agent=new_id(Noun.AGENT)).envelope(NOW) for _ in range(5)]
    for notice in notices:
        stream.put(notice)
    stream.close()
    first, *rest = [each async for each in stream]
    assert isinstance(first, Gap)
    assert rest == notices[3:]
