"""Story 2: settings that are wrong in nine ways are each named with line, value and what would be right.

A right file of any editor counts from the next restart on.
"""

import pytest

from tests.e2e.agent_life.verbs import AGENT, CONF, STATE, booted, verb
from tests.e2e.site import Site, until

pytestmark = [pytest.mark.real, pytest.mark.host]

NINE: dict[str, tuple[bytes, bytes, tuple[str, ...]]] = {
    "a key that is not known": (b"ServerPort", b"ServerPrt", ("line 2", "'ServerPrt'", "did you mean ServerPort?")),
    "a key twice": (b"ServerPort=", b"UserName=ops\nServerPort=", ("line 5", "UserName stands in line 2 already")),
    "a number out of bounds": (b"Interval=5", b"Interval=4", ("line 3", "'4'", "whole seconds from 5 to 86400")),
    "no value": (
        b"UserName=ops",
        b"UserName=",
        ("line 4", "UserName has no value; write the name of the Keyturn user"),
    ),
    "no equals sign": (b"ServerPort=", b"ServerPort ", ("line 2", "has no equals sign; write Key=value")),
    "a blank that is none": (b"=ops", b"=ops\xc2\xa0", ("line 4", "U+00A0 (no-break space) at column 13; delete it")),
    "an address for a name": (b"=keyturn", b"=https://keyturn", ("line 1", "without https:// and without a path")),
    "bytes of another encoding": (b"=ops", b"=m\xfcller", ("line 4", "the byte 0xfc at column 11 is no UTF-8")),
    "a file that is not there": (
        b"=ops",
        b"=ops\nTrustFile=/etc/proxy.pem",
        ("line 5", "'/etc/proxy.pem'", "the file cannot be read (No such file or directory)"),
    ),
}


def test_nine_ways_of_being_wrong_and_every_way_of_saving_it_right(running: Site) -> None:
    with booted(running, "life-conf") as host:
        running.install(host)
        until(lambda: running.find("root", host.name), "its account")
        port = running.server.gateway_url.rsplit(":", 1)[1].encode()
        right = b"ServerName=keyturn\nServerPort=" + port + b"\nScheduleInterval=5\nUserName=ops\n"
        for what, (old, new, said) in NINE.items():
            host.write(CONF, right.replace(old, new), 0o600)
            found = host.run([AGENT, "check-config", "--conf", CONF], text=True, check=False)
            assert found.returncode == 78, what
            assert CONF in found.stdout, what
            for words in said:
                assert words in found.stdout, (what, found.stdout)
            assert found.stdout.count("\n") == 1, (what, found.stdout)

        # It does not start half configured, and the command that a person types says why.
        status, words = verb(host, "restart")
        assert status == 1
        assert "/etc/proxy.pem" in words

        # What other editors save counts: a byte order mark, UTF-16, carriage returns. Nothing is written back.
        address = running.lab.address.encode()
        for data in (
            right,
            b"\xef\xbb\xbf" + right.replace(b"\n", b"\r\n").replace(b"=keyturn", b"=" + address),
            right.decode().replace("\n", "\r\n").encode("utf-16"),
        ):
            host.write(CONF, data, 0o600)
            status, words = verb(host, "restart")
            assert status == 0, words
            expected = address if address in data else b"keyturn"
            assert (expected + b":" + port).decode() in words, "the change counts from the restart on"
            assert host.read(CONF) == data
        assert host.run([AGENT, "status", "--state", STATE]).returncode == 0
