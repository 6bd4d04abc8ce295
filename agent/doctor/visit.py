"""What one call to the server met on its way, as far as it came: the evidence, without a judgement."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visit:
    """Each field is empty or None where the call did not come so far. Errors are the system's own words."""

    name: str
    port: int
    proxy: str = ""
    """The proxy's address, without its sign-in; empty where the call is direct."""
    addresses: tuple[str, ...] = ()
    """Of the server, or of the proxy where there is one: that resolves the server's name itself."""
    name_error: str = ""
    connect_error: str = ""
    proxy_status: int | None = None
    """What the proxy answered to the wish for a tunnel."""
    issuer: str = ""
    """Who issued the certificate that was shown."""
    trust_error: str = ""
    tls_error: str = ""
    status: int | None = None
    media: str = ""
    server_clock: int | None = None
    """Unix milliseconds, to the second, of the answer."""
    host_clock: int | None = None
    """This host's clock at the same moment."""
