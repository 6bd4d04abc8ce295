"""What a person should know of a password that they typed. None of it stops a task: the host decides."""

import logging
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from libs.wire.secret import Secret
from libs.wire.settable import is_ascii
from services.api.guessing import Guessing, JudgingError

_log = logging.getLogger(__name__)


class Warned(StrEnum):
    """Which warning it is, for an address that leads to a page: no free text ever stands in one."""

    NOT_ASCII = "not_ascii"
    GUESSABLE = "guessable"


SENTENCES: Mapping[Warned, str] = MappingProxyType(
    {
        Warned.NOT_ASCII: (
            "The password has letters beyond ASCII. Such a letter has several forms in bytes, and another keyboard or"
            " console may send another; it is used byte for byte as you sent it."
        ),
        Warned.GUESSABLE: (
            "The password would be guessed. It is short, or made of what is tried first, such as common words, names,"
            " dates or rows of keys; it is used all the same, as you sent it. A generated one is safer."
        ),
    }
)
"""Each warning; its first sentence says what, the rest what it means."""


async def warnings_of(password: Secret, guessing: Guessing, *names: str) -> tuple[str, ...]:
    """The sentences for this password; `names` are those of its account and its machine.

    A password that could not be judged is set without the warning: nobody waits for a reset because a list has a fault.
    """
    found = []
    if not is_ascii(password):
        found.append(Warned.NOT_ASCII)
    try:
        if await guessing.guessable(password, *names):
            found.append(Warned.GUESSABLE)
    except JudgingError as error:
        _log.warning("set without a word on whether it would be guessed: %s", error)
    return tuple(SENTENCES[each] for each in found)


def which(sentences: Iterable[str]) -> tuple[Warned, ...]:
    """The warnings that have these sentences."""
    return tuple(each for each in Warned if SENTENCES[each] in set(sentences))


def shown(warned: Iterable[Warned]) -> tuple[tuple[str, str], ...]:
    """Each warning once, as a page shows it: what, and what it means."""
    chosen = set(warned)
    parted = [SENTENCES[each].partition(". ") for each in Warned if each in chosen]
    return tuple((f"{what}.", means) for what, _, means in parted)
