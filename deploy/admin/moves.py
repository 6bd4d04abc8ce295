"""Moving house: a notice names an old and a new place, and agents whose server was at the old one try the new one."""

from ipaddress import ip_address
from pathlib import Path

from pydantic import ValidationError

from deploy.admin.errors import AdminError
from deploy.admin.followers import Follower
from deploy.admin.notices import newest, publish
from libs.wire.notice import Move, Place, leads


def parse(text: str) -> Place:
    """A place as an operator writes it: NAME:PORT, an IPv6 address in brackets.

    Raises:
        AdminError: it is none.
    """
    name, colon, port = text.strip().rpartition(":")
    bare = name.removeprefix("[").removesuffix("]").lower()
    try:
        if not colon or not port.isdecimal() or (":" in bare and not name.startswith("[")):
            raise ValueError
        if ":" in bare:
            bare = ip_address(bare).exploded
        return Place(name=bare, port=int(port))
    except (ValueError, ValidationError):
        raise AdminError(f"{text!r} is no place: NAME:PORT, such as keyturn.example.net:7272") from None


def move(folder: Path, old: Place, new: Place, *, now: int) -> int | None:
    """Has agents at `old` try `new` first; the notice that says so, None where they were told already.

    Raises:
        AdminError: nothing would move, or a notice cannot be made.
    """
    if old == new:
        raise AdminError(f"{old} is where they are")
    others = tuple(each for each in _moves(folder) if each.old != old)
    if old in leads(others, new):
        raise AdminError(f"a move leads from {new} to {old}: take that one back first, with --back")
    return publish(folder, now=now, moves=(*others, Move(old=old, new=new)))


def move_back(folder: Path, old: Place, *, now: int) -> int | None:
    """Has agents that moved from `old` go back there, and stay.

    Raises:
        AdminError: none moved from there, or a notice cannot be made.
    """
    moves = _moves(folder)
    left = tuple(each for each in moves if each.old != old)
    if left == moves:
        raise AdminError(f"no move leads away from {old}")
    return publish(folder, now=now, moves=left)


def shown(folder: Path) -> list[str]:
    """The moves, a line each."""
    return [f"{each.old} -> {each.new}" for each in _moves(folder)] or ["No move is under way."]


def astray(agents: list[Follower]) -> list[str]:
    """Where agents found the server, and who is not where the moves lead: lines for an operator."""
    places = sorted({each.place for each in agents if each.place})
    lines = [f"{sum(each.place == place for each in agents)} at {place}" for place in places]
    return lines + [f"  not there: {each}, at {each.place}: {each.astray}" for each in agents if each.astray]


def _moves(folder: Path) -> tuple[Move, ...]:
    found = newest(folder)
    return () if found is None else found.moves
