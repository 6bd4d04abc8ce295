"""Leaving a machine for good: hand over what only this machine knows, tell the server, and be done.

    1. a session, as any: what was fetched and not answered is compared and answered now
    2. leaving.json, not done      a start from here on goes on with 3
    3. the last word               signed, with the newest of the escrow: from now on the server refuses this agent
    4. leaving.json, done          what is left on the disk may go

The server's answer to 3 can be lost. Asked again it refuses the agent as one that is over, and then that is the answer.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.identity import Enrolled, Identity, write_whole
from agent.memory import Memory
from agent.service import Agent
from agent.transport import RefusedError, TransportError
from libs.wire.agent_api import LeaveAnswer, LeaveRequest
from libs.wire.leaving import MAX_HELD, Held, Leaving, leaving

_FILE: Final = "leaving.json"
_AGAIN_SECONDS: Final = 2.0


class NotLeftError(Exception):
    """The server does not know that this machine's agent goes, or lacks what only this machine knows."""


@dataclass(frozen=True)
class Departure:
    """Leaves. `sleep` and `tick` in seconds."""

    state: Path
    identity: Identity
    memory: Memory
    agent: Agent
    sleep: Callable[[float], Awaitable[None]]
    tick: Callable[[], float]

    async def leave(self, seconds: float) -> str:
        """What was done, in a sentence; tried for so long.

        Raises:
            NotLeftError: the server does not answer, refuses, or would lose what does not fit into one word.
            RevokedError: the agent was revoked, so nothing of it counts and nothing can be handed over.
        """
        if self._done() is True:
            return "the agent had left before"
        if self.identity.enrolled is None:
            self.agent.farewell.at_start()
            return "the server had not let this machine in, so there was nobody to tell"
        ends = self.tick() + seconds
        while True:
            try:
                return await self._once()
            except TransportError as error:
                why = f"{error.code}: {error}"
                if (isinstance(error, RefusedError) and error.needs_a_person) or self.tick() >= ends:
                    raise NotLeftError(why) from error
                await self.sleep(_AGAIN_SECONDS)

    async def _once(self) -> str:
        try:
            enrolled = await self.agent.answers_what_waits()
            held = self._held()
            self._keep(done=False)
            await self._say(enrolled, held)
        except RefusedError as error:
            if error.code != "agent_revoked" or self._done() is None:
                await self.agent.heed(error)
                raise
            held = ()
        self._keep(done=True)
        words = f", with {len(held)} of the passwords that it set" if held else ""
        return f"the agent told the server that it leaves{words}"

    async def _say(self, enrolled: Enrolled, held: tuple[Held, ...]) -> None:
        transport = self.agent.transport
        said = Leaving(agent=enrolled.agent, resource=enrolled.resource, at=transport.clock(), held=held)
        signed = leaving(said, self.identity.keys.signing)
        request = LeaveRequest(agent=enrolled.agent, leaving=signed, run=self.agent.says())
        await transport.send_signed("/agent/v1/leave", request, LeaveAnswer)

    def _held(self) -> tuple[Held, ...]:
        """Sealed to the vault long ago, and closed to this agent."""
        held = tuple(
            Held(account=account, generation=each.generation, sealed=each.sealed)
            for account in self.memory.accounts()
            for each in self.memory.handed_over(account)
        )
        if len(held) > MAX_HELD:
            raise NotLeftError(
                f"this machine holds {len(held)} passwords in escrow, and a last word has room for {MAX_HELD}"
            )
        return held

    def _done(self) -> bool | None:
        """What the file says; None where there is none."""
        try:
            return bool(json.loads((self.state / _FILE).read_text("utf-8"))["done"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _keep(self, *, done: bool) -> None:
        write_whole(self.state / _FILE, json.dumps({"done": done}).encode())
