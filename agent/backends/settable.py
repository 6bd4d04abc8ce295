"""Which passwords can be set at all, refused before anything is begun."""

from typing import Final

from agent.backends.ports import MAX_PASSWORD_BYTES
from libs.wire.secret import Secret

_FORBIDDEN: Final = ((b"\n", "a line feed"), (b"\r", "a carriage return"), (b"\0", "a NUL byte"))


def unsettable(secret: Secret) -> str | None:
    """The rule that this password breaks, in words; None when the host takes it byte for byte."""
    if not len(secret):
        return "the password is empty"
    if len(secret) > MAX_PASSWORD_BYTES:
        return f"the password has {len(secret)} bytes and {MAX_PASSWORD_BYTES} is the most"
    for byte, name in _FORBIDDEN:
        if byte in secret.reveal():
            return f"the password has {name} in it"
    return None
