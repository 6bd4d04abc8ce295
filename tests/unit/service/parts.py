"""One service's relay and consumers on the twins, in a test's own time."""

from dataclasses import dataclass, field
from typing import Any

from libs.broker.memory.broker import MemoryBroker
from libs.broker.memory.node import MemoryNode
from libs.broker.topology import QueueName
from libs.broker.topology import Service as BrokerService
from libs.service.clock import FakeClock
from libs.service.relay import Relay
from libs.store.memory.store import MemoryServer
from libs.store.outbox import Outbox, entries
from libs.store.schema import CollectionName, Service
from libs.telemetry.metrics import Metrics
from libs.wire.envelope import Envelope, parse
from libs.wire.events import TaskReported, TaskRequested
from libs.wire.ids import Noun, new_id

REQUESTS = CollectionName.REQUESTS
RESULTS = CollectionName.RESULTS


@dataclass
class Parts:
    """The gateway's side with its relay, and the scheduler's connection."""

    clock: FakeClock = field(default_factory=FakeClock)
    metrics: Metrics = field(default_factory=lambda: Metrics("gateway", "test"))

    def __post_init__(self) -> None:
        self.node = MemoryNode(self.clock.now)
        self.broker = MemoryBroker(self.node, BrokerService.GATEWAY)
        self.scheduler = MemoryBroker(self.node, BrokerService.SCHEDULER)
        self.server = MemoryServer(self.clock.now)
        self.store = self.server.store(Service.GATEWAY)
        self.relay = self.another_relay()

    def another_relay(self) -> Relay:
        """As after a restart of the process: it knows nothing of what the one before did."""
        metrics = Metrics("gateway", "test")
        self.metrics = metrics
        return Relay(Outbox(self.store, Service.GATEWAY), self.broker, self.clock, metrics)

    def requested(self) -> Envelope:
        return TaskRequested(task=new_id(Noun.TASK)).envelope(self.clock.now())

    def reported(self) -> Envelope:
        return TaskReported(job=new_id(Noun.JOB)).envelope(self.clock.now())

    async def write(self, *events: Envelope, name: CollectionName = REQUESTS) -> str:
        """A document with these events in its outbox, by a connection that does not fail."""
        key = new_id(Noun.TASK)
        document: dict[str, Any] = {
            "_id": key,
            "rev": 1,
            "taken": False,
            "created_at": self.clock.now(),
            "outbox": entries(events),
        }
        assert await self.server.store(Service.GATEWAY).collection(name).insert(document)
        return key

    async def left(self, name: CollectionName = REQUESTS) -> list[str]:
        """The identifiers that are still in an outbox."""
        found = await Outbox(self.server.store(Service.GATEWAY), Service.GATEWAY).page(
            name, since=0, until=2**53, limit=10_000
        )
        return [event.envelope.id for event in found]

    def arrived(self, queue: QueueName = QueueName.REQUESTS) -> list[str]:
        """The identifiers of what lies in a queue, doubles included."""
        return [parse(parcel.raw).id for parcel in self.node.line(queue).waiting]

    def number(self, name: str, **labels: str) -> float:
        """A metric's value; 0 where nothing was counted yet."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0
