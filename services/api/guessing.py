"""Whether a password would be guessed: by lists of leaked passwords and common words, and by what people make of them.

zxcvbn has 30,000 leaked passwords and 60,000 words and names in itself, and asks nobody. It tells how many guesses
somebody needs who tries what is likely first: words with a capital, a year or a sign put after them, letters written
as digits, rows of keys, dates and repeats, and names that stand beside the password.

Below ten thousand million guesses (10^10) a password counts as guessable. Somebody who has the store's hashes tries
about a thousand a second against argon2id with a good graphics card: 10^8 guesses are a day's work, 10^10 a season's.
Twelve random characters are 10^12, four words that do not belong together 10^15.

No more than yes or no leaves this module: the library's answer has the password and its pieces in clear.
"""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

from zxcvbn import zxcvbn

from libs.wire.secret import Secret
from services.api.errors import AwayError

_ENOUGH = 10**10
_SHORTEST_NAME = 3
_YEARS = tuple(str(year) for year in range(2020, 2040))
"""The library knows the years up to 2019 as such; people write the present one."""
_MOST = 72
"""The characters that the library takes; a longer password is judged by its first ones, and is no weaker than these."""

_SIGNS = frozenset("4@8({[<369!1|70$5+%2")
"""What the library also reads as letters. With each more of them it tries more readings: 72 characters with all twenty
take two seconds, which nobody is given who sends them for that."""
_MOST_SIGNS, _MOST_WITH_SIGNS = 6, 18
"""With more than six of the signs, the first 18 characters are judged. Then none takes more than 0.1 s of a core."""


class JudgingError(Exception):
    """The library failed. Nothing of its own error is told: it might hold a piece of the password."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"a password could not be judged: {kind}")


class Guessing:
    """Judges one password at a time, in a thread beside the event loop. `close` ends it.

    One at a time, because the library keeps the names it was given in a table that all its calls share; and because
    whatever strangers send, no more than one thread works at it.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="guessing")

    async def guessable(self, password: Secret, *names: str) -> bool:
        """Whether this password would be guessed; `names` are what a guesser knows, such as whose it is.

        Raises:
            JudgingError: the library failed.
            AwayError: the gateway stops, and nothing is judged any more.
        """
        try:
            judging = asyncio.get_running_loop().run_in_executor(self._thread, _guessable, password, names)
        except RuntimeError:
            raise _stopping() from None
        try:
            return await judging
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise _stopping() from None

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


def _stopping() -> AwayError:
    return AwayError("This server is stopping. Nothing was done; try again.", "gateway_stopping")


def _guessable(password: Secret, names: tuple[str, ...]) -> bool:
    parts = [part for name in names for part in re.split(r"[\W_]+", name) if len(part) >= _SHORTEST_NAME]
    known = list(dict.fromkeys([*names, *parts, "keyturn", *_YEARS]))
    failed = ""
    try:
        guesses = zxcvbn(_judged(password.reveal().decode()), user_inputs=known)["guesses"]
    except Exception as error:  # noqa: BLE001 - whatever it is, its text is not for any log
        failed = type(error).__name__
    if failed:
        raise JudgingError(failed)
    return bool(guesses < _ENOUGH)


def _judged(text: str) -> str:
    """As much of it as is judged."""
    beginning = text[:_MOST]
    return beginning if len(_SIGNS.intersection(beginning)) <= _MOST_SIGNS else text[:_MOST_WITH_SIGNS]
