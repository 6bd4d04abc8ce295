"""Which passwords a host can be given byte for byte.

The others are refused at the gateway, and again in the agent before anything is journalled.
`user:password` per line is the whole format of the host's tool: a line break in a password would change a second
account. Debian's tool takes 511 bytes and no NUL; everything else is set byte for byte, never trimmed and never
normalised.
"""

from libs.wire.secret import Secret

MAX_BYTES = 511


def why_not_settable(password: Secret) -> str | None:
    """The rule that this password breaks, as a sentence, or None when it can be set."""
    plain = password.reveal()
    if not plain:
        return "a password must have at least one byte"
    if len(plain) > MAX_BYTES:
        return f"a password must have at most {MAX_BYTES} bytes; this has {len(plain)}"
    for byte, name in ((b"\n", "a line feed"), (b"\r", "a carriage return"), (b"\0", "a NUL")):
        if byte in plain:
            return f"a password must not contain {name}"
    return None


def is_ascii(password: Secret) -> bool:
    """Whether every keyboard and every system writes it in the same bytes: of other letters there are several forms."""
    return password.reveal().isascii()
