"""A password so that nobody mistakes one character for another, and spelled for a console that cannot paste.

Each character has a kind, which is shown by weight, line or box and not by colour alone, and a word that says it. The
browser gets this table with the answer and makes the same of what it opened itself; without scripts it is made here.
"""

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from libs.wire.secret import Secret

_LETTERS = (
    *("alfa", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett", "kilo", "lima"),
    *("mike", "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango", "uniform", "victor", "whiskey"),
    *("x-ray", "yankee", "zulu"),
)
_DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_SIGNS = {
    " ": "space",
    "!": "exclamation mark",
    '"': "double quote",
    "#": "hash",
    "$": "dollar",
    "%": "percent",
    "&": "ampersand",
    "'": "single quote",
    "(": "left parenthesis",
    ")": "right parenthesis",
    "*": "asterisk",
    "+": "plus",
    ",": "comma",
    "-": "hyphen",
    ".": "dot",
    "/": "slash",
    ":": "colon",
    ";": "semicolon",
    "<": "less than",
    "=": "equals",
    ">": "greater than",
    "?": "question mark",
    "@": "at",
    "[": "left bracket",
    "\\": "backslash",
    "]": "right bracket",
    "^": "caret",
    "_": "underscore",
    "`": "backquote",
    "{": "left brace",
    "|": "vertical bar",
    "}": "right brace",
    "~": "tilde",
    "\t": "tab",
}


class Letter(NamedTuple):
    """One character: what stands for it, its kind, and the word that says it."""

    shown: str
    kind: str
    said: str


def _ascii() -> Mapping[str, Letter]:
    found: dict[str, Letter] = {}
    for at, word in enumerate(_LETTERS):
        small, capital = chr(ord("a") + at), chr(ord("A") + at)
        found[small] = Letter(small, "small", word)
        found[capital] = Letter(capital, "capital", f"capital {word}")
    found |= {str(at): Letter(str(at), "digit", word) for at, word in enumerate(_DIGITS)}
    found |= {sign: Letter({" ": "␣", "\t": "␉"}.get(sign, sign), "sign", word) for sign, word in _SIGNS.items()}
    return MappingProxyType(found)


ALPHABET = _ascii()
"""What a keyboard types. Any other character is said by its number in Unicode."""

UNSEEN = "□"
"""Stands for a character that shows nothing, or that would change the one beside it."""


class Spelling(NamedTuple):
    """A password in one piece, and character by character."""

    text: str
    letters: tuple[Letter, ...]


def spell(password: Secret) -> Spelling:
    """The password as a page shows it that was made for a browser without scripts."""
    text = password.reveal().decode(errors="replace")
    return Spelling(text, tuple(ALPHABET.get(each) or _beyond(each) for each in text))


def _beyond(character: str) -> Letter:
    category = unicodedata.category(character)
    kind = {"Lu": "capital", "Nd": "digit"}.get(category, "small" if category.startswith("L") else "sign")
    shown = UNSEEN if category[0] in "CMZ" else character
    return Letter(shown, kind, f"U+{ord(character):04X}")
