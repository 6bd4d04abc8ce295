"""Story 5: the server moves house. Agents try the new place, go back when it does not answer, say so, and come back."""

import pytest

from deploy.local.ports import choose
from libs.client.client import Client
from tests.e2e.identity.rolling import follows, keyturn_server, restart_agent, sets
from tests.e2e.identity.test_03_server_authority import sleeper, wakes
from tests.e2e.site import PASSWORD, PERSON, Site, says_again, until
from tests.lab.host import Host

pytestmark = [pytest.mark.real, pytest.mark.host]

CONF = "/etc/keyturn-agent/agent.conf"


def moves(site: Site, *words: str) -> str:
    """What `keyturn-server move` says."""
    return keyturn_server(site, "move", *words, "--keys", str(site.server.keys), "--store-url", site.server.store.url)


def says(host: Host, *words: str) -> None:
    """The agent's status says all of this."""

    def look() -> bool | None:
        said = host.run(["/opt/keyturn-agent/runtime/keyturn-agent", "status"], text=True, check=False).stdout
        return all(word in said for word in words) or None

    until(look, f"the status to say {words}", 120)


def test_there_and_back_and_there(rolled: Site) -> None:
    account, host = rolled.add_account("moved"), sleeper(rolled, "dmz-off-05")
    conf = rolled.host.read(CONF)
    port = int(rolled.server.gateway_url.rsplit(":", 1)[1])
    there = choose(hosts=(rolled.lab.address,))
    old, new = f"keyturn:{port}", f"keyturn:{there}"
    try:
        # Nobody answers at the new place yet.
        moves(rolled, old, new)
        follows(rolled)
        says(rolled.host, f"{old} answers it", f"the server moved to {new}, where it does not answer", "no_contact")
        assert "not there: dmz-rolled-01" in moves(rolled)
        sets(rolled, account, "At-the-old-place-1")

        # Now a gateway does. An agent that slept hears of it where it last was.
        gateway, url = rolled.server.start_gateway("gateway-there", f"{rolled.lab.address}:{there}")
        assert url.endswith(f":{there}")
        restart_agent(rolled)
        says(rolled.host, f"{new} answers it", f"moved from {old}, which agent.conf names")
        sets(rolled, account, "At-the-new-place-2")
        wakes(rolled, host)
        says(host, f"{new} answers it")

        # The new one fails, and everybody goes back without a word from anybody.
        gateway.stop()
        says(rolled.host, f"{old} answers it")
        sets(rolled, account, "Back-at-the-old-place-3")

        # It is there again, and the old one is gone for good.
        gateway.start()
        restart_agent(rolled)
        says(rolled.host, f"{new} answers it")
        rolled.server.process("gateway").stop()
        rolled.client.close()
        rolled.client = Client(url, authority=rolled.server.ca_file, again=says_again)
        rolled.client.sign_in(PERSON, PASSWORD)
        sets(rolled, account, "At-the-new-place-alone-4")
        restart_agent(rolled)
        sets(rolled, account, "At-the-new-place-alone-5")

        # After all, everything goes back to where it was.
        rolled.server.process("gateway").start()
        moves(rolled, old, "--back")
        follows(rolled)
        says(rolled.host, f"{old} answers it")
        gateway.stop()
        rolled.client.close()
        rolled.client = Client(rolled.server.gateway_url, authority=rolled.server.ca_file, again=says_again)
        rolled.client.sign_in(PERSON, PASSWORD)
        sets(rolled, account, "Where-it-all-began-6")
        assert rolled.host.read(CONF) == conf
    finally:
        host.down()
