"""Story 5: a package is installed over an agent that works, and what it knew stays; one that cannot work goes back."""

import pytest

from tests.e2e.agent_life.verbs import CONF, INSTALLED, STATE, agent_of, booted, unpack, verb
from tests.e2e.faults.wires import Wire
from tests.e2e.site import FOLDER, OLD, Site, until
from tests.lab.host import Host

pytestmark = [pytest.mark.real, pytest.mark.host]


def identity(host: Host) -> bytes:
    return host.run(["sh", "-c", f"cat {STATE}/identity.key {STATE}/print.key"]).stdout


def exists(host: Host, path: str) -> bool:
    return host.run(["test", "-e", path], check=False).returncode == 0


def remembered(host: Host) -> set[bytes]:
    """What the journal holds of passwords that were set."""
    return {line for line in host.read(f"{STATE}/journal/journal").splitlines() if b'"kind":"intent"' in line}


def test_what_it_knew_stays_and_a_program_that_does_not_come_up_goes_back(running: Site) -> None:
    with booted(running, "life-over") as host:
        host.add_user("deploy", OLD)
        running.install(host)
        deploy = until(lambda: running.find("deploy", host.name), "its account")
        assert running.resets(deploy, "Before-the-upgrade-1").state == "done"
        keys, written, agent = identity(host), remembered(host), agent_of(running, host).id

        unpack(running, host)
        status, said = verb(host, "install")
        assert status == 0, said
        assert "Kept the settings" in said
        assert "Started: " in said
        assert not exists(host, f"{INSTALLED}.old"), "the program before is kept only until the new one was answered"
        assert identity(host) == keys
        assert written
        assert written <= remembered(host)
        assert agent_of(running, host).id == agent
        assert running.resets(deploy, "After-the-upgrade-1").state == "done"

        # A program that starts, reads its settings, and then does not stay up.
        unpack(running, host)
        broken = '#!/bin/sh\n[ "$1" != run ] || { echo "it broke on purpose" >&2; exit 3; }\n'
        broken += f'at={INSTALLED}; [ ! -d "$at.old" ] || at=$at.old\nexec "$at/runtime/keyturn-agent" "$@"\n'
        host.write(f"{FOLDER}/runtime/keyturn-agent", broken.encode())
        status, said = verb(host, "install", patience=8)
        assert status == 1
        assert "The new program did not come up, so the one before runs again." in said
        assert "it broke on purpose" in said
        assert not exists(host, f"{INSTALLED}.old")
        assert host.read(f"{INSTALLED}/runtime/keyturn-agent")[:4] == b"\x7fELF"
        assert identity(host) == keys
        assert running.resets(deploy, "After-going-back-1").state == "done"

        # Ended between the two renames, as by a power cut: the next verb finds the program before.
        verb(host, "stop")
        host.run(["mv", INSTALLED, f"{INSTALLED}.old"])
        status, said = verb(host, "start")
        assert status == 0, said
        assert running.resets(deploy, "After-the-power-cut-1").state == "done"


def test_a_server_that_cannot_be_reached_keeps_both_programs_until_it_answers(running: Site) -> None:
    with booted(running, "life-kept") as host:
        running.install(host)
        right = host.read(CONF)
        until(lambda: running.find("root", host.name), "its account")
        host.write(CONF, right.replace(b"ServerName=keyturn", b"ServerName=127.0.0.1"), 0o600)
        assert verb(host, "restart", patience=3)[0] == 1
        unpack(running, host)
        status, said = verb(host, "install", patience=3)
        assert status == 1
        assert "goes on trying" in said
        assert exists(host, f"{INSTALLED}.old")
        host.write(CONF, right, 0o600)
        status, said = verb(host, "restart")
        assert status == 0, said
        until(lambda: "no_contact" in {each.code for each in agent_of(running, host).said} or None, "what it met")
        assert not exists(host, f"{INSTALLED}.old")


def test_polls_that_something_between_cuts_are_no_news(running: Site) -> None:
    port = int(running.server.gateway_url.rsplit(":", 1)[1])
    with (
        booted(running, "life-cut") as host,
        Wire("gateway", ("127.0.0.1", port), (running.lab.address, 0)) as wire,
    ):
        host.add_user("deploy", OLD)
        running.install(host, start=False)
        right = host.read(CONF)
        host.write(CONF, right.replace(str(port).encode(), str(wire.address[1]).encode()), 0o600)
        assert verb(host, "start")[0] == 0
        deploy = until(lambda: running.find("deploy", host.name), "its account")
        for number in range(3):
            wire.reset()  # whatever it holds at this moment
            assert running.resets(deploy, f"After-the-cut-{number}").state == "done"
            assert host.opens("deploy", f"After-the-cut-{number}".encode())
        until(lambda: verb(host, "status")[0] == 0 or None, "its contact")
        assert agent_of(running, host).state == "active"
