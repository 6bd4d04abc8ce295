"""What the host looks like now, and whether it changed: looked at before each poll, read only when it did."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.backends.ports import Backend, Bounds, Discovery
from agent.enrolment import host_facts
from agent.identity import Enrolled, Identity
from agent.memory import Memory
from libs.wire.ids import Noun, new_id
from libs.wire.observations import Observation, SeenAccount, SkippedLine, digest
from libs.wire.sign import Prefix, Signed, sign

DAY_SECONDS = 86_400.0
WATCHED = (Path("/etc/passwd"), Path("/etc/shadow"))

Stamp = tuple[tuple[int, ...], ...]


@dataclass
class Watch:
    """Sees accounts and changes."""

    backend: Backend
    memory: Memory
    identity: Identity
    files: Sequence[Path] = WATCHED
    bounds: Bounds = field(default_factory=Bounds)
    _stamp: Stamp | None = None
    _since: float | None = None

    def due(self, tick: float) -> bool:
        """Whether a day has passed since everything was told, in seconds of the monotonic clock. Time alone changes
        some things, as when an account expires.
        """
        if self._since is None:
            self._since = tick
        return tick - self._since >= DAY_SECONDS

    def changed(self) -> bool:
        """Whether the account files are not the ones that were read last."""
        return self._stamp != self._now()

    async def look(self) -> tuple[Discovery, tuple[SeenAccount, ...]]:
        """Every local account with its fingerprint and mark.

        Raises:
            OSError: the account files cannot be read.
        """
        stamp = self._now()
        found = await self.backend.discover(self.bounds, self.identity.keys.prints)
        enrolled = self.identity.enrolled
        resource = enrolled.resource if enrolled else ""
        seen = [
            SeenAccount(
                name=each.name,
                uid=each.uid,
                gid=each.gid,
                shell=each.shell[:200],
                kinds=tuple(sorted(each.kinds)),
                fingerprint=each.fingerprint,
                mark=self.memory.mark_of(resource, each.name, each.uid),
            )
            for each in found.accounts
        ]
        self._stamp = stamp
        return found, tuple(seen)

    async def digest(self) -> str:
        """What a session shows instead of everything."""
        return digest((await self.look())[1])

    async def observation(self, enrolled: Enrolled, now: int) -> Signed:
        """Everything at this moment, signed. `now` by the host's clock."""
        found, seen = await self.look()
        self._since = None
        observation = Observation(
            id=new_id(Noun.OBSERVATION, secrets.token_bytes),
            agent=enrolled.agent,
            resource=enrolled.resource,
            sequence=self.identity.observed(),
            seen_at=now,
            accounts=seen,
            skipped=tuple(SkippedLine(line=each.line, rule=each.rule[:200]) for each in found.skipped),
            cut=found.cut,
            host=host_facts(),
        )
        return sign(observation.to_bytes(), Prefix.OBSERVATION, self.identity.keys.signing)

    def _now(self) -> Stamp:
        return tuple(_of(path) for path in self.files)


def _of(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
