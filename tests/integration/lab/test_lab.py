"""Labs do not meet, and leave nothing behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import machine
from tests.lab.errors import LabError, LabInUseError
from tests.lab.lab import ALWAYS_ITS_OWN, Lab, private_places

pytestmark = pytest.mark.host

ROOT = Path(__file__).resolve().parents[3]
LABS = ("lab", "one", "two")

# Claims the lab of the first argument, boots a host, says so, and waits to be killed.
DOOMED = """
import sys, time
from pathlib import Path
from tests.lab.lab import Lab
lab = Lab(Path(sys.argv[1])).claim()
host = lab.host("web").boot()
host.snapshot()
print(lab.address, flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A place for this test's labs; the same in the next session, which so takes away what a killed one left.

    The session's lab says, by skipping or failing, whether this machine can raise labs at all.
    """
    place = lab.folder.with_name(f"{lab.folder.name}-{request.node.name}")
    for name in LABS:
        Lab(place / name).close()
    yield place
    for name in LABS:
        Lab(place / name).close()
    place.rmdir()


def test_two_labs_at_once_do_not_meet(folder: Path) -> None:
    with Lab(folder / "one") as one, Lab(folder / "two") as two:
        assert one.address != two.address
        first, second = one.host("web", 7).boot(), two.host("web", 7).boot()
        assert first.address == one.address.removesuffix(".1") + ".7"
        assert first.address != second.address
        first.add_user("only-first")
        assert second.run(["id", "only-first"], check=False).returncode != 0
        reach = f"import socket; socket.create_connection(({second.address!r}, 7000), timeout=1)"
        assert "unreachable" in first.run(["python3", "-c", reach], check=False, text=True).stderr
        one.close()
        assert one.leftovers() == []
        assert second.run(["hostname"]).stdout == b"web\n"


def test_the_bridge_stands_before_any_host(folder: Path) -> None:
    with Lab(folder / "lab") as lab:
        assert lab.stands
        assert lab.address.startswith("10.77.")
        assert lab.hosts() == []


def test_nothing_is_left_after_close(folder: Path) -> None:
    lab = Lab(folder / "lab").claim()
    running, off, made = lab.host("running").boot(), lab.host("off").boot(), lab.host("made")
    running.snapshot()
    off.stop()
    assert [host.name for host in lab.hosts()] == ["made", "off", "running"]
    assert len({running.address, off.address, made.address}) == 3
    kinds = " ".join(lab.leftovers())
    for kind in ("process", "mount", "loop device", "network namespace", "interface", "control group", "file"):
        assert kind in kinds
    lab.close()
    assert lab.leftovers() == []
    assert not lab.folder.exists()
    assert not lab.stands
    lab.close()


def test_a_host_that_is_put_down_is_forgotten_whole(folder: Path) -> None:
    with Lab(folder / "lab") as lab:
        before = lab.leftovers()
        lab.host("web").boot().down()
        assert lab.leftovers() == before
        host = lab.host("web").boot()
        host.run(["systemctl", "poweroff"], check=False)
        host.down()
        assert lab.leftovers() == before


def test_a_killed_run_is_cleaned_by_the_next_claim(folder: Path) -> None:
    doomed = subprocess.Popen([sys.executable, "-c", DOOMED, str(folder / "lab")], stdout=subprocess.PIPE, cwd=ROOT)
    try:
        assert doomed.stdout is not None
        address = doomed.stdout.readline().decode().strip()
        lab = Lab(folder / "lab")
        for refused in (lab.claim, lab.close):
            with pytest.raises(LabInUseError):
                refused()
        # Another process may use what stands, without holding it.
        assert lab.join().address == address
        assert lab.host("web").is_on
    finally:
        doomed.send_signal(signal.SIGKILL)
        doomed.communicate()
    left = lab.leftovers()
    assert any(trace.startswith("process") for trace in left)
    with lab:
        assert lab.hosts() == []
        assert lab.host("web").boot().run(["hostname"]).stdout == b"web\n"
    assert lab.leftovers() == []


def test_a_run_that_is_killed_within_a_snapshot_is_cleaned_too(folder: Path) -> None:
    lab = Lab(folder / "lab")
    with lab:
        host = lab.host("web").boot()
        # What a killed snapshot leaves: the disk frozen, and a process of the host that waits to write to it.
        subprocess.run(["fsfreeze", "--freeze", str(lab.folder / "web/disk")], check=True)
        with pytest.raises(subprocess.TimeoutExpired):
            host.run(["touch", "/var/lib/waits"], timeout=0.5)
    assert lab.leftovers() == []


def test_a_lab_is_closed_when_its_test_fails(folder: Path) -> None:
    lab = Lab(folder / "lab")

    def fail() -> None:
        with lab:
            lab.host("web").boot()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert lab.leftovers() == []


def test_what_cannot_be_is_said(folder: Path) -> None:
    lab = Lab(folder / "lab")
    for refused in (lambda: lab.address, lab.join, lambda: lab.host("web")):
        with pytest.raises(LabError, match="No lab stands"):
            refused()
    with lab:
        lab.host("web", 9)
        for name, number in (("Web", None), ("-", None), ("other", 9), ("other", 1), ("web", 10)):
            with pytest.raises(LabError):
                lab.host(name, number)
        assert lab.host("web").number == 9
        with pytest.raises(LabInUseError):
            lab.claim()
        with pytest.raises(LabError, match="no snapshot"):
            lab.host("web").rollback()


def test_a_machine_without_the_tools_is_told_their_packages(tmp_path: Path) -> None:
    if not machine.is_root():
        pytest.skip("Who is not root is told that first.")
    sentence = machine.missing(path=str(tmp_path))
    assert sentence is not None
    assert "nft" in sentence
    assert "apt-get install e2fsprogs iproute2 mount nftables passwd systemd util-linux" in sentence


def test_private_places_are_the_checkout_and_this_python() -> None:
    places = private_places()
    of_a_host = [Path("/", name) for name in ALWAYS_ITS_OWN]  # a checkout in /tmp is in nobody's sight anyway
    for own in (ROOT, Path(sys.prefix)):
        assert any(own.resolve().is_relative_to(place) for place in (*places, *of_a_host))
    assert Path("/usr") not in places
    assert Path("/") not in places


def test_people_use_the_same_lab(folder: Path) -> None:
    def lab(*arguments: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "tests.lab", "--lab", str(folder / "lab"), *arguments]
        return subprocess.run(
            line, cwd=ROOT, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]}
        )

    try:
        assert "No lab stands" in lab("run", "web", "true").stderr
        up = lab("up", "web", "5")
        assert up.returncode == 0, up.stderr
        assert up.stdout.startswith("web is up at 10.77.")
        assert lab("run", "web", "hostname").stdout == "web\n"
        assert lab("run", "web", "sh", "-c", "exit 4").returncode == 4
        assert lab("up", "db").returncode == 0
        assert lab("power-cut", "db").returncode == 0
        assert [line.split("\t")[::2] for line in lab("list").stdout.splitlines()] == [["db", "off"], ["web", "on"]]
        assert lab("down", "web").returncode == 0
        assert "has no host web" in lab("down", "web").stderr
    finally:
        assert lab("close").returncode == 0
    assert Lab(folder / "lab").leftovers() == []
