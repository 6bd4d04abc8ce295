"""The host's own libcrypt through ctypes.

The language's crypt module is gone from 3.13 on, and libraries that hash by themselves do not know what distributions
write today (yescrypt). The host's library knows every hash that the host can check, so it alone is asked. It is loaded
from the host and never packed with the agent. A self-test with one known vector for each prefix says what it can verify
here: a library that does not know a format answers as for a wrong password, and that would be a lie.
"""

import ctypes
import hmac
import secrets
from typing import Final

_LIBRARIES: Final = ("libcrypt.so.2", "libcrypt.so.1")
_DATA_BYTES: Final = 256 * 1024  # struct crypt_data: 32 KiB in libxcrypt, 131 232 bytes in glibc's own
_SALT_BYTES: Final = 192
_ALPHABET: Final = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

VECTORS: Final[dict[bytes, bytes]] = {
    b"$y$": b"$y$j75$.2U.1EE/4Q.07ck0AoU1D.$EhL4YCswnI9CUOeTEt1rcrnaRswMV7lIKdOIVu/BgB7",
    b"$gy$": b"$gy$j75$.2U.1EE/4Q.07ck0AoU1D.$IpORe9aDIGDbuAFCoLisLqtNMbICRKUTA.oTrVF4Pj0",
    b"$7$": b"$7$BU..../.....2U.1EE/4Q.07ck0AoU1D.$wTk2lCR1KABHTIf031YryxwU/PraqwtjwMeE0NNKO8B",
    b"$2b$": b"$2b$04$..CA.uOD/eaGAOmJB.yMBuHHBRuJAmViVsO/KsXm88wwmZ8dpyjay",
    b"$2a$": b"$2a$04$..CA.uOD/eaGAOmJB.yMBuHHBRuJAmViVsO/KsXm88wwmZ8dpyjay",
    b"$2y$": b"$2y$04$..CA.uOD/eaGAOmJB.yMBuHHBRuJAmViVsO/KsXm88wwmZ8dpyjay",
    b"$2x$": b"$2x$04$..CA.uOD/eaGAOmJB.yMBuHHBRuJAmViVsO/KsXm88wwmZ8dpyjay",
    b"$6$": b"$6$rounds=1000$.2U.1EE/4Q.07ck0$"
    b"hzzC.ZwpRTlcorcwlSJqxbWt7EsdmbuPKVTomYB8AFYXGYko24.U6adYeo5IhnAqswzKMSqtnRZ2DtZf24kNS0",
    b"$5$": b"$5$rounds=1000$.2U.1EE/4Q.07ck0$wXWaTVdN4h57zgu.u5e/dm.eVXRH8H/kL1/uKydh.u0",
    b"$1$": b"$1$.2U.1EE/$/FZJdlAiKXSgXQWLm6GdU1",
    b"$sha1$": b"$sha1$4$4I./7Uk/AgU0$56Cbc40noc5zb6h/eveBlqFzQiGc",
    b"$md5": b"$md5,rounds=5$0A./3Mk/$$CG/heNb5sRllrrDYNV8/Y.",
    b"$3$": b"$3$$f493840ff8a32cdb269c670a20e13044",
    b"_": b"_/....2U.lkX8XGmcTVM",
    b"des": b"./LtGb9UIuGZg",
}
"""The password `openwall` in each format, at the least cost that the format takes."""

VECTOR_PASSWORD: Final = b"openwall"
_OTHER_PASSWORD: Final = b"openwalm"


class CryptUnavailableError(Exception):
    """Permanent: the host has no libcrypt that can be loaded."""


class Crypt:
    """The host's hashing. Every call has a buffer of its own, so calls from several threads do not meet."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._crypt = library.crypt_r
        self._crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]
        self._crypt.restype = ctypes.c_char_p
        # glibc's own library, in older distributions, makes no salts.
        self._gensalt = getattr(library, "crypt_gensalt_rn", None)
        if self._gensalt is not None:
            self._gensalt.argtypes = [
                ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int,
            ]  # fmt: skip
            self._gensalt.restype = ctypes.c_char_p
        self._verifies: dict[bytes | None, bool] = {}

    def hash(self, password: bytes, setting: bytes) -> bytes | None:
        """The hash of a password by a salt or another hash; None where the library does not know the format."""
        data = ctypes.create_string_buffer(_DATA_BYTES)
        try:
            answer: bytes | None = self._crypt(password, setting, data)
        finally:
            # The library keeps intermediate values of the password in its data.
            ctypes.memset(data, 0, _DATA_BYTES)
        return None if answer is None or answer.startswith(b"*") else answer

    def matches(self, password: bytes, stored: bytes) -> bool:
        answer = self.hash(password, stored)
        return answer is not None and hmac.compare_digest(answer, stored)

    def salt(self, prefix: bytes) -> bytes | None:
        """A fresh salt of this format at the library's own cost; None where it cannot make one."""
        if self._gensalt is None:
            letters = "".join(secrets.choice(_ALPHABET) for _ in range(16)).encode()
            return prefix + letters if prefix in {b"$6$", b"$5$"} else None
        output = ctypes.create_string_buffer(_SALT_BYTES)
        answer: bytes | None = self._gensalt(prefix, 0, secrets.token_bytes(64), 64, output, _SALT_BYTES)
        return None if answer is None or answer.startswith(b"*") else answer

    def can_verify(self, prefix: bytes | None) -> bool:
        """Whether the known vector of this prefix comes out right here; asked of the library once."""
        if prefix not in self._verifies:
            vector = VECTORS.get(prefix or b"")
            self._verifies[prefix] = (
                vector is not None
                and self.matches(VECTOR_PASSWORD, vector)
                and not self.matches(_OTHER_PASSWORD, vector)
            )
        return self._verifies[prefix]

    def verifies(self) -> tuple[str, ...]:
        """The prefixes that can be verified here, for people."""
        return tuple(prefix.decode() for prefix in VECTORS if self.can_verify(prefix))


def load_crypt(names: tuple[str, ...] = _LIBRARIES) -> Crypt:
    """The host's libcrypt.

    Raises:
        CryptUnavailableError: none of the names can be loaded.
    """
    for name in names:
        try:
            return Crypt(ctypes.CDLL(name))
        except OSError:
            continue
    raise CryptUnavailableError(f"this host has none of {', '.join(names)}; install the package that holds libcrypt")
