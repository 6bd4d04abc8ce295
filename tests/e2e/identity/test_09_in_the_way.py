"""Story 9: what stands between: a proxy that asks for a sign-in, one that opens TLS, a portal, and an environment that
leads astray. The agent names each, hands nothing to it, keeps its answers, and goes on when the way is free.
"""

import time
from collections.abc import Iterator

import pytest

from tests.e2e.faults.front import INSTEAD, PASS, page
from tests.e2e.faults.wires import UP
from tests.e2e.identity.behind import CONF, Behind, machine_behind
from tests.e2e.identity.test_03_server_authority import own_certificate
from tests.e2e.site import Site, until
from tests.e2e.test_05_enrolment import says

pytestmark = [pytest.mark.real, pytest.mark.host]

NAME = "dmz-behind-01"
TRUSTED = "/etc/company.pem"
DROP_IN = "/etc/systemd/system/keyturn-agent.service.d"
WORD, TOKEN = "Canary-of-the-proxy", "canary-of-the-portal"
PORTAL = page(b"200 OK", f"<!DOCTYPE html><html><form><input name='t' value='{TOKEN}'></form></html>".encode())
ANONYMOUS = {"host", "accept", "accept-encoding", "connection", "user-agent"}
"""All that a request tells which carries nothing of the agent."""


@pytest.fixture(scope="module")
def behind(running: Site) -> Iterator[Behind]:
    """A machine behind a proxy, which opens TLS where it leads to the front."""
    company, certificate, key = own_certificate(running)
    with machine_behind(running, NAME, certificate, key) as made:
        made.host.write(TRUSTED, company.read_bytes())
        yield made


def test_a_proxy_that_asks_for_a_sign_in_is_named_and_its_password_shown_nowhere(behind: Behind) -> None:
    behind.proxy.sign_in = f"svc@corp:{WORD}/%"
    behind.set()
    behind.says("proxy_needs_sign_in")
    behind.set(sign_in=f"svc%40corp:{WORD}@")
    behind.says("proxy_needs_sign_in")
    behind.set(sign_in=f"svc%40corp:{WORD}%2F%25@")
    behind.sets("Through-the-proxy-1")
    assert behind.proxy.passed[UP] > 0
    assert WORD not in behind.told()
    assert says(behind.host, WORD) is None
    each = behind.host.run(["sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null"], check=False)
    assert WORD.encode() not in each.stdout


def test_a_proxy_that_opens_tls_is_not_trusted_and_learns_nothing(behind: Behind) -> None:
    behind.proxy.sign_in = ""
    behind.set()
    behind.sets("Before-it-opens-1")
    behind.leads_to(behind.front.address)
    behind.says("certificate_not_trusted")
    until(lambda: behind.front.heads or None, "the question that anybody may answer")
    behind.leads_to(behind.gateway)
    behind.sets("After-it-opened-1")
    for head in behind.front.heads:
        first, *lines = head.split("\r\n")
        assert first.startswith("GET /agent/v1/notices?after=")
        assert {line.partition(":")[0].lower() for line in lines} <= ANONYMOUS


def test_with_its_authority_in_trust_file_a_proxy_that_opens_tls_is_passed(behind: Behind) -> None:
    behind.leads_to(behind.front.address)
    behind.front.heads.clear()
    behind.set(f"TrustFile={TRUSTED}")
    behind.sets("In-the-open-1")
    assert any(head.startswith("POST /agent/v1/report ") for head in behind.front.heads)
    assert not any("In-the-open-1" in head for head in behind.front.heads)


def test_a_portals_page_counts_as_no_answer_and_a_result_waits_until_it_is_gone(behind: Behind) -> None:
    behind.leads_to(behind.front.address)
    behind.set(f"TrustFile={TRUSTED}")
    behind.sets("Before-the-portal-1")
    behind.front.page = PORTAL
    behind.front.rule = lambda path: INSTEAD if path.endswith("/report") else PASS
    behind.front.answered.clear()
    task = behind.site.reset(behind.account(), "Behind-the-portal-1")
    assert behind.front.answered.wait(30)
    until(lambda: behind.host.opens("deploy", b"Behind-the-portal-1") or None, "the password on the host")
    behind.says("proxy_in_the_way")
    assert behind.site.client.task(task.id).open
    behind.front.rule = lambda _: PASS
    assert behind.site.ends(task).state == "done"
    assert behind.site.revealed(behind.account())[0] == b"Behind-the-portal-1"

    behind.front.rule = lambda _: INSTEAD  # and each other request as well
    behind.says("proxy_in_the_way")
    time.sleep(2)
    behind.front.rule = lambda _: PASS
    behind.sets("After-the-portal-1")
    assert TOKEN not in behind.told()
    assert says(behind.host, TOKEN) is None


def test_the_environments_proxy_and_authorities_lead_nobody_astray(behind: Behind) -> None:
    astray = ("HTTPS_PROXY=http://127.0.0.1:9", "ALL_PROXY=http://127.0.0.1:9", "SSL_CERT_FILE=/nonexistent.pem")
    behind.host.run(["mkdir", "-p", DROP_IN])
    behind.host.write(
        f"{DROP_IN}/astray.conf", "[Service]\n{}\n".format("\n".join(f"Environment={each}" for each in astray)).encode()
    )
    behind.host.run(["systemctl", "daemon-reload"])
    behind.host.write(CONF, behind.conf, 0o600)
    behind.host.run(["systemctl", "restart", "keyturn-agent.service"])
    before = dict(behind.proxy.passed)
    behind.sets("Straight-on-1")
    environment = behind.host.run(["sh", "-c", "cat /proc/$(systemctl show -P MainPID keyturn-agent)/environ"])
    assert b"HTTPS_PROXY=http://127.0.0.1:9" in environment.stdout
    assert behind.proxy.passed == before
