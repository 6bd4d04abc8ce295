"""Which agents have mail, and who waits for it: the gateway's memory behind the held polls.

The truth is `mail.jobs`; this is a copy that may be wrong in one direction only, and not for long. A wake that is lost
is made up for by the sweep, every 15 seconds; a wake too many costs one empty fetch. Answering "mail" takes the agent
out, so that one wake answers one poll; a job that is still waiting puts it back at the next sweep. So an empty poll
touches neither store nor broker.
"""

import asyncio
from collections.abc import Iterable


class Mailroom:
    """The set of agents with mail, and one waiter for each held poll."""

    def __init__(self) -> None:
        self._mail: set[str] = set()
        self._waiting: dict[str, list[asyncio.Future[bool]]] = {}
        self._shut: set[str] = set()
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many polls are held."""
        return sum(len(each) for each in self._waiting.values())

    @property
    def with_mail(self) -> int:
        """How many agents have mail that no poll has told them of yet."""
        return len(self._mail)

    def wake(self, agent: str) -> None:
        """The agent has mail: the oldest poll that waits for it is answered, or its next one will be."""
        for waiter in self._waiting.get(agent, ()):
            if not waiter.done():
                waiter.set_result(True)
                return
        self._mail.add(agent)

    def shut(self, agents: Iterable[str]) -> None:
        """These agents are revoked, for good: their held polls end, and no token of theirs is good for another."""
        for agent in sorted(agents):
            self._shut.add(agent)
            self.dismiss(agent)

    def is_shut(self, agent: str) -> bool:
        """Whether the agent was revoked."""
        return agent in self._shut

    def dismiss(self, agent: str) -> None:
        """Ends the agent's held polls without mail: its next session says why."""
        self._mail.discard(agent)
        for waiter in self._waiting.get(agent, ()):
            end(waiter)

    def held(self) -> "list[asyncio.Future[bool]]":
        """What each poll that is held now waits for, the longest held ones of an agent first."""
        return [waiter for waiters in self._waiting.values() for waiter in waiters]

    def rebuild(self, agents: Iterable[str]) -> None:
        """The agents that have mail by the documents; replaces what was remembered. Woken in one order, the same each
        time.
        """
        self._mail.clear()
        for agent in sorted(agents):
            self.wake(agent)

    def take(self, agent: str) -> bool:
        """Whether the agent has mail; it is taken out of the set by this answer."""
        if agent not in self._mail:
            return False
        self._mail.discard(agent)
        return True

    def hold(self, agent: str, seconds: float) -> "asyncio.Future[bool]":
        """What ends with True as soon as the agent has mail, with False after `seconds` or when the gateway stops.

        Whoever holds gives it back to `release`.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        if self._closed:
            waiter.set_result(False)
        self._waiting.setdefault(agent, []).append(waiter)
        timer = loop.call_later(seconds, end, waiter)
        waiter.add_done_callback(lambda _: timer.cancel())
        return waiter

    def release(self, agent: str, waiter: "asyncio.Future[bool]", *, heard: bool) -> None:
        """Forgets a waiter. Mail that its poll did not hear of goes to the next one."""
        waiters = self._waiting[agent]
        waiters.remove(waiter)
        if not waiters:
            del self._waiting[agent]
        if not heard and waiter.done() and not waiter.cancelled() and waiter.result():
            self.wake(agent)
        waiter.cancel()

    def close(self) -> None:
        """Ends all held polls without mail; later ones are not held."""
        self._closed = True
        for waiters in self._waiting.values():
            for waiter in waiters:
                end(waiter)


def end(waiter: "asyncio.Future[bool]") -> None:
    """Answers a waiter without mail, unless it is answered already."""
    if not waiter.done():
        waiter.set_result(False)
