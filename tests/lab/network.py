"""The lab's network: a bridge that is the machine's end, and one cable and one namespace a host.

The bridge itself is the claim on a network: its address is set under a lock that all labs of the machine share, so two
labs that begin at once take two networks. A host is a server in a DMZ: answers to its own calls come in, nothing else.
"""

import fcntl
import ipaddress
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lab.errors import LabError
from tests.lab.machine import call
from tests.lab.names import Names

_LOCK = Path("/run/lock/keyturn-lab")
_SPACE = ipaddress.IPv4Network("10.77.0.0/16")
NAMESPACES = Path("/run/netns")
NUMBERS = range(2, 251)

_FIREWALL = """
table inet dmz {
  chain in {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
  }
}
"""


@contextmanager
def machine_lock() -> Iterator[None]:
    """Held while a lab looks for what is free on the machine, or gives up what others may be waiting for."""
    _LOCK.parent.mkdir(parents=True, exist_ok=True)
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Network:
    def __init__(self, names: Names) -> None:
        self._names = names

    def claim(self) -> None:
        """Raise the bridge on the first free network from where the lab's name points. Call it under `machine_lock`."""
        taken = set(_taken())
        first = self._names.number % 255
        for k in (*range(first, 255), *range(first)):
            network = ipaddress.IPv4Network(f"10.77.{k}.0/24")
            if not any(network.overlaps(other) for other in taken):
                break
        else:
            raise LabError("All networks 10.77.0.0/24 to 10.77.254.0/24 are taken: close some labs.")
        call("ip", "link", "add", self._names.bridge, "type", "bridge")
        call("ip", "addr", "add", f"{network[1]}/24", "dev", self._names.bridge)
        call("ip", "link", "set", self._names.bridge, "up")

    @property
    def address(self) -> str | None:
        """The machine's address on the lab's network, or None while no bridge stands."""
        for link in _ip("-4", "addr"):
            if link.get("ifname") == self._names.bridge:
                for address in link["addr_info"]:
                    return str(address["local"])
        return None

    def wire(self, name: str, number: int) -> None:
        """Give the host a namespace with a firewall and a cable to the bridge; what stands already is left as it is."""
        namespace, cable = self._names.host(name), self._names.cable(number)
        address = self.address
        if address is None:
            raise LabError(f"The lab has no bridge {self._names.bridge}: claim it first.")
        if not (NAMESPACES / namespace).exists():
            call("ip", "netns", "add", namespace)
            # The firewall stands before the cable: there is no moment in which something could come in.
            call("nsenter", f"--net={NAMESPACES / namespace}", "nft", "-f", "-", feed=_FIREWALL)
            call("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", namespace)
            call("ip", "-n", namespace, "addr", "add", f"{address.rpartition('.')[0]}.{number}/24", "dev", "eth0")
            call("ip", "-n", namespace, "link", "set", "eth0", "up")
            call("ip", "-n", namespace, "link", "set", "lo", "up")
            call("ip", "link", "set", cable, "master", self._names.bridge)
        call("ip", "link", "set", cable, "up")

    def pull(self, number: int) -> None:
        """Pull the host's cable: from here on not even the kernel's farewell to open connections goes out."""
        call("ip", "link", "set", self._names.cable(number), "down")

    def unwire(self, name: str, number: int | None) -> None:
        # A namespace goes in the background and takes its end of the cable along. The cable goes first, to be gone now.
        if number is not None and self._names.cable(number) in self.interfaces():
            call("ip", "link", "del", self._names.cable(number))
        if (NAMESPACES / self._names.host(name)).exists():
            call("ip", "netns", "del", self._names.host(name))

    def clear(self) -> None:
        """Take away all that carries the lab's name, whoever left it."""
        for namespace in self.namespaces():
            call("ip", "netns", "del", namespace)
        with machine_lock():
            for interface in sorted(self.interfaces(), reverse=True):
                # A cable that goes with its namespace in the background may be gone between the look and this line.
                try:
                    call("ip", "link", "del", interface)
                except LabError:
                    if interface in self.interfaces():
                        raise

    def interfaces(self) -> list[str]:
        return [link["ifname"] for link in _ip("link") if self._names.owns(link.get("ifname", ""))]

    def namespaces(self) -> list[str]:
        return [entry.name for entry in NAMESPACES.glob("*") if self._names.owns(entry.name)]


def _ip(*arguments: str) -> list[dict[str, Any]]:
    return list(json.loads(call("ip", "-j", *arguments) or "[]"))


def _taken() -> Iterator[ipaddress.IPv4Network]:
    for link in _ip("-4", "addr"):
        for address in link.get("addr_info", ()):
            yield ipaddress.IPv4Network(f"{address['local']}/{address['prefixlen']}", strict=False)
    for route in _ip("-4", "route", "show", "table", "all"):
        # A route to a whole 10/8 names nobody's network; only what lies inside the labs' space counts.
        if route["dst"] != "default" and (network := ipaddress.IPv4Network(route["dst"])).subnet_of(_SPACE):
            yield network
