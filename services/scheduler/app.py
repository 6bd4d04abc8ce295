"""The parts that the scheduler's process consists of."""

import asyncio

from libs.broker.ports import Broker
from libs.broker.rabbit.broker import RabbitBroker
from libs.broker.topology import QueueName
from libs.broker.topology import Service as BrokerUser
from libs.service.away import broker_there, store_there, until_done
from libs.service.clock import Clock, RealClock
from libs.service.consume import Consumers
from libs.service.health import Health, HealthServer, broker_says, store_says
from libs.service.lifetime import Lifetime, Stopped
from libs.service.relay import Relay
from libs.store.mongo.store import open_store
from libs.store.outbox import Outbox
from libs.store.ports import Store
from libs.store.schema import Service
from libs.telemetry.metrics import Metrics
from services.scheduler.graph import Graph, build
from services.scheduler.keys import Keys
from services.scheduler.nonces import Nonces
from services.scheduler.numbers import TaskNumbers
from services.scheduler.resealing import EVERY_SECONDS as RESEAL_SECONDS
from services.scheduler.settings import Settings
from services.scheduler.sweeper import EVERY_SECONDS
from services.scheduler.witness import FileWitness

NAME = "scheduler"


async def run(settings: Settings, version: str) -> Stopped:
    """Runs the scheduler until it is asked to stop or a part fails.

    Raises:
        SettingsError: a key or a password is missing or wrong.
    """
    clock, metrics = RealClock(), Metrics(NAME, version)
    keys = Keys.load(settings.private, settings.public)
    store = open_store(settings.store_url, NAME, settings.secret("store_password"))
    try:
        async with RabbitBroker(settings.broker_address(NAME), BrokerUser.SCHEDULER, clock.now) as broker:
            graph = build(
                keys,
                store=store,
                broker=broker,
                clock=clock,
                nonces=Nonces(),
                lease=settings.lease_ms,
                witness=None if settings.witness is None else FileWitness(settings.witness),
                per_person=settings.reveals_per_person,
                for_all=settings.reveals_for_all,
            )
            relay = Relay(Outbox(store, Service.SCHEDULER), broker, clock, metrics)
            health = Health()
            health.part("store", store_says(store))
            health.part("broker", broker_says(broker))
            health.part("epoch", graph.epochs.says)
            health.watch(metrics)
            server = HealthServer(health, metrics, settings.health_host, settings.health_port)
            parts = work(graph, Consumers(broker, clock, metrics), relay, store=store, broker=broker, clock=clock)
            numbers = TaskNumbers(store, clock, metrics).run()
            return await Lifetime().run({"health": server.run(), "work": parts, "numbers": numbers})
    finally:
        await store.close()


async def work(graph: Graph, consumers: Consumers, relay: Relay, *, store: Store, broker: Broker, clock: Clock) -> None:
    """Waits for store and broker, then takes messages and sweeps."""
    await store_there(store, clock)
    await broker_there(broker, clock)
    await until_done("reading the epoch", graph.epochs.look, clock)
    async with asyncio.TaskGroup() as group:
        group.create_task(relay.run())
        group.create_task(_sweep(graph, clock))
        group.create_task(_seal_again(graph, clock))
        group.create_task(consumers.work(QueueName.REQUESTS, graph.desk.asked))
        group.create_task(consumers.work(QueueName.FETCHES, graph.fetches.told))
        group.create_task(consumers.work(QueueName.REPORTS, graph.reports.reported))
        group.create_task(consumers.work(QueueName.OBSERVATIONS, graph.discoveries.observed))
        group.create_task(consumers.work(QueueName.ENROLLED, graph.enrolments.enrolled))
        group.create_task(consumers.requests(QueueName.REVEALS, graph.reveals.asked))
        group.create_task(consumers.requests(QueueName.HANDOVERS, graph.handovers.asked))


async def _sweep(graph: Graph, clock: Clock) -> None:
    while True:
        await clock.sleep(EVERY_SECONDS)
        await until_done("counting in the epoch", graph.epochs.next, clock)
        await until_done("sweeping", graph.sweeper.sweep, clock)


async def _seal_again(graph: Graph, clock: Clock) -> None:
    """While a vault key is rolled over; a version that comes back from an escrow later is sealed again too."""
    while graph.resealing.under_way:
        await until_done("sealing the vault to its key", graph.resealing.sweep, clock)
        await clock.sleep(RESEAL_SECONDS)
