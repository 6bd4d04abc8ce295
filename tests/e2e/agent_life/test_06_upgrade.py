"""Story 6: a machine stays current. A newer release lands, one that fails is given back, and what a gateway that has
turned offers is refused.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.version import VERSION
from libs.client import models
from libs.wire.sign import Signed
from tests.e2e.agent_life.newer import newer, release_key, stated
from tests.e2e.identity.behind import Behind, machine_behind
from tests.e2e.site import OLD, Site, site, until
from tests.lab.lab import Lab

pytestmark = [pytest.mark.real, pytest.mark.host]

UNIT = "keyturn-agent.service"
QUICK = "/run/systemd/system/keyturn-agent.service.d/quick.conf"
NEWER, FAILS, NO_PROGRAM = "0.2.0", "0.3.0", "0.3.1"
ENDS_AT_ONCE = b'#!/bin/sh\n[ "$1" != run ] || exit 78\n'
"""It reads its settings, and then ends with a status after which systemd starts nothing more."""


@pytest.fixture(scope="module")
def current(root: Path, lab: Lab) -> Iterator[Site]:
    """The installation, with an account on its host."""
    with site(root, lab, "dmz-current-01") as made:
        made.add_account("deploy")
        yield made


def offers(site: Site, runtime: Path) -> None:
    site.server.admin(
        "runtime", "add", str(runtime), "--keys", str(site.server.keys), "--store-url", site.server.store.url
    )


def agent_of(site: Site) -> models.Agent:
    return next(each for each in site.client.agents(100) if each.resource.name == site.host.name)


def listens(site: Site) -> None:
    """The agent opens another session, in which it hears of what was added: gateways look every five seconds."""
    time.sleep(5.5)
    site.agent("restart")


def sets(site: Site, password: str) -> None:
    account = site.find("deploy")
    assert account is not None
    assert site.resets(account, password).state == "done"
    assert site.host.opens("deploy", password.encode())


def test_a_newer_release_lands_and_the_agent_stays_who_it_is(root: Path, current: Site) -> None:
    before = agent_of(current)
    assert before.version == VERSION
    offers(current, newer(root, current.folder, NEWER))
    listens(current)
    until(lambda: agent_of(current).version == NEWER or None, "the newer release", 120)
    until(lambda: not current.shell("ls /opt/keyturn-agent").split().count("trial") or None, "the end of its trial")
    after = agent_of(current)
    assert (after.id, after.upgrade) == (before.id, None)
    sets(current, "Set-by-the-newer-one-1")
    left = set(current.shell("ls /opt/keyturn-agent /var/lib/keyturn-agent").split())
    assert not [
        name for name in left if name.startswith(("next", "rehearsal", "runtime.kept", "upgrade-", "went-back"))
    ]
    assert current.shell("/opt/keyturn-agent/runtime/keyturn-agent --version").strip() == NEWER


def test_a_release_that_does_not_stay_is_given_back(root: Path, current: Site) -> None:
    offers(current, newer(root, current.folder, FAILS, ENDS_AT_ONCE))
    listens(current)
    seen = until(lambda: agent_of(current).upgrade, "what the agent says of it")
    assert (seen.release, seen.code) == (FAILS, "upgrade_went_back")
    assert agent_of(current).version == NEWER
    sets(current, "Set-after-going-back-1")


def test_a_release_that_does_not_run_here_is_not_even_tried(root: Path, current: Site) -> None:
    pid = current.agent_pid()
    offers(current, newer(root, current.folder, NO_PROGRAM, b"\x7fELF and nothing more"))
    listens(current)

    def look() -> models.Upgrade | None:
        seen = agent_of(current).upgrade
        return seen if seen is not None and seen.release == NO_PROGRAM else None

    assert until(look, "what the agent says of it").code == "upgrade_does_not_start"
    assert current.agent_pid() != pid  # by the restart above, and by none since
    assert current.shell("test -e /opt/keyturn-agent/trial; echo $?").strip() == "1"


def test_what_is_taken_back_is_offered_no_more(current: Site) -> None:
    for line in ("0.3.1", "0.3.0"):
        name = _hash_of(current, line)
        words = ("--keys", str(current.server.keys), "--store-url", current.server.store.url)
        current.server.admin("runtime", "withdraw", name, *words)
    listens(current)
    until(lambda: (agent_of(current).upgrade is None) or None, "the end of the trouble", 120)


def _hash_of(site: Site, release: str) -> str:
    before = (site.server.logs / "admin.log").stat().st_size
    site.server.admin("runtime", "list", "--keys", str(site.server.keys), "--store-url", site.server.store.url)
    said = (site.server.logs / "admin.log").read_bytes()[before:].decode()
    return next(line.split()[0] for line in said.splitlines() if f"  {release}  " in line)


# ---- a gateway that has turned


@pytest.fixture(scope="module")
def betrayed(current: Site) -> Iterator[Behind]:
    """A machine whose gateway offers what it likes."""
    keys = current.server.keys / "gateway"
    with machine_behind(current, "dmz-betrayed-06", keys / "tls.pem", keys / "tls.key") as made:
        made.leads_to(made.front.address)
        made.set()
        until(lambda: current.find("root", made.host.name), "its resource")
        yield made


def offering(signed: Signed) -> Callable[[str, bytes], bytes]:
    said = json.loads(signed.to_bytes())
    return lambda path, body: (
        json.dumps(json.loads(body) | {"upgrade": said}).encode() if path.endswith("/session") else body
    )


def test_what_a_gateway_that_has_turned_offers_is_refused(root: Path, current: Site, betrayed: Behind) -> None:
    key, folder = release_key(root), current.folder
    old, new = newer(root, folder, "0.0.9", ENDS_AT_ONCE), newer(root, folder, "0.4.0", ENDS_AT_ONCE)
    for offer, code in (
        (stated(old, key), "upgrade_too_old"),
        (stated(new, key, good_for=-1), "upgrade_expired"),
        (stated(new, Ed25519PrivateKey.generate()), "upgrade_not_trusted"),
    ):
        betrayed.front.rewrite = offering(offer)
        betrayed.restart()
        betrayed.says(code)

    true = offering(stated(new, key))
    betrayed.front.rewrite = lambda path, body: (
        json.dumps({"piece": json.loads(body)["piece"][:-40]}).encode()
        if path.endswith("/runtime")
        else true(path, body)
    )
    offers(current, new)
    betrayed.restart()
    betrayed.says("upgrade_damaged")
    betrayed.front.rewrite = lambda _, body: body
    assert (
        betrayed.host.run(["/opt/keyturn-agent/runtime/keyturn-agent", "--version"], text=True).stdout.strip() == NEWER
    )
    assert not betrayed.host.run(["sh", "-c", "ls /opt/keyturn-agent | grep -E 'next|trial' || :"], text=True).stdout
    assert OLD
