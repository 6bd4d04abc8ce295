"""Where the server is: the place in agent.conf, and the places that moves in a notice lead to from there.

The newest place is tried first. Where no session succeeds there the agent goes back, says so, and tries it again later
and later, an hour apart at most. A place that it is at, and that fails, has it try every other one: so nobody is
stranded by a move that went wrong, nor by an old server that is gone. agent.conf is never written.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TypeVar

from agent.config import AgentConfig
from agent.follower import Follower
from agent.log import Log
from agent.report import Told
from agent.transport import NotTrustedError, RefusedError, TransportError
from libs.wire.notice import Place

T = TypeVar("T")

FIRST_SECONDS = 60.0
MOST_SECONDS = 3_600.0
_SHOWN = 200


def place_of(config: AgentConfig) -> Place:
    """The place in agent.conf, spelt as places are on the wire."""
    name = config.server_name
    try:
        name = ip_address(name).exploded
    except ValueError:
        name = name.lower()
    return Place(name=name, port=config.server_port)


@dataclass
class _Failed:
    """A place at which no session succeeded: how often in a row, and when it is tried again."""

    times: int = 0
    again_at: float = 0.0
    why: str = ""


@dataclass
class Moving:
    """Finds the place at which an attempt succeeds. `tick` in seconds."""

    start: Place
    follower: Follower
    told: Told
    log: Log
    tick: Callable[[], float] = time.monotonic
    at: Place | None = None
    """Where the last attempt succeeded."""
    _failed: dict[str, _Failed] = field(default_factory=dict)

    @property
    def path(self) -> tuple[Place, ...]:
        """From agent.conf's place to where the server is by the newest notice."""
        return self.follower.trust.leads(self.start)

    @property
    def astray(self) -> str:
        """Why the agent is not where it should be; nothing where it is."""
        last = self.path[-1]
        return "" if self.at in (None, last) else self._failed.get(str(last), _Failed()).why

    async def reach(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """What the attempt gives at the first place at which it succeeds.

        Raises:
            TransportError: it succeeds at none. A server's refusal tells more than silence, so it is preferred.
        """
        errors: list[TransportError] = []
        for place in self._order():
            try:
                found = await self._try(place, attempt)
            except TransportError as error:
                self._fails(place, error)
                errors.append(error)
                continue
            self._succeeds(place)
            return found
        raise next((each for each in errors if isinstance(each, RefusedError)), errors[0])

    # ---- parts

    def _order(self) -> list[Place]:
        """The newest first, without those that are to be tried later, down to where the agent is; then all the rest."""
        path, now = list(reversed(self.path)), self.tick()
        stay = path.index(self.at) if self.at in path else len(path) - 1
        first = [
            each
            for each in path[: stay + 1]
            if each == self.at or self._failed.get(str(each), _Failed()).again_at <= now
        ]
        return first + [each for each in path if each not in first]

    async def _try(self, place: Place, attempt: Callable[[], Awaitable[T]]) -> T:
        await self.follower.transport.goes_to(place)
        try:
            return await attempt()
        except NotTrustedError:
            if not await self.follower.follow(anyone=True):
                raise
        return await attempt()

    def _fails(self, place: Place, error: TransportError) -> None:
        failed = self._failed.setdefault(str(place), _Failed())
        failed.why = f"{error.code}: {error}"[:_SHOWN]
        failed.again_at = self.tick() + min(MOST_SECONDS, FIRST_SECONDS * 2.0 ** min(failed.times, 16))
        failed.times += 1
        if len(self.path) > 1:
            self.log.say("not reached", place=str(place), code=error.code, why=str(error))

    def _succeeds(self, place: Place) -> None:
        self._failed.pop(str(place), None)
        if place != self.at:
            self.log.say("reached", place=str(place))
        self.at = place
        self.told.at(str(place), self._note())

    def _note(self) -> str | None:
        """What an administrator of this machine should know of the place, beside that it answers."""
        path = self.path
        if self.at == path[-1]:
            return None if len(path) == 1 else f"the server moved from {path[0]}, which agent.conf names"
        return f"the server moved to {path[-1]}, where it does not answer ({self.astray}); tried again later"
