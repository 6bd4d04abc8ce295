"""Moves: what an operator may write, and what agents are told."""

from pathlib import Path

import pytest

from deploy.admin.errors import AdminError
from deploy.admin.init import init
from deploy.admin.moves import move, move_back, parse, shown
from deploy.admin.notices import newest

NOW = 1_764_044_000_000


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    init(tmp_path / "keys", tmp_path / "recovery.key", None, now=NOW)
    return tmp_path / "keys"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Keyturn.Example.net:7272", "keyturn.example.net:7272"),
        ("10.0.0.9:443", "10.0.0.9:443"),
        ("[2001:db8::1]:7272", "[2001:0db8:0000:0000:0000:0000:0000:0001]:7272"),
    ],
)
def test_a_place(text: str, place: str) -> None:
    assert str(parse(text)) == place


@pytest.mark.parametrize(
    "text", ["", "keyturn", ":7272", "keyturn:", "keyturn:0", "keyturn:70000", "2001:db8::1", "https://keyturn:7272"]
)
def test_no_place(text: str) -> None:
    with pytest.raises(AdminError, match="is no place"):
        parse(text)


def test_from_one_place_to_the_next_and_back(keys: Path) -> None:
    a, b, c = (parse(f"{name}:7272") for name in "abc")
    assert shown(keys) == ["No move is under way."]
    assert move(keys, a, b, now=NOW) == NOW // 1000
    assert move(keys, a, b, now=NOW) is None
    assert move(keys, b, c, now=NOW) == NOW // 1000 + 1
    found = newest(keys)
    assert found is not None
    assert found.leads(a) == (a, b, c)
    with pytest.raises(AdminError, match="with --back"):
        move(keys, c, a, now=NOW)
    with pytest.raises(AdminError, match="where they are"):
        move(keys, a, a, now=NOW)
    assert move_back(keys, a, now=NOW) == NOW // 1000 + 2
    assert shown(keys) == ["b:7272 -> c:7272"]
    with pytest.raises(AdminError, match="no move leads away from a:7272"):
        move_back(keys, a, now=NOW)


def test_a_move_goes_elsewhere_after_all(keys: Path) -> None:
    a, b, c = (parse(f"{name}:7272") for name in "abc")
    move(keys, a, b, now=NOW)
    move(keys, a, c, now=NOW)
    assert shown(keys) == ["a:7272 -> c:7272"]
