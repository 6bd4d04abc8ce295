"""Whether a password opens an account, decided from the shadow file alone.

It is deliberately independent of the product's own code: it asks the C library's crypt (libcrypt of Debian's package
libcrypt1) itself, so that a test's proof does not rest on what is tested.
"""

import ctypes
import hmac

from tests.lab.errors import LabError

_CRYPT_DATA = 32768  # sizeof(struct crypt_data), crypt(3)


def field(shadow: bytes, user: str) -> str:
    """The password field of a user's line; a LabError when there is no such line."""
    for line in shadow.split(b"\n"):
        parts = line.split(b":")
        if parts[0] == user.encode():
            return parts[1].decode()
    raise LabError(f"The host's shadow file has no line for {user}.")


def opens(field: str, password: bytes) -> bool:
    """False for a locked field, and for an empty one, which asks for no password at all."""
    if not field or field[0] in "!*" or b"\0" in password:
        return False
    crypt = ctypes.CDLL("libcrypt.so.1").crypt_r
    crypt.restype = ctypes.c_char_p
    answer = crypt(password, field.encode(), ctypes.create_string_buffer(_CRYPT_DATA))
    return answer is not None and hmac.compare_digest(answer, field.encode())
