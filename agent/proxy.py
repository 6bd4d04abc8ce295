"""The HTTP proxy that agent.conf names, and the sign-in that it may ask for: shown as its address alone."""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

import httpx

from libs.wire.secret import Secret


@dataclass(frozen=True, slots=True)
class Proxy:
    """`host` as it stands in an address, an IPv6 one in brackets. Without a `name` it is not signed in to."""

    host: str
    port: int
    name: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))

    @classmethod
    def parse(cls, text: str) -> Self:
        """From http://host:port, with name:password@ in front of the host; both are percent-encoded, as in any address.

        Raises:
            ValueError: it is something else. The text is not quoted.
        """
        right = (
            "write http://host:port, or http://name:password@host:port; "
            "in a password write % as %25, # as %23, / as %2F, ? as %3F and @ as %40"
        )
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise ValueError(right) from None
        beyond = parts.path.strip("/") or parts.query or parts.fragment
        if parts.scheme != "http" or not parts.hostname or not port or beyond:
            raise ValueError(right)
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return cls(host, port, unquote(parts.username or ""), Secret(unquote(parts.password or "")))

    def __str__(self) -> str:
        return f"http://{self.host}:{self.port}"

    def for_httpx(self) -> httpx.Proxy:
        """As the client takes it."""
        sign_in = (self.name, self.password.reveal().decode()) if self.name else None
        return httpx.Proxy(str(self), auth=sign_in)
