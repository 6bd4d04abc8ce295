"""A machine that reaches the server only by a proxy, which may open what passes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from libs.client import models
from tests.e2e.faults.front import Front
from tests.e2e.faults.wires import Address, Proxy
from tests.e2e.site import OLD, PATIENCE, Site, until
from tests.lab.host import Host

CONF = "/etc/keyturn-agent/agent.conf"


@dataclass
class Behind:
    """The proxy leads to `gateway`, or to `front`, which ends TLS and asks the gateway itself."""

    site: Site
    host: Host
    proxy: Proxy
    front: Front
    gateway: Address
    conf: bytes

    def leads_to(self, target: Address) -> None:
        self.proxy.target = target
        self.proxy.reset()

    def set(self, *lines: str, sign_in: str = "") -> None:
        """agent.conf with these lines and the proxy, and a restart."""
        at = "{}:{}".format(*self.proxy.address)
        more = "".join(f"{line}\n" for line in (f"Proxy=http://{sign_in}{at}", *lines))
        self.host.write(CONF, self.conf + more.encode(), 0o600)
        self.restart()

    def restart(self) -> None:
        self.host.run(["systemctl", "restart", "keyturn-agent.service"])

    def says(self, code: str, seconds: float = PATIENCE, *, ever: bool = False) -> None:
        """Returns once the agent says this from now on. What it said before, or its status keeps, does not count.

        With `ever` what it said before counts as well. Where it does not come, its last words are shown.
        """
        before = 0 if ever else len(self.told())
        try:
            until(lambda: code in self.told()[before:] or None, f"the word {code}", seconds)
        except AssertionError as error:
            heads = [head.partition("\r\n")[0] for head in self.front.heads[-40:]]
            raise AssertionError("\n".join([str(error), self.told()[-6_000:], *heads])) from error

    def account(self) -> models.Account:
        return until(lambda: self.site.find("deploy", self.host.name), "its account")

    def sets(self, password: str) -> None:
        """A reset, by whatever way is set."""
        task = self.site.resets(self.account(), password)
        assert task.state == "done", task
        assert self.host.opens("deploy", password.encode())

    def told(self) -> str:
        """All that the agent says on its host."""
        return self.host.run(["journalctl", "-u", "keyturn-agent.service", "-o", "cat"], text=True).stdout


@contextmanager
def machine_behind(site: Site, name: str, certificate: Path, key: Path) -> Iterator[Behind]:
    """The machine; its agent is installed and has not been started. The front shows `certificate`."""
    gateway = ("127.0.0.1", int(site.server.gateway_url.rsplit(":", 1)[1]))
    host = site.lab.host(name)
    with ExitStack() as stack:
        front = stack.enter_context(Front(gateway, certificate, key, site.server.ca_file))
        proxy = stack.enter_context(Proxy("proxy", gateway, (site.lab.address, 0)))
        stack.callback(host.down)
        host.boot()
        host.add_user("deploy", OLD)
        site.install(host, start=False)
        yield Behind(site, host, proxy, front, gateway, host.read(CONF))
