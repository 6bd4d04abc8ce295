"""What a token's bounds say of a machine that asks for the first time. Pure.

Each bound has its own code, and a sentence that says what was seen and what would be right.
"""

from fnmatch import fnmatchcase
from ipaddress import IPv6Address, ip_address, ip_network

from libs.store.tokens import EnrolmentToken
from libs.wire.requests import EnrolContent
from services.bundler.errors import Code, DeclinedError

_LONGEST = 500


def check_host(token: EnrolmentToken, content: EnrolContent) -> None:
    """Returns where the machine calls itself as the token wants it.

    Raises:
        DeclinedError: `token_host_not_allowed`.
    """
    pattern, name = token.host_pattern, content.host.hostname
    if pattern is None or fnmatchcase(name.lower(), pattern.lower()):
        return
    raise DeclinedError(
        Code.TOKEN_HOST_NOT_ALLOWED,
        f"This machine calls itself {name!r}, and its package is for machines named {pattern}."
        " Download a package for this one."[:_LONGEST],
    )


def check_network(token: EnrolmentToken, content: EnrolContent) -> None:
    """Returns where the gateway saw the machine in one of the token's networks.

    Raises:
        DeclinedError: `token_network_not_allowed`.
    """
    if not token.networks or any(_inside(content.address, network) for network in token.networks):
        return
    networks = ", ".join(token.networks)
    raise DeclinedError(
        Code.TOKEN_NETWORK_NOT_ALLOWED,
        f"The server sees this machine as {content.address or 'an unknown address'}, and its package is for machines in"
        f" {networks}. Download a package for this network."[:_LONGEST],
    )


def _inside(address: str, network: str) -> bool:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        # A socket that listens on both families shows an IPv4 peer so.
        found = found.ipv4_mapped
    return found in ip_network(network)
