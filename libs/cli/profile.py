"""Where the command talks to and as whom: a file of profiles, private to its owner.

$KEYTURN_CONFIG, else ~/.config/keyturn/config.json       0600 in a folder 0700
KEYTURN_SERVER and KEYTURN_CA override the profile's server and authority
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from libs.client.errors import ClientError


@dataclass(frozen=True)
class Profile:
    """One server and one session."""

    server: str | None = None
    authority: str | None = None
    token: str | None = None


class Profiles:
    """The file."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        base = Path(environment.get("XDG_CONFIG_HOME") or Path(environment.get("HOME", "/")) / ".config")
        self._path = Path(environment.get("KEYTURN_CONFIG") or base / "keyturn" / "config.json")
        self._environment = environment

    def load(self, name: str) -> Profile:
        """The profile as it counts now: from the file, overridden by the environment.

        Raises:
            ClientError: the file is damaged.
        """
        kept = self._read().get(name, Profile())
        server, authority = self._environment.get("KEYTURN_SERVER"), self._environment.get("KEYTURN_CA")
        return replace(kept, server=server or kept.server, authority=authority or kept.authority)

    def save(self, name: str, profile: Profile) -> None:
        """Keeps the profile, whole or not at all.

        Raises:
            ClientError: the file is damaged, or cannot be written.
        """
        everything = self._read() | {name: profile}
        aside = self._path.with_name(f"{self._path.name}.new")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o600)
                json.dump({"profiles": {key: asdict(each) for key, each in everything.items()}}, file, indent=2)
            aside.replace(self._path)
        except OSError as error:
            raise ClientError(f"{self._path} cannot be written: {error.strerror}") from error

    def _read(self) -> dict[str, Profile]:
        try:
            found = json.loads(self._path.read_text("utf-8"))
            return {name: Profile(**fields) for name, fields in found["profiles"].items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ClientError(f"{self._path} cannot be read as profiles; correct it or move it away") from error
