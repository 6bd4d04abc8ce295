"""Where the gateway listens: `host:port` pairs, of which port 0 means one free port, the same for all that say so."""

from dataclasses import dataclass

from deploy.local import ports
from deploy.local.errors import PortTakenError

WILDCARDS = ("0.0.0.0", "::")


@dataclass(frozen=True)
class Address:
    """A host, by name or number, and a port between 0 and 65535."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Reads `host:port`, an IPv6 host in brackets. Raises ValueError with a sentence."""
        host, colon, port = text.strip().rpartition(":")
        if not colon or not host or not port.isdigit() or int(port) > 65_535:  # noqa: PLR2004 - the last port
            raise ValueError(f"{text!r} is not host:port")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def settle(wanted: tuple[Address, ...], prefer: int | None) -> tuple[Address, ...]:
    """Gives every port 0 one free port, `prefer` when that is free; raises PortTakenError for a fixed port in use."""
    for address in wanted:
        if address.port and not ports.is_free(address.port, address.host):
            raise PortTakenError(
                f"{address} cannot be listened on: another process has it, or the address is not here."
            )
    hosts = tuple(address.host for address in wanted if not address.port)
    if not hosts:
        return wanted
    port = ports.choose(hosts=hosts, prefer=prefer)
    return tuple(Address(address.host, address.port or port) for address in wanted)
