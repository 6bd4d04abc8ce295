"""The gateway as a process: what runs beside the requests, and in which order it begins.

health                      from the first moment
store and broker            are waited for, for as long as it takes
certificate                 from the bundler; only then is the port opened
relay, notices, last-seen   run until the process stops
"""

import asyncio
import ssl

import structlog

from libs.broker.ports import Broker
from libs.broker.rabbit.broker import RabbitBroker
from libs.broker.topology import Service as BrokerUser
from libs.service.away import broker_there, store_there, until_done
from libs.service.clock import RealClock
from libs.service.health import Health, HealthServer, Step, broker_says, store_says
from libs.service.lifetime import Lifetime, Stopped
from libs.service.relay import Relay
from libs.store.mongo.store import open_store
from libs.store.outbox import Outbox
from libs.store.ports import Store
from libs.store.schema import Service
from libs.telemetry.metrics import Metrics
from services.api.agent_door.noticeboard import FILE
from services.api.app import Gateway, Parts, build
from services.api.keys import Keys
from services.api.own_certificate import OwnCertificate
from services.api.server import Server, bind
from services.api.settings import Settings
from services.api.tls import Certificate

NAME = "gateway"

_log = structlog.get_logger(__name__)


async def run(settings: Settings, version: str) -> Stopped:
    """Runs the gateway until it is asked to stop or a part fails.

    Raises:
        SettingsError: a password is missing or open to others.
        OSError, ValueError: a key's file is missing, or holds something else.
    """
    clock, metrics = RealClock(), Metrics(NAME, version)
    keys = Keys.load(settings.private, settings.public)
    store = open_store(settings.store_url, NAME, settings.secret("store_password"))
    try:
        async with RabbitBroker(settings.broker_address(NAME), BrokerUser.GATEWAY, clock.now) as broker:
            relay = Relay(Outbox(store, Service.GATEWAY), broker, clock, metrics)
            gateway = build(
                Parts(
                    store=store,
                    broker=broker,
                    clock=clock,
                    metrics=metrics,
                    keys=keys,
                    private=settings.private,
                    version=version,
                    nudge=relay.nudge,
                    notices=settings.public / FILE,
                    second_factor=settings.second_factor_required,
                    requests_per_minute=settings.requests_per_minute,
                )
            )
            health = Health()
            health.part("store", store_says(store))
            health.part("broker", broker_says(broker))
            door = health.step("door", "waiting for store and broker")
            health.watch(metrics)
            server = HealthServer(health, metrics, settings.health_host, settings.health_port)
            process = _Process(settings, keys, gateway, relay, store=store, broker=broker, clock=clock, door=door)
            return await Lifetime().run({"health": server.run(), "work": process.work()})
    finally:
        await store.close()


class _Process:
    """The parts that begin one after another."""

    def __init__(
        self,
        settings: Settings,
        keys: Keys,
        gateway: Gateway,
        relay: Relay,
        *,
        store: Store,
        broker: Broker,
        clock: RealClock,
        door: Step,
    ) -> None:
        self._settings, self._keys, self._gateway, self._relay = settings, keys, gateway, relay
        self._store, self._broker, self._clock, self._door = store, broker, clock, door
        self._certificate = self._served()

    async def work(self) -> None:
        """Runs until it is cancelled."""
        await store_there(self._store, self._clock)
        await until_done("waiting for the store", self._set_up, self._clock)
        await broker_there(self._broker, self._clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._relay.run())
            group.create_task(self._gateway.notices.listen())
            group.create_task(self._gateway.notices.sweep())
            group.create_task(self._gateway.heard.keep_flushing())
            group.create_task(self._gateway.board.keep_looking(self._clock.sleep, self._gateway.recall.all))
            group.create_task(self._gateway.recall.run())
            group.create_task(self._serve())

    async def _set_up(self) -> None:
        if await self._gateway.setup.prepare():
            _log.info("waiting for the first administrator", code_file=str(self._settings.private / "setup-code"))

    async def _serve(self) -> None:
        context = await self._certificate.ready()
        sockets = bind(self._settings.listen)
        server = Server(self._gateway.app, sockets, context, self._gateway.metrics)
        addresses = ", ".join(f"{host}:{port}" for host, port in server.addresses)
        _log.info("the door is open", addresses=addresses)
        self._door.done(f"open on {addresses}")
        await self._until_cancelled(server, context)

    def _served(self) -> Certificate | OwnCertificate:
        """The gateway's, which the bundler issues; or the one that the operator brought."""
        own, key = self._settings.tls_certificate, self._settings.tls_key
        if own is not None and key is not None:
            return OwnCertificate(
                certificate=own,
                key=key,
                public=self._settings.public,
                names=self._settings.names,
                clock=self._clock.now,
                sleep=self._clock.sleep,
            )
        return Certificate(
            private=self._settings.private,
            names=self._settings.certificate_names,
            authority=self._keys.authorities.server,
            beside=self._keys.authorities.servers_beside,
            calls=self._gateway.calls,
            clock=self._clock.now,
            sleep=self._clock.sleep,
            say=self._say,
        )

    async def _until_cancelled(self, server: Server, context: ssl.SSLContext) -> None:
        serving = asyncio.create_task(server.run_until_stopped())
        keeping = asyncio.create_task(self._certificate.keep(context))
        try:
            done, _ = await asyncio.wait((serving, keeping), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            # What is held is answered before the connections close, so that every agent comes back at once and calm.
            self._gateway.close()
            server.stop()
            keeping.cancel()
            await asyncio.gather(serving, keeping, return_exceptions=True)

    def _say(self, sentence: str | None) -> None:
        if sentence is None:
            return
        _log.warning("certificate", why=sentence)
        if not self._door.says.ready:
            self._door.waits(sentence)
