"""The bundler's object graph, and the parts that its process consists of."""

import asyncio
from functools import partial

from libs.broker.ports import Broker
from libs.broker.rabbit.broker import RabbitBroker
from libs.broker.topology import QueueName
from libs.broker.topology import Service as BrokerUser
from libs.service.away import broker_there, store_there
from libs.service.clock import Clock, RealClock
from libs.service.consume import Consumers
from libs.service.health import Health, HealthServer, broker_says, store_says
from libs.service.lifetime import Lifetime, Stopped
from libs.service.relay import Relay
from libs.store.audit import Audit
from libs.store.certificates import Certificates
from libs.store.enrolments import Enrolments
from libs.store.incidents import Incidents
from libs.store.mongo.store import open_store
from libs.store.outbox import Outbox
from libs.store.packages import Packages
from libs.store.ports import Store
from libs.store.runtimes import Runtimes
from libs.store.schema import Service
from libs.store.tokens import Tokens
from libs.telemetry.metrics import Metrics
from libs.wire.requests import Platform
from services.bundler.approvals import ApprovalQueue
from services.bundler.certificates import ServerCertificates
from services.bundler.compose import Composer
from services.bundler.enrolment import Enrolment
from services.bundler.keys import Keys, ingredients, release_keys
from services.bundler.linux.installer import installer
from services.bundler.metrics import BundlerMetrics
from services.bundler.pantry import Pantry
from services.bundler.renewal import Renewals
from services.bundler.revoking import TokenRevocation
from services.bundler.rpc import Answers
from services.bundler.settings import Settings

NAME = "bundler"


def compose_answers(
    settings: Settings, keys: Keys, *, store: Store, relay: Relay, clock: Clock, metrics: Metrics
) -> Answers:
    """What answers the requests."""
    audit, tokens, packages = Audit(store, Service.BUNDLER), Tokens(store), Packages(store)
    approvals = ApprovalQueue(tokens, Enrolments(store), audit, clock.now)
    counted = BundlerMetrics(metrics)
    return Answers(
        gateway=keys.gateway,
        enrolment=Enrolment(
            authority=keys.agents,
            tokens=tokens,
            packages=packages,
            certificates=Certificates(store),
            approvals=approvals,
            incidents=Incidents(store),
            audit=audit,
            nudge=relay.nudge,
            seconds=settings.agent_certificate_life,
            now=clock.now,
        ),
        renewals=Renewals(
            authority=keys.agents,
            known=keys.known,
            certificates=Certificates(store),
            audit=audit,
            nudge=relay.nudge,
            seconds=settings.agent_certificate_life,
            now=clock.now,
        ),
        composer=Composer(
            pantry=Pantry(Runtimes(store), partial(release_keys, settings.public)),
            ingredients={Platform.LINUX: partial(ingredients, settings.public, installer)},
            configuration=keys.configuration,
            tokens=tokens,
            packages=packages,
            audit=audit,
            metrics=counted,
            now=clock.now,
        ),
        certificates=ServerCertificates(keys.servers, audit, settings.server_certificate_days, clock.now),
        approvals=approvals,
        revocation=TokenRevocation(tokens, audit, clock.now),
        metrics=counted,
        now=clock.now,
    )


async def run(settings: Settings, version: str) -> Stopped:
    """Runs the bundler until it is asked to stop or a part fails.

    Raises:
        SettingsError: a key or a password is missing or wrong.
    """
    clock, metrics = RealClock(), Metrics(NAME, version)
    keys = Keys.load(settings.private, settings.public)
    store = open_store(settings.store_url, NAME, settings.secret("store_password"))
    try:
        async with RabbitBroker(settings.broker_address(NAME), BrokerUser.BUNDLER, clock.now) as broker:
            relay = Relay(Outbox(store, Service.BUNDLER), broker, clock, metrics)
            answers = compose_answers(settings, keys, store=store, relay=relay, clock=clock, metrics=metrics)
            health = Health()
            health.part("store", store_says(store))
            health.part("broker", broker_says(broker))
            health.watch(metrics)
            server = HealthServer(health, metrics, settings.health_host, settings.health_port)
            consumers = Consumers(broker, clock, metrics)
            work = _work(answers, consumers, relay, store=store, broker=broker, clock=clock)
            return await Lifetime().run({"health": server.run(), "work": work})
    finally:
        await store.close()


async def _work(
    answers: Answers, consumers: Consumers, relay: Relay, *, store: Store, broker: Broker, clock: Clock
) -> None:
    """Waits for store and broker, then answers and relays."""
    await store_there(store, clock)
    await broker_there(broker, clock)
    async with asyncio.TaskGroup() as group:
        group.create_task(relay.run())
        group.create_task(consumers.requests(QueueName.CERTIFICATES, answers.certify))
        group.create_task(consumers.requests(QueueName.DECISIONS, answers.decide))
        group.create_task(consumers.requests(QueueName.ENROLMENTS, answers.admit))
        group.create_task(consumers.requests(QueueName.PACKAGES, answers.compose))
