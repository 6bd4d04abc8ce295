"""A host of the lab is a server of its own."""

import pwd
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.lab.errors import LabError
from tests.lab.host import Host
from tests.lab.lab import Lab

pytestmark = pytest.mark.host

ROOT = Path(__file__).resolve().parents[3]
USER = "kt-lab-anna"
LISTENER = "import socket; s = socket.create_server(('', 7000)); print('ready', flush=True); s.accept()"


def listening(host: Host) -> subprocess.Popen[bytes]:
    """A listener on the host's port 7000, on all its addresses; a process of the machine that the caller ends."""
    listener = subprocess.Popen(host.command(["python3", "-c", LISTENER]), stdout=subprocess.PIPE)
    assert listener.stdout is not None
    assert listener.stdout.readline() == b"ready\n"
    return listener


def test_it_boots_a_systemd_of_its_own(lab_host: Host) -> None:
    state = lab_host.run(["systemctl", "is-system-running"], check=False, text=True).stdout.strip()
    assert state in ("running", "degraded")
    assert lab_host.run(["cat", "/proc/1/comm"]).stdout == b"systemd\n"
    assert lab_host.run(["hostname"], text=True).stdout.strip() == lab_host.name
    assert lab_host.read("/etc/machine-id") != Path("/etc/machine-id").read_bytes()
    assert {process.pid for process in lab_host.processes()} >= {1}


def test_its_accounts_are_its_own(lab_host: Host) -> None:
    lab_host.add_user(USER, "schlüssel 1".encode())
    assert lab_host.run(["id", "-un", USER], text=True).stdout.strip() == USER
    assert lab_host.opens(USER, "schlüssel 1".encode())
    assert not lab_host.opens(USER, b"schl\xfcssel 1")
    with pytest.raises(KeyError):
        pwd.getpwnam(USER)
    assert USER.encode() not in Path("/etc/shadow").read_bytes()


def test_no_password_of_the_machine_comes_along(lab_host: Host) -> None:
    fields = [line.split(":")[1] for line in lab_host.read("/etc/shadow").decode().splitlines()]
    assert fields
    assert all(set(field) <= {"!", "*"} for field in fields)


def test_a_locked_account_and_one_without_a_password_do_not_open(lab_host: Host) -> None:
    lab_host.add_user("locked", b"known", locked=True)
    lab_host.add_user("bare")
    assert lab_host.shadow_field("locked").startswith("!$")
    assert not lab_host.opens("locked", b"known")
    assert not lab_host.opens("bare", b"")
    with pytest.raises(LabError, match="no line for nobody-such"):
        lab_host.shadow_field("nobody-such")


def test_the_check_of_a_password_agrees_with_the_hosts_own_login(lab_host: Host) -> None:
    lab_host.add_user("caller")
    lab_host.add_user("target", b"right one")
    # su asks PAM, the way a login does, and asks everybody but root for the password.
    su = ["setpriv", "--reuid=caller", "--clear-groups", "su", "target", "-c", "id -un"]
    assert lab_host.run(su, input=b"right one\n", text=True).stdout.strip() == "target"
    assert lab_host.run(su, input=b"wrong one\n", check=False).returncode != 0
    assert lab_host.opens("target", b"right one")
    assert not lab_host.opens("target", b"wrong one")


def test_it_sees_neither_the_checkout_nor_anybodys_home(lab_host: Host) -> None:
    assert lab_host.run(["test", "-e", str(ROOT)], check=False).returncode == 1
    assert lab_host.run(["ls", "/home"]).stdout == b""
    assert b".venv" not in lab_host.run(["find", "/root", "/home", "/var/tmp"]).stdout  # noqa: S108
    # The machine's disk is not mounted anywhere either, not even below the root.
    mounts = lab_host.read("/proc/1/mountinfo").decode()
    assert str(ROOT) not in mounts
    assert "ext4" not in mounts


def test_it_cannot_change_the_kernel_of_the_machine(lab_host: Host) -> None:
    assert lab_host.run(["sh", "-c", "echo 1 >/proc/sys/kernel/printk"], check=False).returncode != 0


def test_nothing_can_connect_in(lab_host: Host, lab: Lab) -> None:
    listener = listening(lab_host)
    try:
        with pytest.raises(OSError, match=r"timed out|refused"):
            socket.create_connection((lab_host.address, 7000), timeout=1)
        other = lab.host("neighbour").boot()
        try:
            call = f"import socket; socket.create_connection(({lab_host.address!r}, 7000), timeout=1)"
            failed = other.run(["python3", "-c", call], check=False, text=True)
            assert "TimeoutError" in failed.stderr
        finally:
            other.down()
        # The listener is there: the host itself reaches it.
        lab_host.run(["python3", "-c", "import socket; socket.create_connection(('127.0.0.1', 7000), timeout=5)"])
    finally:
        listener.kill()
        listener.communicate()


def test_it_connects_out_to_the_machine_by_name(lab_host: Host, lab: Lab) -> None:
    with socket.create_server((lab.address, 0)) as server:
        port = server.getsockname()[1]
        call = f"import socket; socket.create_connection(('keyturn', {port}), timeout=5).sendall(b'hello')"
        lab_host.run(["python3", "-c", call])
        connection, peer = server.accept()
        with connection:
            assert connection.recv(16) == b"hello"
            assert peer[0] == lab_host.address


def test_a_power_cut_loses_what_was_not_synced(lab_host: Host) -> None:
    lab_host.write("/var/lib/old", b"before")
    lab_host.run(["sync", "/var/lib/old", "/var/lib"])
    lab_host.write("/var/lib/new", b"unsynced")
    assert lab_host.read("/var/lib/new") == b"unsynced"
    lab_host.power_cut()
    assert not lab_host.is_on
    lab_host.boot()
    # The name may have reached the journal; the content had no time to.
    assert lab_host.run(["cat", "/var/lib/new"], check=False).stdout == b""
    assert lab_host.read("/var/lib/old") == b"before"
    lab_host.write("/var/lib/new", b"synced")
    lab_host.run(["sync", "/var/lib/new", "/var/lib"])
    lab_host.power_cut()
    assert lab_host.boot().read("/var/lib/new") == b"synced"


def test_a_stop_keeps_every_write(lab_host: Host) -> None:
    lab_host.write("/var/lib/new", b"unsynced")
    machine_id = lab_host.read("/etc/machine-id")
    lab_host.stop()
    assert not lab_host.is_on
    assert lab_host.processes() == []
    with pytest.raises(LabError, match="is off"):
        lab_host.run(["true"])
    lab_host.boot()
    assert lab_host.read("/var/lib/new") == b"unsynced"
    assert lab_host.read("/etc/machine-id") == machine_id


def test_a_rollback_brings_the_snapshots_disk_back(lab_host: Host) -> None:
    lab_host.add_user("kept", b"first")
    lab_host.snapshot()
    lab_host.run(["chpasswd"], input=b"kept:second\n")
    lab_host.add_user("later")
    assert lab_host.opens("kept", b"second")
    with pytest.raises(LabError, match="is on"):
        lab_host.rollback()
    for _ in range(2):
        lab_host.stop()
        lab_host.rollback()
        lab_host.boot()
        assert lab_host.opens("kept", b"first")
        assert lab_host.run(["id", "later"], check=False).returncode != 0
        lab_host.add_user("later")


def test_files_go_over_with_their_mode(lab_host: Host, tmp_path: Path) -> None:
    local = tmp_path / "tool"
    local.write_bytes(b"#!/bin/sh\necho \xff\n")
    local.chmod(0o750)
    lab_host.put(local, "/opt/a tool")
    assert lab_host.run(["/opt/a tool"]).stdout == b"\xff\n"
    assert lab_host.run(["stat", "-c", "%a", "/opt/a tool"]).stdout == b"750\n"
    assert lab_host.read("/opt/a tool") == local.read_bytes()


def test_a_command_fails_aloud_and_ends_in_time(lab_host: Host) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        lab_host.run(["sh", "-c", "echo no >&2; exit 3"])
    assert (failed.value.returncode, failed.value.stderr) == (3, b"no\n")
    with pytest.raises(subprocess.TimeoutExpired):
        lab_host.run(["sleep", "8765"], timeout=0.5)
    for _ in range(100):
        if not (left := [process for process in lab_host.processes() if "8765" in process.command]):
            break
        time.sleep(0.05)
    assert not left


def test_nothing_of_the_callers_environment_goes_over(lab_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYTURN_TEST_MARK", "mark")
    assert b"KEYTURN_TEST_MARK" not in lab_host.run(["env"]).stdout


def test_single_files_can_be_hidden_and_memory_limited(lab: Lab) -> None:
    host = lab.host("bare", hide=["/usr/bin/env"], memory=256 << 20)
    try:
        host.boot()
        assert host.run(["test", "-e", "/usr/bin/env"], check=False).returncode == 1
        assert b"env" not in host.run(["ls", "/usr/bin"]).stdout.split()
        assert Path("/usr/bin/env").exists()
        hog = ["systemd-run", "--quiet", "--wait", "python3", "-c", "bytearray(512 << 20)"]
        assert host.run(hog, check=False).returncode != 0
        assert host.run([*hog[:-1], "bytearray(1 << 20)"], check=False).returncode == 0
    finally:
        host.down()
