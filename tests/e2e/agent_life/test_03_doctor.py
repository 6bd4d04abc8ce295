"""Story 3: two in the morning. Whatever a host can have wrong is named with its code, what was seen, and the remedy."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.agent_life.verbs import AGENT, CONF, INSTALLED, STATE, booted, unpack, verb
from tests.e2e.faults.clocks import variables
from tests.e2e.site import Site, until
from tests.integration.agent_package.conftest import authority
from tests.lab.host import Host

pytestmark = [pytest.mark.real, pytest.mark.host]


CLOCK = "/run/keyturn-clock"


@contextmanager
def answering(address: str, raw: bytes) -> Iterator[int]:
    """Something that answers these bytes to whoever connects; its port."""
    with socket.create_server((address, 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    line, _ = listening.accept()
                except OSError:
                    return
                with line:
                    line.settimeout(10)
                    line.recv(4_096)
                    line.sendall(raw)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            listening.shutdown(socket.SHUT_RDWR)


def doctor(host: Host, *within: str) -> tuple[int, str]:
    """What the doctor says; its lines are put together again."""
    paths = ["--conf", CONF, "--package", INSTALLED, "--state", STATE]
    done = host.run([*within, AGENT, "doctor", *paths], text=True, check=False)
    assert done.stderr == ""
    return done.returncode, " ".join(done.stdout.split())


def says(host: Host, code: str, seen: str = "", *, within: tuple[str, ...] = ()) -> None:
    status, said = doctor(host, *within)
    assert (status, f"{code}:" in said) == (1, True), said
    assert seen in said, said
    assert "Not well. First: " in said


def test_before_a_machine_is_let_in(running: Site) -> None:
    with booted(running, "life-ill") as host:
        unpack(running, host)
        assert verb(host, "doctor")[0] == 3
        assert verb(host, "install")[0] == 0
        status, said = verb(host, "doctor")
        assert status == 1
        assert "there is one, not used yet" in said
        assert "service_not_running" in said
        says(host, "not_let_in", "ops; the server has not let this machine in yet")
        says(host, "no_privilege", "root, but without CAP_CHOWN", within=("setpriv", "--bounding-set", "-chown"))

        host.run(["mv", f"{INSTALLED}/token", "/root/token"])
        says(host, "token_missing")
        host.write(f"{INSTALLED}/token", b"half\n")
        says(host, "package_damaged", "token is damaged")
        host.run(["mv", "/root/token", f"{INSTALLED}/token"])

        host.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", STATE])
        says(host, "state_disk_full", f"are free for {STATE}")
        host.run(["umount", STATE])
        host.run(["mv", "/usr/sbin/chpasswd", "/root/chpasswd"])
        says(host, "tool_missing")
        host.run(["mv", "/root/chpasswd", "/usr/sbin/chpasswd"])

        # A name that no user of Keyturn has: the server refuses, and the agent says it when it is asked.
        host.run(["sed", "-i", "s/^UserName=.*/UserName=nobody-has-it/", CONF])
        status, said = verb(host, "start", patience=60)
        assert status == 1
        assert "user_name_unknown" in said
        says(host, "user_name_unknown", "nobody-has-it: ")
        host.run(["sed", "-i", "s/^UserName=.*/UserName ops/", CONF])
        says(host, "settings_wrong", "has no equals sign")


def test_a_machine_that_was_let_in_and_then_met_the_world(running: Site) -> None:
    with booted(running, "life-worn") as host:
        running.install(host)
        until(lambda: running.find("root", host.name), "its account")
        status, said = verb(host, "doctor", at=INSTALLED)
        assert status == 0, said
        assert said.endswith("All is well.\n")
        assert "issued by" in said
        assert "used: the server let this machine in as agt_" in said
        right = host.read(CONF)

        host.write(CLOCK, b"+7200\n")
        ahead = [f"{name}={value}" for name, value in variables(CLOCK).items()]
        status, said = doctor(host, "env", *ahead)
        assert (status, "clock_skew:" in said) == (0, True), said  # nothing depends on it
        assert re.search(r" 7[12]\d\d s ahead of the server's", said), said

        host.run(["sed", "-i", "s/^hosts:.*/hosts: files/", "/etc/nsswitch.conf"])
        host.write(CONF, right.replace(b"ServerName=keyturn", b"ServerName=not-anywhere"), 0o600)
        says(host, "server_name_unknown", "not-anywhere has no address")
        host.write(CONF, right.replace(b"\nServerPort=", b"\nServerPort=9\n#"), 0o600)
        says(host, "no_contact", "keyturn:9 cannot be reached: Connection refused")
        host.write(CONF, right + b"Proxy=http://keyturn:9\n", 0o600)
        says(host, "proxy_unreachable", "http://keyturn:9 cannot be reached")
        for raw, code, seen in (
            (b"HTTP/1.1 407 Sign in\r\n\r\n", "proxy_needs_sign_in", "(407)"),
            (b"HTTP/1.1 403 No\r\n\r\n", "proxy_in_the_way", "it answered 403"),
            (b"HTTP/1.1 200 OK\r\n\r\n<html>", "proxy_in_the_way", "does not speak TLS"),
        ):
            with answering(running.lab.address, raw) as port:
                host.write(CONF, right + f"Proxy=http://ann:pass@keyturn:{port}\n".encode(), 0o600)
                says(host, code, seen)
                assert "pass@" not in doctor(host)[1]
        host.write(CONF, right, 0o600)

        trust = host.read(f"{INSTALLED}/trust.pem")
        host.write(f"{INSTALLED}/trust.pem", authority())
        says(host, "certificate_not_trusted", "a certificate issued by CN=")
        host.write(f"{INSTALLED}/trust.pem", trust)

        host.run(["sh", "-c", "cp -p /etc/shadow /var/tmp/shadow && mount --bind /var/tmp/shadow /etc/shadow"])
        says(host, "shadow_is_mount")
        host.run(["umount", "/etc/shadow"])
        host.run(["sh", "-c", "mount --bind /etc /etc && mount -o remount,bind,ro /etc"])
        says(host, "etc_read_only")
        host.run(["umount", "/etc"])
        hold = "import fcntl,time;f=open('/etc/.pwd.lock','w');fcntl.lockf(f,2);open('/run/held','w');time.sleep(600)"
        host.run(["sh", "-c", f'python3 -c "{hold}" >/dev/null 2>&1 & echo $! >/run/holder'])
        until(lambda: host.run(["test", "-e", "/run/held"], check=False).returncode == 0 or None, "the lock")
        says(host, "account_db_busy", "(python3)")
        host.run(["sh", "-c", "kill $(cat /run/holder)"])

        host.run(["systemctl", "stop", "keyturn-agent"])
        says(host, "service_not_running", "inactive")
        host.run(["mv", "/etc/systemd/system/keyturn-agent.service", "/root"])
        host.run(["systemctl", "daemon-reload"])
        says(host, "service_not_installed")
