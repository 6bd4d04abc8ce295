"""Which hash this host writes for a new password.

PAM decides it where `chpasswd` goes through PAM: an option of pam_unix in the password stack. Without one it is
ENCRYPT_METHOD in /etc/login.defs, and without that yescrypt, or SHA-512 where the library has no yescrypt. It is asked
only for a locked account, whose hash the agent makes itself to write it behind the lock mark.
"""

import re
from pathlib import Path
from typing import Final

from agent.backends.crypt import Crypt

_PAM_FILES: Final = ("etc/pam.d/common-password", "etc/pam.d/system-auth", "etc/pam.d/passwd")
_PREFIXES: Final = {
    "yescrypt": b"$y$",
    "gost_yescrypt": b"$gy$",
    "blowfish": b"$2b$",
    "bcrypt": b"$2b$",
    "sha512": b"$6$",
    "sha256": b"$5$",
}
_PAM_UNIX: Final = re.compile(r"^\s*-?password\s.*\bpam_unix\.so\b(?P<options>.*)$", re.MULTILINE)
_LOGIN_DEFS: Final = re.compile(r"^\s*ENCRYPT_METHOD\s+(?P<method>\S+)", re.MULTILINE)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""  # a distribution has one of these files, not all


def _configured(root: Path) -> bytes | None:
    for name in _PAM_FILES:
        for line in _PAM_UNIX.finditer(_text(root / name)):
            for option in line["options"].split("#")[0].split():
                if prefix := _PREFIXES.get(option.lower()):
                    return prefix
    method = _LOGIN_DEFS.search(_text(root / "etc/login.defs"))
    return _PREFIXES.get(method["method"].lower()) if method else None


def salt_for_new_password(root: Path, crypt: Crypt) -> bytes | None:
    """A fresh salt in the host's own format; MD5 and DES are never used. None where the library makes none at all."""
    for prefix in (_configured(root), b"$y$", b"$6$"):
        if prefix is not None and crypt.can_verify(prefix) and (salt := crypt.salt(prefix)):
            return salt
    return None
