"""`sh installAgent-service.sh` on a real host, from the worst folder that people unpack into."""

import re

import pytest

from tests.integration.agent_package.conftest import FOLDER, INSTALLER, Files, Run, Unpack
from tests.lab.host import Host

pytestmark = pytest.mark.host

SYSTEMD = "service/systemd.sh"
UNIT = "/etc/systemd/system/keyturn-agent.service"
AGENT = "/opt/keyturn-agent/runtime/keyturn-agent"


def listing(host: Host) -> set[str]:
    """Every file of the host where an installation could leave one; locks and caches of its own tools aside."""
    places = ["/etc", "/opt", "/usr", "/var/lib", "/run/systemd/system", "/run", "/root", "/srv"]
    found = host.run(["find", *places, "-xdev", "-not", "-path", "/run/systemd/*"], text=True, check=False).stdout
    return {line for line in found.splitlines() if not re.search(r"\.pwd\.lock$|/run/(log|udev|user|dbus)/", line)}


def modes(host: Host, *paths: str) -> list[str]:
    return host.run(["stat", "-c", "%a %U", *paths], text=True).stdout.split("\n")[:-1]


def test_its_whole_life_from_a_folder_with_a_blank_noexec_and_crlf(
    host: Host, package: Files, unpack: Unpack, run: Run
) -> None:
    before = listing(host)
    crlf = {name: package[name].replace(b"\n", b"\r\n") for name in package if not name.startswith(("runtime", "keys"))}
    unpack(package | crlf)

    status, said = run("install")
    assert status == 0, said
    assert "Tested inside the service's sandbox: passwords can be set on this host." in said
    assert modes(host, "/opt/keyturn-agent", AGENT, "/opt/keyturn-agent/token", "/opt/keyturn-agent/trust.pem") == [
        "755 root",
        "755 root",
        "600 root",
        "644 root",
    ]
    assert modes(host, UNIT, "/etc/keyturn-agent/agent.conf", "/var/lib/keyturn-agent") == [
        "644 root",
        "600 root",
        "700 root",
    ]
    assert b"\r" not in host.read(UNIT)
    assert b"ProtectSystem=strict" in host.read(UNIT)
    assert b"\r" not in host.run(["sh", "-c", "cat /opt/keyturn-agent/*.sh /opt/keyturn-agent/service/*.sh"]).stdout
    assert host.run(["systemctl", "is-enabled", "keyturn-agent"], text=True).stdout.strip() == "enabled"

    status, said = run("start")
    assert status == 1
    assert "goes on trying, but it is not well" in said
    assert "127.0.0.1" in said
    assert run("status")[0] == 1

    pid = host.run(["systemctl", "show", "-P", "MainPID", "keyturn-agent"], text=True).stdout.strip()
    maps = host.read(f"/proc/{pid}/maps").decode()
    assert "/opt/keyturn-agent/runtime/_internal/libpython" in maps
    crypt = {line.split()[-1] for line in maps.splitlines() if "libcrypt.so" in line}
    assert crypt, "the agent has not loaded its host's libcrypt"
    assert not [path for path in crypt if path.startswith("/opt")]

    assert run("stop")[0] == 0
    assert run("status") == (1, "the agent is not running\n")

    status, said = run("remove")
    assert status == 0, said
    assert said.splitlines() == [
        "Before it goes: the server had not let this machine in, so there was nobody to tell.",
        "Removed the agent, its settings, its keys and its journal from this host.",
    ]
    assert listing(host) == before
    known = host.run(["systemctl", "list-units", "--all", "--plain", "--no-legend", "keyturn*"], text=True).stdout
    assert known == ""


def test_the_settings_of_an_operator_are_kept_and_checked(host: Host, package: Files, unpack: Unpack, run: Run) -> None:
    unpack(package)
    assert run("install")[0] == 0
    host.write("/etc/keyturn-agent/agent.conf", package["agent.conf"] + b"LogLevel=debug\n", 0o600)
    status, said = run("install")
    assert status == 0
    assert "Kept the settings" in said
    assert b"LogLevel=debug" in host.read("/etc/keyturn-agent/agent.conf")
    host.write("/etc/keyturn-agent/agent.conf", package["agent.conf"] + b"LogLevel=loud\n", 0o600)
    status, said = run("install")
    assert status == 1
    assert "line 5: LogLevel='loud'" in said
    assert host.run([AGENT, "--version"], text=True).returncode == 0, "a refused update broke what was installed"


def test_where_selinux_is_on_every_installed_path_gets_its_label(
    host: Host, package: Files, unpack: Unpack, run: Run
) -> None:
    """This kernel has none, so the host's two tools are stood in for: what matters is who is told of which path."""
    stubs = {
        "/usr/local/sbin/selinuxenabled": b"#!/bin/sh\nexit 0\n",
        "/usr/local/sbin/restorecon": b'#!/bin/sh\nshift\nprintf "%s\\n" "$@" >>/run/labelled\n',
    }
    try:
        for path, content in stubs.items():
            host.write(path, content, 0o755)
        unpack(package)
        status, said = run("install")
        assert status == 0, said
        labelled = set(host.read("/run/labelled").decode().splitlines())
        assert labelled == {"/opt/keyturn-agent", "/etc/keyturn-agent", "/var/lib/keyturn-agent", UNIT}
    finally:
        host.run(["rm", "-f", *stubs, "/run/labelled"])


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("runtime/glibc", b"2.99\r\n", "the agent needs glibc 2.99 or newer"),
        ("runtime/machine", b"riscv64\n", "for riscv64"),
        ("agent.conf", b"ServerName=gw\nServerPort=72720\nUserName=ops\n", "line 2: ServerPort='72720'"),
        ("runtime/keyturn-agent", b"\x7fELF no program", "does not run on this host"),
        ("trust.pem", None, "trust.pem is missing"),
    ],
)
def test_what_cannot_work_is_refused_in_one_sentence_and_leaves_nothing(
    *, host: Host, package: Files, unpack: Unpack, run: Run, name: str, content: bytes | None, says: str
) -> None:
    before = listing(host)
    files = package | ({} if content is None else {name: content})
    unpack({path: raw for path, raw in files.items() if path != name or content is not None})
    status, said = run("install")
    assert status == 1
    assert says in said
    assert listing(host) == before


def test_a_sandbox_that_forbids_the_work_is_found_at_install(
    host: Host, package: Files, unpack: Unpack, run: Run
) -> None:
    """The same program under a unit without CAP_CHOWN, as a hardening guide might write it."""
    systemd = package[SYSTEMD]
    unpack(package | {SYSTEMD: systemd.replace(b"Set=CAP_CHOWN ", b"Set=")})
    _, said = run("install")
    assert "passwords cannot be set on this host yet: no_privilege" in said
    assert "CAP_CHOWN" in said
    unpack(
        package
        | {SYSTEMD: systemd.replace(b"ProtectSystem=yes", b"ProtectSystem=full").replace(b"=/etc\n", b"=/srv\n")}
    )
    _, said = run("install")
    assert "passwords cannot be set on this host yet: etc_read_only" in said
    unpack(package | {SYSTEMD: systemd.replace(b"=/etc\n", b"=/srv\n")})
    _, said = run("install")
    assert "a milder one because of this: etc_read_only" in said
    assert "In it: passwords can be set on this host." in said
    assert b"ProtectSystem=strict" not in host.read(UNIT)
    assert host.is_on


def test_a_damaged_token_is_told_without_showing_it(host: Host, package: Files, unpack: Unpack, run: Run) -> None:
    unpack(package | {"token": b"Canary half-a-token\n"})
    assert run("install")[0] == 0
    status, said = run("start")
    assert status == 1
    assert "/opt/keyturn-agent/token is damaged" in said
    log = host.run(["journalctl", "-u", "keyturn-agent", "--no-pager"], text=True).stdout
    assert "is damaged" in log
    assert "Canary" not in said + log


def test_who_is_not_root_is_told_so(host: Host, package: Files, unpack: Unpack, run: Run) -> None:
    unpack(package)
    host.run(["chmod", "-R", "a+rX", FOLDER])
    for verb in ("install", "start", "stop", "remove"):
        line = f'setpriv --reuid 65534 --clear-groups sh "{FOLDER}/{INSTALLER}" {verb}'
        done = host.run(["sh", "-c", line], check=False, text=True)
        assert done.returncode == 1
        assert done.stderr.startswith("This needs root: sudo sh")
    assert run("status") == (3, "The agent is not installed.\n")


def test_verbs_out_of_order_are_answered(package: Files, unpack: Unpack, run: Run) -> None:
    unpack(package)
    status, said = run("start")
    assert status == 1
    assert said.startswith("The agent is not installed: sh ")
    assert run("stop")[1].startswith("The agent is not installed: sh ")
    assert run("remove")[0] == 0
    assert run("frobnicate")[0] == 2
