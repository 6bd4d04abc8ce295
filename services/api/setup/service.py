"""The first-run set-up code: who can read the gateway's private folder makes the first administrator.

The code has 128 bits, lies in the file `setup-code` (0600) and nowhere else; the store keeps its hash. It is good once,
for five tries, for 24 hours, and is never logged. A new one is made only while there is no user, at the gateway's
start, when the one before is spent or past, or its file is gone.
"""

import hashlib
import hmac
from base64 import b32encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from libs.service.private_files import write_private
from libs.store.setup_codes import SetupCode, SetupCodes
from libs.store.users import Role
from libs.store.users import Users as StoredUsers
from libs.wire.ids import Entropy
from libs.wire.requests import Person
from services.api.access import Via
from services.api.errors import ConflictError, WrongSetupCodeError
from services.api.sessions.hashing import check_shape
from services.api.sessions.schemas import SignedInView
from services.api.sessions.service import Sessions
from services.api.setup.schemas import SetupBody
from services.api.users.service import Users

FILE = "setup-code"
TRIES = 5
LIFETIME = 24 * 3_600_000


def _hashed(code: str) -> str:
    return hashlib.sha256(code.replace("-", "").encode()).hexdigest()


class Setup:
    """Makes and takes the code. `private` is the gateway's private folder; `clock` in Unix milliseconds."""

    def __init__(
        self,
        codes: SetupCodes,
        stored: StoredUsers,
        users: Users,
        sessions: Sessions,
        *,
        private: Path,
        clock: Callable[[], int],
        entropy: Entropy,
    ) -> None:
        self._codes, self._stored, self._users, self._sessions = codes, stored, users, sessions
        self._file, self._clock, self._entropy = private / FILE, clock, entropy

    async def prepare(self) -> bool:
        """At the start: makes a code where one is needed. Whether a code waits in the file."""
        if await self._stored.any():
            self._file.unlink(missing_ok=True)
            return False
        before = await self._codes.current()
        if before is not None and before.good(self._clock()) and self._holds(before):
            return True
        raw = b32encode(self._entropy(16)).decode().rstrip("=").lower()
        code = SetupCode(sha256=_hashed(raw), tries_left=TRIES, expires=self._clock() + LIFETIME)
        # The file comes first: a code that the store knows and nobody can read would be good for nothing.
        write_private(self._file, "-".join(raw[n : n + 5] for n in range(0, len(raw), 5)).encode() + b"\n")
        # A used code is replaced too: who used it died before the administrator was written.
        if await self._put(before, code):
            return True
        self._file.unlink(missing_ok=True)
        return False

    async def _put(self, before: SetupCode | None, code: SetupCode) -> bool:
        """False when another gateway made its code meanwhile: that one counts, and lies in that one's folder."""
        if before is None:
            return await self._codes.insert(code)
        return await self._codes.save(before, replace(code, rev=before.rev + 1))

    def _holds(self, code: SetupCode) -> bool:
        try:
            return hmac.compare_digest(_hashed(self._file.read_text(encoding="ascii").strip()), code.sha256)
        except (FileNotFoundError, UnicodeDecodeError):
            return False

    async def first(self, body: SetupBody, *, address: str, via: Via) -> SignedInView:
        """The first administrator, signed in.

        Raises:
            InvalidError: the password is none that a person may take; no try is spent.
            ConflictError: there is a user already.
            WrongSetupCodeError: another code, or one whose tries or time are over.
        """
        check_shape(body.password)
        if await self._stored.any():
            raise _done()
        # Only now, for it costs time, which no stranger is given by a server that is set up.
        await self._users.check(body.password, body.name)
        code = await self._codes.attempt(self._clock())
        if code is None:
            raise WrongSetupCodeError("The set-up code is used or past. Restart the gateway to get another one.")
        if not hmac.compare_digest(_hashed(body.code), code.sha256):
            raise WrongSetupCodeError(f"This is not the set-up code. Tries left: {code.tries_left}.")
        user = await self._users.make(body.name, body.password, Role.ADMINISTRATOR)
        if not await self._codes.use(code):
            raise _done()
        await self._users.record(user, Person(id=user.id, name=user.name, via=via, address=address))
        if not await self._stored.insert(user):
            raise _done()
        self._file.unlink(missing_ok=True)
        return await self._sessions.open(user, address=address, via=via)


def _done() -> ConflictError:
    return ConflictError("This server is set up already. Sign in, or ask an administrator for a user.", "setup_done")
