"""What each value of agent.conf may be. Each function takes the text and raises ValueError with what would be right."""

import ipaddress
import re
import ssl
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from agent.proxy import Proxy
from libs.wire.requests import ResourceName, UserName

MEANING: Final = {
    "ServerName": "the name or address of the Keyturn server, such as keyturn.example.net",
    "ServerPort": "a port from 1 to 65535, 7272 by default",
    "ScheduleInterval": "whole seconds from 5 to 86400, 60 by default",
    "UserName": "the name of the Keyturn user under whom this machine is added",
    "Upgrade": "on or off, on by default",
    "UpgradeWindow": "two hours of the day, such as 22-5, all day by default",
    "LogLevel": "one of debug, info, warning, error",
}
_HOST_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_HOST_LETTERS: Final = 253
_USER: Final[TypeAdapter[str]] = TypeAdapter(UserName)
_RESOURCE: Final[TypeAdapter[str]] = TypeAdapter(ResourceName)
_PORTS: Final = range(1, 65_536)
_INTERVALS: Final = range(5, 86_401)
_LEVELS: Final = ("debug", "info", "warning", "error")


def server_name(text: str) -> str:
    """A host name or an address; an IPv6 address stands with or without brackets."""
    if text[0] in "\"'":
        raise ValueError("write the name without quotation marks")
    if "://" in text or "/" in text:
        raise ValueError(f"write {MEANING['ServerName']}, without https:// and without a path")
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if ":" in bare or bare.replace(".", "").isdigit():
        try:
            return str(ipaddress.ip_address(bare))
        except ValueError:
            wrong = "the port stands in ServerPort" if bare.count(":") == 1 else "this is no IP address"
            raise ValueError(f"{wrong}; write {MEANING['ServerName']}") from None
    name = bare.removesuffix(".")
    if len(name) > _HOST_LETTERS or not all(_HOST_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError(f"a host name has letters, digits, dots and hyphens only; write {MEANING['ServerName']}")
    return name.lower()


def _whole(text: str, allowed: range, meaning: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(allowed.stop)) and int(text) in allowed):
        raise ValueError(f"write {meaning}")
    return int(text)


def server_port(text: str) -> int:
    return _whole(text, _PORTS, MEANING["ServerPort"])


def schedule_interval(text: str) -> int:
    return _whole(text, _INTERVALS, MEANING["ScheduleInterval"])


def user_name(text: str) -> str:
    """The owner's name, by the rule that the server has for names of users."""
    return _as_on_the_wire(
        _USER, text, "small letters, digits and . _ @ -, at most 64, beginning with a letter or digit"
    )


def resource_name(text: str) -> str:
    """The machine's name, by the rule that the server has for names of resources."""
    return _as_on_the_wire(_RESOURCE, text, "letters, digits and . _ -, at most 253, beginning with a letter or digit")


def _as_on_the_wire(rule: TypeAdapter[str], text: str, right: str) -> str:
    try:
        return rule.validate_python(text)
    except ValidationError:
        raise ValueError(f"write {right}") from None


def without_sign_in(text: str) -> str:
    """A proxy's address without the name and password in it, to be shown."""
    return re.sub(r"//.*@", "//***@", text)


def proxy(text: str) -> Proxy:
    """An HTTP proxy."""
    found = Proxy.parse(text)
    server_name(found.host)
    return found


def trust_file(text: str) -> Path:
    """A file with further certificates to trust, for a proxy that opens TLS."""
    path = Path(text)
    if not path.is_absolute():
        raise ValueError("write the whole path of a PEM file, from / on")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"the file cannot be read ({error.strerror}); write the path of a PEM file") from None
    if b"-----BEGIN CERTIFICATE-----" not in content:
        raise ValueError("the file holds no certificate; write the path of a PEM file with one")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=content.decode("ascii", "replace"))
    except ssl.SSLError:
        raise ValueError("a certificate in the file is damaged; write the path of a whole PEM file") from None
    return path


def log_level(text: str) -> str:
    if text.lower() not in _LEVELS:
        raise ValueError(f"write {MEANING['LogLevel']}")
    return text.lower()


def upgrade(text: str) -> bool:
    """Whether the agent takes newer releases that the server offers."""
    if text.lower() not in ("on", "off"):
        raise ValueError(f"write {MEANING['Upgrade']}")
    return text.lower() == "on"
