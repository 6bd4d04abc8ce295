"""One connection to RabbitMQ, kept for ever: made again after each loss, with longer and longer waits between tries.

aio-pika's own "robust" connection is not used. It restores channels and consumers behind one's back at a fixed
interval; here who uses the connection sees each new one, so that he can declare, bind and read anew, and say so.
"""

import asyncio
from collections.abc import Callable

import aio_pika
import structlog
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import (
    CONNECTION_EXCEPTIONS,
    AuthenticationError,
    ProbableAuthenticationError,
)
from aiormq.exceptions import ConnectionNotAllowed

from libs.broker.backoff import Backoff
from libs.broker.ports import BrokerState, Link

CONNECT_S = 10.0
HEARTBEAT_S = 5
WATCH_S = 0.5

DENIED = (AuthenticationError, ProbableAuthenticationError, ConnectionNotAllowed)
LOST = (*CONNECTION_EXCEPTIONS, TimeoutError)
"""What aio-pika raises when the broker, or the way to it, has gone."""

_log = structlog.get_logger(__name__)


class Kept:
    """One connection and its state.

    Args:
        purpose: What it is for, in logs and in the broker's own list.
        url: With user and password.
        now: Unix milliseconds.
        backoff: The waits between two tries.
    """

    def __init__(self, purpose: str, url: str, now: Callable[[], int], backoff: Backoff) -> None:
        self._purpose = purpose
        self._url = url
        self._now = now
        self._backoff = backoff
        self._connection: AbstractConnection | None = None
        self._state = BrokerState(Link.AWAY, now())
        self._changed = asyncio.Event()

    @property
    def state(self) -> BrokerState:
        return self._state

    @property
    def connection(self) -> AbstractConnection | None:
        """The connection there is now, if there is one."""
        return self._connection

    async def wait(self) -> AbstractConnection:
        """The connection, as soon as there is one."""
        while self._connection is None:
            self._changed.clear()
            await self._changed.wait()
        return self._connection

    async def run(self) -> None:
        """Connects and connects again, until it is cancelled."""
        try:
            while True:
                await self._once()
                await asyncio.sleep(self._backoff.next())
        finally:
            self._set(Link.CLOSED)

    async def _once(self) -> None:
        """One connection, from its beginning to its end."""
        try:
            connection = await aio_pika.connect(
                self._url,
                timeout=CONNECT_S,
                heartbeat=HEARTBEAT_S,
                client_properties={"connection_name": self._purpose},
            )
        except DENIED as error:
            _log.error("broker refuses us", connection=self._purpose, why=type(error).__name__)
            self._set(Link.DENIED)
            return
        except LOST as error:
            _log.warning("broker is away", connection=self._purpose, why=type(error).__name__)
            self._set(Link.AWAY)
            return
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        connection.close_callbacks.add(lambda *_: None if lost.done() else lost.set_result(None))
        self._connection = connection
        self._backoff.reset()
        self._set(Link.UP)
        _log.info("broker connected", connection=self._purpose)
        try:
            await self._watch(connection, lost)
        finally:
            self._connection = None
            self._set(Link.AWAY)
            await self._end(connection)
        _log.warning("broker connection lost", connection=self._purpose)

    async def _watch(self, connection: AbstractConnection, lost: "asyncio.Future[None]") -> None:
        """Returns when the connection is lost. Notices meanwhile when the broker blocks it, and when no longer."""
        while not lost.done():
            await asyncio.wait([lost], timeout=WATCH_S)
            transport = connection.transport
            if lost.done() or transport is None:
                return
            # The library keeps "blocked" to itself; but `ready` waits exactly as long as it lasts.
            try:
                async with asyncio.timeout(WATCH_S / 10):
                    await transport.ready()
            except TimeoutError:
                self._set(Link.BLOCKED)
            else:
                self._set(Link.UP)

    async def _end(self, connection: AbstractConnection) -> None:
        """Closes it; a broker that does not answer even that is left alone."""
        try:
            async with asyncio.timeout(1.0):
                await connection.close()
        except LOST as error:
            _log.info("broker connection not closed in order", connection=self._purpose, why=type(error).__name__)

    def _set(self, link: Link) -> None:
        if link is not self._state.link:
            if Link.BLOCKED in (link, self._state.link):
                _log.warning("broker blocks" if link is Link.BLOCKED else "broker unblocks", connection=self._purpose)
            self._state = BrokerState(link, self._now())
        self._changed.set()
