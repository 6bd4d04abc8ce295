"""Generating passwords to a policy, from alphabets that survive a keyboard, a console and a phone call."""

import secrets
import string
from collections.abc import Callable

from libs.wire.requests import Policy
from libs.wire.secret import Secret

Choose = Callable[[str], str]

ALPHABETS: dict[str, tuple[str, ...]] = {
    # Without 0 O 1 l I |, which look alike, and y z, which German and English keyboards swap; signs that a US, UK,
    # German and French layout all have, and that no shell treats as a quote.
    "keyboard-safe": ("abcdefghjkmnpqrstuvwx", "ABCDEFGHJKLMNPQRSTUVWX", "23456789", "+-._,=%"),
    "letters-digits": (string.ascii_lowercase, string.ascii_uppercase, string.digits),
    "full": (string.ascii_lowercase, string.ascii_uppercase, string.digits, "!#$%&()*+,-./:;<=>?@[]^_{|}~"),
}


def generate(policy: Policy, choose: Choose = secrets.choice) -> Secret:
    """A password of `policy.length` ASCII characters, with at least one of each class of its alphabet.

    Drawn again until each class is there, so that every such password is equally likely. It never begins with a sign:
    some tools take that for an option.
    """
    classes = ALPHABETS[policy.alphabet]
    letters = "".join(classes)
    while True:
        drawn = "".join(choose(letters) for _ in range(policy.length))
        if drawn[0].isalnum() and all(any(c in each for c in drawn) for each in classes):
            return Secret(drawn)
