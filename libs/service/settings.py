"""What a service is told from outside: variables that begin with `KEYTURN_`, and secrets from files.

No secret comes in a variable or in an address, since both are seen by others: the addresses of store and broker carry
no password, which lies in the service's private folder. Each value is checked before anything starts, and each wrong
one is named in a line of its own.
"""

import stat
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.domain.errors import KeyturnError
from libs.wire.secret import Secret

PREFIX = "KEYTURN_"
MAX_SECRET = 4_096


class SettingsError(KeyturnError):
    """Settings that no service can start with; `lines` has a sentence for each."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise ValueError(f"{path} is no folder that this user can see")
    return path


def _address(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.hostname:
            raise ValueError(f"an address like {schemes[0]}://HOST:PORT/ is needed")
        if "@" in parts.netloc:
            raise ValueError("user and password do not belong here; the password is read from the private folder")
        return value

    return AfterValidator(check)


Folder = Annotated[Path, AfterValidator(_folder)]


class Settings(BaseSettings):
    """What every service needs; a service adds its own fields in a subclass."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    private: Folder
    public: Folder
    store_url: Annotated[str, _address("mongodb")]
    broker_url: Annotated[str, _address("amqp", "amqps")]
    health_host: str = "127.0.0.1"
    health_port: Annotated[int, Field(ge=0, le=65_535)]
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def load(cls) -> Self:
        """The settings of the environment.

        Raises:
            SettingsError: with a line for each wrong or missing value.
        """
        try:
            return cls()
        except ValidationError as error:
            raise SettingsError(*(_line(each["loc"], each["type"], each["msg"]) for each in error.errors())) from None

    def secret(self, name: str) -> Secret:
        """What the file `name` of the private folder holds, without the line's end.

        Raises:
            SettingsError: it is missing, empty, too large, or open to others.
        """
        return read_secret(self.private / name)

    def broker_address(self, user: str) -> str:
        """The broker's address with `user` and the password from the private folder. Never log it.

        Raises:
            SettingsError: as `secret` does.
        """
        password = self.secret("broker_password").reveal().decode()
        parts = urlsplit(self.broker_url)
        return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{parts.netloc}"))


def read_secret(path: Path) -> Secret:
    """One secret from one file.

    Raises:
        SettingsError: it is missing, empty, too large, or open to others.
    """
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode
            raw = file.read(MAX_SECRET + 1)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    if mode & stat.S_IRWXO:
        raise SettingsError(f"{path}: everybody on this machine may read or change it; run chmod o-rwx on it")
    content = raw.rstrip(b"\r\n")
    if not content or len(raw) > MAX_SECRET:
        raise SettingsError(f"{path}: a secret of 1 to {MAX_SECRET} bytes is needed")
    return Secret(content)


def _line(location: tuple[int | str, ...], kind: str, message: str) -> str:
    if not location:
        return message.removeprefix("Value error, ")
    variable = PREFIX + "_".join(str(part) for part in location).upper()
    if kind == "missing":
        return f"{variable} is not set"
    return f"{variable}: {message.removeprefix('Value error, ')}"
