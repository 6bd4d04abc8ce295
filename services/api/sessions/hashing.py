"""Passwords of people: which ones they may take, and argon2id, off the event loop, two at a time.

The parameters are the second choice of RFC 9106 (64 MiB, three passes, four lanes), so two at once take 128 MiB and
every further sign-in waits its turn. An unknown name costs the same time as a wrong password, because both are compared
with a hash: of the unknown one's nobody knows the password.
"""

import asyncio
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from libs.wire.secret import Secret
from services.api.errors import InvalidError
from services.api.guessing import Guessing

MIN_CHARACTERS, MAX_CHARACTERS = 12, 128
GUESSABLE = (
    "This password would be guessed: it is made of what is tried first, such as common words, names, dates or rows of"
    " keys. Four words that do not belong together would be right, or 12 random characters."
)
_AT_ONCE = 2


def check_shape(password: Secret) -> None:
    """Returns for a password that has the length and the characters of one that a person may take.

    Raises:
        InvalidError: it is too short or too long, or has a control character that no keyboard types.
    """
    text = password.reveal().decode()
    if not MIN_CHARACTERS <= len(text) <= MAX_CHARACTERS:
        sentence = f"A password has {MIN_CHARACTERS} to {MAX_CHARACTERS} characters; this has {len(text)}."
        raise InvalidError("password", sentence)
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise InvalidError("password", "A password has no control characters, such as a line break or a tab.")


class Hashing:
    """Checks passwords, makes hashes and compares with them. `close` ends its threads."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self.guessing = Guessing()
        self._hasher = hasher or PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="argon2")
        self._nobody = self._hasher.hash(secrets.token_bytes(32))

    async def check(self, password: Secret, name: str) -> None:
        """Returns for a password that the person of this name may take.

        Raises:
            InvalidError: it has not the shape, or would be guessed.
        """
        check_shape(password)
        if await self.guessing.guessable(password, name):
            raise InvalidError("password", GUESSABLE, "password_guessable")

    async def make(self, secret: Secret) -> str:
        """The hash to keep."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, secret.reveal())

    async def fits(self, kept: str | None, secret: Secret) -> bool:
        """Whether `secret` is what was hashed; False, in the same time, where there is no hash."""
        loop = asyncio.get_running_loop()
        fits = await loop.run_in_executor(self._threads, self._verify, kept or self._nobody, secret.reveal())
        return fits and kept is not None

    def _verify(self, kept: str, plain: bytes) -> bool:
        try:
            return self._hasher.verify(kept, plain)
        except (VerificationError, InvalidHashError):
            return False

    def close(self) -> None:
        self.guessing.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
