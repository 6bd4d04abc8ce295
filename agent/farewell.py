"""The end of an identity: the scheduler's signed word that this agent was revoked, acted on once and kept.

    revoked.json   the statement, who it was, and the token that the package had then     0600

Order, so that a kill between any two steps leaves nothing undone and nothing half done:

    1. revoked.json, not done      a start from here on goes on with 2
    2. the identity goes away      keys and certificate; journal and escrow stay: only this host knows what is in them
    3. revoked.json, done          from now on the agent stops at its start, and `status` says why

A package that brings another token ends that: the machine enrols anew, and once it is admitted the file goes.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.following import Trust
from agent.identity import Identity, IdentityError, write_whole
from agent.trust import PackageError
from libs.wire.revocation import read_revocation
from libs.wire.seal import key_id
from libs.wire.sign import BadSignatureError, Signed

_FILE: Final = "revoked.json"


class RevokedError(Exception):
    """This machine's agent was revoked. Permanent: only a package with a token that is new lets it in again."""


class NotRevokedError(Exception):
    """What says that this agent was revoked is not signed by the scheduler, or is about another one."""


@dataclass(frozen=True)
class Kept:
    """What the file holds."""

    agent: str
    revoked_at: int
    reason: str
    token: str
    """SHA-256 of the token in the package at that time; empty where there was none."""
    done: bool = False

    @property
    def sentence(self) -> str:
        """What happened, and what to do."""
        when = datetime.fromtimestamp(self.revoked_at / 1000, UTC)
        return (
            f"agent_revoked: the agent of this machine was revoked on {when:%Y-%m-%d} at {when:%H:%M} UTC"
            f" ({self.reason}), so it does nothing here any more; to have this machine managed again, ask for a package"
            " that is built for it, and install that"
        )


def read_kept(state: Path) -> Kept | None:
    """The file in a state folder, if there is one.

    Raises:
        IdentityError: it is damaged.
    """
    path = state / _FILE
    try:
        return Kept(**json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise IdentityError(f"{path} is damaged; move it away if this machine shall enrol anew") from error


@dataclass(frozen=True)
class Farewell:
    """Ends the identity in one state folder. `write` is how a file gets onto the disk."""

    state: Path
    identity: Identity
    trust: Trust
    write: Callable[[Path, bytes], None] = write_whole

    def believe(self, signed: Signed) -> RevokedError:
        """Hands the identity away; the error with which the agent ends.

        Raises:
            NotRevokedError: the scheduler did not say this of this agent; nothing changed.
            IdentityError: the state folder cannot be written; the next start goes on.
        """
        enrolled = self.identity.enrolled
        if enrolled is None:
            raise NotRevokedError("this machine has no identity")
        try:
            said = read_revocation(signed, enrolled.agent, self._keys(), self._scheduler(signed))
        except BadSignatureError as error:
            raise NotRevokedError(str(error)) from error
        return self._go(Kept(said.agent, said.revoked_at, said.reason, self._token()))

    def at_start(self) -> None:
        """Goes on with what a kill interrupted; lets an agent begin that is not revoked, or has a token that is new.

        Raises:
            RevokedError: this machine's agent was revoked.
            IdentityError: the state folder cannot be written.
        """
        kept = read_kept(self.state)
        if kept is None:
            return
        if not kept.done:
            raise self._go(kept)
        if self.identity.enrolled is not None:
            self.admitted()
        elif self._token() in ("", kept.token):
            raise RevokedError(kept.sentence)

    def admitted(self) -> None:
        """The machine has an identity again."""
        (self.state / _FILE).unlink(missing_ok=True)

    def _go(self, kept: Kept) -> RevokedError:
        try:
            self._keep(kept)
            self.identity.drop()
            self._keep(replace(kept, done=True))
        except OSError as error:
            raise IdentityError(f"{self.state} cannot be used: {error.strerror}; {kept.sentence}") from error
        return RevokedError(kept.sentence)

    def _keep(self, kept: Kept) -> None:
        self.write(self.state / _FILE, json.dumps(asdict(kept)).encode())

    def _keys(self) -> frozenset[str]:
        successor = self.identity.successor
        pairs = [self.identity.keys.signing] if successor is None else [self.identity.keys.signing, successor.signing]
        return frozenset(key_id(each.public_key()) for each in pairs)

    def _scheduler(self, signed: Signed) -> Ed25519PublicKey:
        """The task key that this names, if it is trusted here; else one that it will not fit."""
        keys = self.trust.task_keys
        return next((each for each in keys if key_id(each) == signed.key), keys[0])

    def _token(self) -> str:
        """SHA-256 of the package's token; empty where there is none that could be used."""
        try:
            token = self.trust.package.token()
        except PackageError:
            return ""
        return "" if token is None else hashlib.sha256(token.encode()).hexdigest()
