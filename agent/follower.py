"""Following: newer notices are asked for, taken one after another, and trusted from then on.

Where the server's certificate is not trusted, notices are asked for all the same: they stand for themselves. Nothing
else goes over such a line (`Transport.notices`).
"""

from dataclasses import dataclass
from pathlib import Path

from agent.following import NotFollowedError, Trust
from agent.log import Log
from agent.transport import Transport, TransportError


@dataclass(frozen=True)
class Follower:
    """Brings one agent's trust up to date."""

    trust: Trust
    transport: Transport
    trust_file: Path | None
    log: Log

    async def follow(self, *, anyone: bool = False) -> bool:
        """Whether something newer was taken. What hinders is logged: the agent goes on with the trust that it has.

        With `anyone` the server's certificate is not looked at.
        """
        before = self.trust.serial
        try:
            while self.trust.follow((await self.transport.notices(self.trust.serial, anyone=anyone)).notices):
                continue
        except (TransportError, NotFollowedError, OSError) as error:
            code = error.code if isinstance(error, TransportError) else "notice_not_taken"
            self.log.say("no newer notice", code=code, why=str(error))
        if self.trust.serial == before:
            return False
        await self.transport.trusts(self.trust.tls(self.trust_file))
        self.log.say("follows a newer notice", serial=self.trust.serial, before=before)
        return True
