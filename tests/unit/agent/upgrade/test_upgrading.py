"""An agent takes what its release signed, a little at a time, and says why it does not take the rest."""

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.transport import NoContactError, RefusedError
from agent.upgrade.upgrading import TurnError, Upgrading
from agent.upgrade.window import Window
from libs.wire.agent_api import PIECE_BYTES, Problem
from libs.wire.requests import Platform
from libs.wire.sign import Prefix, sign
from tests.unit.agent.upgrade.runtimes import NOW, RELEASE, Machine, Made, made

Serve = Callable[[str, int], Awaitable[bytes]]
STRANGER = Ed25519PrivateKey.generate()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def serving(machine: Machine, release: Made) -> Serve:
    async def ask(runtime: str, offset: int) -> bytes:
        assert runtime == release.said.sha256
        machine.asked.append(offset)
        return release.piece(offset)

    return ask


async def until_turned(agent: Upgrading, ask: Serve) -> None:
    for _ in range(20):
        try:
            await agent.work(ask)
        except TurnError:
            return
    pytest.fail("the newer program was not turned to")


def holds(machine: Machine) -> set[str]:
    return {each.name for each in machine.program.folder.iterdir()} - {"keys", "turn.sh", "runtime"}


async def taken(machine: Machine, release: Made) -> None:
    agent = machine.agent()
    agent.offered(release.signed, machine.now)
    await until_turned(agent, serving(machine, release))


def turned(machine: Machine) -> None:
    """What turn.sh does."""
    folder = machine.program.folder
    (folder / "runtime").rename(folder / "runtime.kept")
    (folder / "next").rename(folder / "runtime")
    (folder / "trial").write_text("2\n")


def turned_back(machine: Machine) -> None:
    folder = machine.program.folder
    shutil.rmtree(folder / "runtime")
    (folder / "runtime.kept").rename(folder / "runtime")
    (folder / "went-back").write_text("1\n")
    (folder / "trial").unlink()


async def test_a_release_is_downloaded_unpacked_and_left_for_the_turn(machine: Machine) -> None:
    release = made(program=b"#!/bin/sh\nexit 0\n" + _noise(600_000))
    await taken(machine, release)
    assert machine.asked == list(range(0, len(release.raw), PIECE_BYTES))
    assert holds(machine) == {"next"}
    found = machine.program.folder / "next"
    assert (found / "keyturn-agent").stat().st_mode & 0o777 == 0o755
    assert (found / "_internal/library.so").stat().st_size == 320_000
    assert (found / "runtime.json").is_file()
    assert not list(machine.state.glob("*.part"))


async def test_it_is_kept_once_the_server_has_answered(machine: Machine) -> None:
    await taken(machine, made())
    turned(machine)
    agent = machine.agent("0.2.0")
    assert agent.hold == 1.0
    agent.offered(made("0.3.0").signed, machine.now)
    await agent.work(serving(machine, made("0.3.0")))  # nothing is taken on trial
    agent.polled()
    assert (agent.news, agent.hold) == (None, float("inf"))
    assert holds(machine) == {"runtime.json"}
    assert (machine.program.folder / "turn.sh").read_text() == "# the next turn\n"
    agent.offered(made("0.1.9").signed, machine.now)
    assert agent.news is not None
    assert (agent.news.code, agent.news.release) == ("upgrade_too_old", "0.1.9")


async def test_what_was_kept_is_the_floor_for_ever(machine: Machine) -> None:
    """Also where somebody has installed an older package over it, and a gateway offers what lies in between."""
    await taken(machine, made("0.5.0"))
    turned(machine)
    machine.agent("0.5.0").polled()
    agent = machine.agent("0.1.0")
    agent.offered(made("0.4.0").signed, machine.now)
    assert agent.news is not None
    assert agent.news.code == "upgrade_too_old"


@pytest.mark.parametrize(
    ("release", "code"),
    [
        (made(key=STRANGER), "upgrade_not_trusted"),
        (made("0.0.9"), "upgrade_too_old"),
        (made(expires_at=NOW), "upgrade_expired"),
        (made(machine="aarch64"), "upgrade_other_machine"),
        (made(platform=Platform.WINDOWS), "upgrade_other_machine"),
        (made(libc="glibc 2.37"), "upgrade_libc_too_old"),
    ],
)
async def test_what_does_not_count_is_refused_before_anything_is_asked(
    machine: Machine, release: Made, code: str
) -> None:
    agent = machine.agent()
    agent.offered(release.signed, machine.now)
    assert agent.untold
    assert agent.news is not None
    assert agent.news.code == code
    await agent.work(serving(machine, release))
    assert machine.asked == []
    agent.told()
    agent.offered(release.signed, machine.now)
    assert not agent.untold  # the server knows


async def test_a_signature_over_something_else_is_none(machine: Machine) -> None:
    agent, payload = machine.agent(), made().signed.payload
    for other in (sign(payload, Prefix.RELEASE, RELEASE), sign(b"{}", Prefix.STATEMENT, RELEASE)):
        agent.offered(other, machine.now)
        assert agent.news is not None
        assert agent.news.code == "upgrade_not_trusted"


async def test_the_later_of_two_clocks_counts_for_the_end(machine: Machine) -> None:
    for host, server in ((NOW + 2_000, NOW), (NOW, NOW + 2_000)):
        machine.now = host
        agent = machine.agent()
        agent.offered(made().signed, server)
        assert agent.news is not None
        assert agent.news.code == "upgrade_expired"


@pytest.mark.parametrize(
    ("release", "code"),
    [
        (made(sha256="0" * 64), "upgrade_damaged"),
        (made(size=400_000), "upgrade_damaged"),
        (made(listed=b"another program"), "upgrade_damaged"),
        (made(release="0.2.1", program=b"#!/bin/sh\necho no >&2; exit 78\n"), "upgrade_does_not_start"),
        (made(program=b"\x7fELF and nothing more"), "upgrade_does_not_start"),
    ],
)
async def test_what_was_downloaded_in_vain_is_tried_three_times_a_day_apart(
    machine: Machine, release: Made, code: str
) -> None:
    async def ask(_: str, offset: int) -> bytes:
        machine.asked.append(offset)
        return release.piece(offset)

    for _ in range(5):
        agent = machine.agent()
        for _ in range(3):
            fresh = release.said.model_copy(update={"expires_at": machine.now + 1_000})
            agent.offered(sign(fresh.to_bytes(), Prefix.STATEMENT, RELEASE), machine.now)
            for _ in range(4):
                await agent.work(ask)
            assert agent.news is not None
            assert agent.news.code == code
        machine.now += 86_400_000
    assert machine.asked.count(0) == 3
    assert holds(machine) == set()
    assert not list(machine.state.glob("*.part"))


async def test_one_that_went_back_is_told_and_tried_again_on_another_day(machine: Machine) -> None:
    await taken(machine, made())
    turned(machine)
    turned_back(machine)
    agent = machine.agent()
    assert agent.untold
    assert agent.news is not None
    assert (agent.news.code, agent.news.release) == ("upgrade_went_back", "0.2.0")
    agent.told()
    agent.offered(made().signed, machine.now)
    await agent.work(serving(machine, made()))
    assert (agent.news.code, holds(machine)) == ("upgrade_went_back", set())
    again = machine.agent()  # a restart says it again, and does not count it twice
    assert again.news == agent.news
    again.offered(made("0.2.1").signed, machine.now)  # another one has its own tries
    await until_turned(again, serving(machine, made("0.2.1")))
    after = machine.agent()
    after.told()
    after.offered(None, machine.now)
    at_once = after.untold
    machine.seconds += 5
    assert (at_once, after.untold) == (False, True)  # not so soon after the last time
    assert machine.agent().news is None  # what was taken back is no trouble any more


async def test_a_download_goes_on_after_a_cut_and_after_a_restart(machine: Machine) -> None:
    release = made(program=b"#!/bin/sh\nexit 0\n" + _noise(600_000))
    assert len(release.raw) > 2 * PIECE_BYTES
    agent, cuts = machine.agent(), iter([False, True, False, True])

    async def ask(_: str, offset: int) -> bytes:
        if next(cuts, False):
            raise NoContactError("cut")
        machine.asked.append(offset)
        return release.piece(offset)

    for _ in range(2):
        agent.offered(release.signed, machine.now)
        await agent.work(ask)
        await agent.work(ask)
        await agent.work(ask)  # too soon after the cut
        agent = machine.agent()
        machine.seconds += 5
    agent.offered(release.signed, machine.now)
    await until_turned(agent, ask)
    assert machine.asked == list(range(0, len(release.raw), PIECE_BYTES))


def _noise(length: int) -> bytes:
    """Bytes that no zip makes shorter."""
    stream = Ed25519PrivateKey.from_private_bytes(bytes(32))
    out = b""
    while len(out) < length:
        out += stream.sign(len(out).to_bytes(4))
    return out[:length]


async def test_nothing_is_asked_outside_the_window_or_of_what_was_taken_back(machine: Machine) -> None:
    machine.hour = 12
    agent = machine.agent(window=Window.parse("22-5"))
    agent.offered(made().signed, machine.now)
    await agent.work(serving(machine, made()))
    assert machine.asked == []
    machine.hour = 4

    async def gone(_: str, offset: int) -> bytes:
        machine.asked.append(offset)
        raise RefusedError(Problem(title="Not there", status=404, code="not_there"))

    for _ in range(3):
        await agent.work(gone)
        machine.seconds += 60
    assert machine.asked == [0]
    assert agent.news is None


async def test_an_agent_whose_operator_wants_none_takes_none_and_ends_a_trial_that_began(machine: Machine) -> None:
    off = machine.agent(takes=False)
    for offer in (made().signed, made("0.0.9").signed):
        off.offered(offer, machine.now)
        await off.work(serving(machine, made()))
    assert (machine.asked, off.news) == ([], None)
    await taken(machine, made())
    turned(machine)
    off = machine.agent("0.2.0", takes=False)
    off.polled()
    assert holds(machine) == {"runtime.json"}


async def test_a_kill_between_any_two_steps_costs_no_more_than_taking_it_again(machine: Machine) -> None:
    folder, record = machine.program.folder, machine.state / "upgrade.json"
    await taken(machine, made())
    (folder / "next").rename(folder / "rehearsal")  # killed after the record, before the name
    agent = machine.agent()
    assert (agent.news, holds(machine)) == (None, set())
    agent.offered(made().signed, machine.now)
    await until_turned(agent, serving(machine, made()))
    record.unlink()
    (folder / "next/keyturn-agent").rename(folder / "next/half")
    (folder / "next").rename(folder / "rehearsal.part")  # killed while it was unpacked
    await taken(machine, made())
    turned(machine)
    (folder / "trial").unlink()  # killed while it was being kept
    agent = machine.agent("0.2.0")
    agent.polled()
    assert holds(machine) == {"runtime.json"}
    assert b"0.2.0" in record.read_bytes()
    assert b"sha256" not in record.read_bytes()


async def test_a_full_disk_is_told_and_tried_again_later(machine: Machine) -> None:
    release = made()
    machine.free = 1_000
    agent = machine.agent()
    agent.offered(release.signed, machine.now)
    for _ in range(3):
        await agent.work(serving(machine, release))
    assert agent.news is not None
    assert agent.news.code == "upgrade_no_space"
    machine.free = 10**9
    machine.seconds += 3_600
    agent.offered(release.signed, machine.now)
    await until_turned(agent, serving(machine, release))
    assert machine.asked == [0]  # what was downloaded is still there


async def test_a_damaged_record_counts_as_none(machine: Machine) -> None:
    (machine.state / "upgrade.json").write_text("{")
    agent = machine.agent()
    agent.offered(made("0.0.9").signed, machine.now)
    assert agent.news is not None
    assert agent.news.code == "upgrade_too_old"
