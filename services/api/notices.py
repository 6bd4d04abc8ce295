"""What the gateway hears from the others: wakes for the mailroom, changes for whoever watches.

Notices may be lost. After each gap (the start, a reconnect, an overflow) the mailroom is filled again from the
documents and whoever watches is told to read again; and a sweep every 15 seconds bounds a wake that was lost unseen.
"""

from collections.abc import Awaitable, Callable

import structlog

from libs.broker.ports import Broker, Gap
from libs.domain.errors import KeyturnError
from libs.wire.envelope import Envelope, UnreadableError
from libs.wire.events import AccountChanged, AgentRevoked, AgentWake, ResourceChanged, TaskChanged
from services.api.events.service import Events
from services.api.mailroom import Mailroom

PATTERNS = ("agent.wake", "agent.revoked", "*.changed")
SWEEP_SECONDS = 15.0

_log = structlog.get_logger(__name__)


class Notices:
    """Two endless tasks: `listen` and `sweep`.

    `with_mail` reads from the documents which agents have mail, `revoked` which were revoked while a token of theirs
    may still be good. A notice tells neither: it may be anybody's, and is a reason to read.
    """

    def __init__(
        self,
        broker: Broker,
        mailroom: Mailroom,
        events: Events,
        *,
        with_mail: Callable[[], Awaitable[set[str]]],
        revoked: Callable[[], Awaitable[set[str]]],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._broker, self._mailroom, self._events = broker, mailroom, events
        self._with_mail, self._revoked, self._sleep = with_mail, revoked, sleep

    async def listen(self) -> None:
        """Hears notices until the broker's connection is closed."""
        async with self._broker.notices(PATTERNS) as heard:
            async for each in heard:
                if isinstance(each, Gap):
                    self._events.read_again()
                    await self.rebuild()
                else:
                    self.take(each)
                    if each.type == AgentRevoked.TYPE:
                        await self.rebuild()

    async def sweep(self) -> None:
        """Fills the mailroom from the documents, for ever."""
        while True:
            await self._sleep(SWEEP_SECONDS)
            await self.rebuild()

    async def rebuild(self) -> None:
        """Fills the mailroom once; a store that is away leaves it as it is until the next time."""
        try:
            agents, revoked = await self._with_mail(), await self._revoked()
        except KeyturnError as error:
            if not error.retryable:
                raise
            _log.warning("mailroom.not_rebuilt", reason=str(error))
            return
        self._mailroom.rebuild(agents)
        self._mailroom.shut(revoked)

    def take(self, envelope: Envelope) -> None:
        """Acts on one notice; one that cannot be read is logged and left."""
        try:
            match envelope.type:
                case AgentWake.TYPE:
                    self._mailroom.wake(AgentWake.read(envelope).agent)
                case AgentRevoked.TYPE:
                    self._mailroom.dismiss(AgentRevoked.read(envelope).agent)
                case TaskChanged.TYPE:
                    self._events.tell(TaskChanged.read(envelope))
                case AccountChanged.TYPE:
                    self._events.tell(AccountChanged.read(envelope))
                case ResourceChanged.TYPE:
                    self._events.tell(ResourceChanged.read(envelope))
        except UnreadableError as error:
            _log.warning("notice.unreadable", reason=str(error))
