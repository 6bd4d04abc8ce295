"""Where each key lies: one private folder a process, and `public/` for what everyone may read.

`keyturn-server init` makes these files, `check` holds a folder against this list, and the services read their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

PUBLIC = "public"
ADMIN = "admin"
BROKER = "broker"

STORE_PASSWORD = "store_password"  # noqa: S105 - a file's name
BROKER_PASSWORD = "broker_password"  # noqa: S105 - a file's name
SESSION_SECRET = "session.secret"  # noqa: S105 - a file's name
DEFINITIONS = "definitions.json"
RELEASE = "release.pem"


class Kind(StrEnum):
    """What a key file holds."""

    SEALING = "X25519"
    SIGNING = "Ed25519"
    AUTHORITY = "P-256"


@dataclass(frozen=True)
class Pair:
    """A private file in a service's folder, and its public half in `public/`."""

    folder: str
    private: str
    public: str
    kind: Kind


PAIRS = (
    Pair("gateway", "request.key", "request.pem", Kind.SIGNING),
    Pair("scheduler", "vault.key", "vault.pem", Kind.SEALING),
    Pair("scheduler", "task.key", "task.pem", Kind.SIGNING),
    Pair("bundler", "configuration.key", "configuration.pem", Kind.SIGNING),
    Pair("bundler", "server-ca.key", "server-ca.pem", Kind.AUTHORITY),
    Pair("bundler", "agent-ca.key", "agent-ca.pem", Kind.AUTHORITY),
)

RECOVERY_PUBLIC = "recovery.pem"
RETIRED_AGENTS = "agent-ca-retired.pem"
"""Agent authorities whose certificates are good for renewing alone; there once one was retired."""
OWN_AUTHORITIES = "own-ca.pem"
"""Authorities of the operator's own certificate for the gateway; there only where he brought one."""

SERVICES = ("gateway", "scheduler", "bundler")

PRIVATE_FILES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "gateway": ("request.key", SESSION_SECRET, STORE_PASSWORD, BROKER_PASSWORD),
        "scheduler": ("vault.key", "task.key", STORE_PASSWORD, BROKER_PASSWORD),
        "bundler": ("server-ca.key", "agent-ca.key", "configuration.key", STORE_PASSWORD, BROKER_PASSWORD),
        ADMIN: (STORE_PASSWORD, BROKER_PASSWORD),
        BROKER: (DEFINITIONS,),
    }
)

PUBLIC_FILES = (*(pair.public for pair in PAIRS), RECOVERY_PUBLIC, RELEASE)

FOLDER_MODE, FILE_MODE = 0o700, 0o600
PUBLIC_FOLDER_MODE, PUBLIC_FILE_MODE = 0o755, 0o644
