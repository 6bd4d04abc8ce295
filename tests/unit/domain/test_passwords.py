"""Generated passwords keep to their policy, and what a host cannot be given is refused."""

import random

import pytest

from libs.domain.passwords import ALPHABETS, generate
from libs.wire.requests import Policy
from libs.wire.secret import Secret
from libs.wire.settable import why_not_settable


@pytest.mark.parametrize("alphabet", sorted(ALPHABETS))
@pytest.mark.parametrize("length", [12, 24, 128])
def test_each_class_is_there_and_no_sign_comes_first(alphabet: str, length: int) -> None:
    choose = random.Random(7).choice  # noqa: S311 - a seed, so that a failing password comes again
    for _ in range(50):
        plain = generate(Policy(length=length, alphabet=alphabet), choose).reveal().decode("ascii")
        assert len(plain) == length
        assert plain[0].isalnum()
        assert all(any(c in each for c in plain) for each in ALPHABETS[alphabet])
        assert set(plain) <= set("".join(ALPHABETS[alphabet]))
        assert why_not_settable(Secret(plain)) is None


def test_the_keyboard_safe_alphabet_has_no_look_alikes_and_no_swapped_keys() -> None:
    assert not set("0O1lI|yzYZ'\"`\\") & set("".join(ALPHABETS["keyboard-safe"]))


@pytest.mark.parametrize(
    ("plain", "word"),
    [
        (b"", "at least one"),
        (b"a" * 512, "511"),
        (b"first\nsvc:injected", "line feed"),
        (b"a\rb", "carriage"),
        (b"a\0b", "NUL"),
    ],
)
def test_what_cannot_be_set_is_refused_with_its_rule(plain: bytes, word: str) -> None:
    assert word in (why_not_settable(Secret(plain)) or "")


@pytest.mark.parametrize("plain", [b"a", b" a ", b"a:b", b"\tx", b"\xff\xfe", "ä€".encode(), b"a" * 511])
def test_everything_else_is_settable_byte_for_byte(plain: bytes) -> None:
    assert why_not_settable(Secret(plain)) is None
