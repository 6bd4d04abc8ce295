"""What the gateway is told from outside, beside what every service is."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, NamedTuple, Self

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator
from pydantic_settings import NoDecode

from libs.service import settings
from libs.wire.requests import ServerName

_LAST_PORT = 65_535
WILDCARDS = ("0.0.0.0", "::")
_NAME: TypeAdapter[str] = TypeAdapter(ServerName)


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """`host:port`, an IPv6 host in brackets.

        Raises:
            ValueError: it is none.
        """
        host, colon, port = text.strip().rpartition(":")
        if not colon or not host or not port.isdecimal() or int(port) > _LAST_PORT:
            raise ValueError(f"{text!r} is not host:port")
        return cls(_host(host.removeprefix("[").removesuffix("]")), int(port))


def _host(text: str) -> str:
    """A name or an IP address; IPv6 spelt out, since a certificate's name begins with a letter or a digit."""
    try:
        address = ip_address(text)
    except ValueError:
        return _NAME.validate_python(text)
    return str(address) if text in WILDCARDS else address.exploded


def _addresses(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(Address.parse(each) for each in value.split(","))


def _names(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(_host(each.strip()) for each in value.split(",") if each.strip())


class Settings(settings.Settings):
    """`listen`: comma-separated host:port; `names`: what the certificate is good for, beside the hosts of `listen`.

    `tls_certificate` and `tls_key`: the operator's own certificate, with its chain, and its key, both in PEM.
    `second_factor_required`: nobody does anything here before they have a second factor.
    `requests_per_minute`: how many one person may send to the interface, with all their sessions and access tokens.
    """

    listen: Annotated[
        tuple[Address, ...], NoDecode, BeforeValidator(_addresses), Field(min_length=1, max_length=16)
    ] = (Address("127.0.0.1", 7272),)
    names: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names), Field(max_length=50)] = ()
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    second_factor_required: bool = False
    requests_per_minute: int = Field(default=3_000, ge=60, le=1_000_000)

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("KEYTURN_TLS_CERTIFICATE and KEYTURN_TLS_KEY go together")
        return self

    @property
    def certificate_names(self) -> tuple[str, ...]:
        """Every name that people and agents may reach this gateway by; "localhost" where there is no other."""
        hosts = [each.host for each in self.listen if each.host not in WILDCARDS]
        return tuple(dict.fromkeys((*hosts, *self.names))) or ("localhost",)
