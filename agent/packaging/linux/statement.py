"""A release's word about its runtime's zip, for agents that are offered it (`libs.wire.release`).

The zip is a function of its inputs; its statement has a beginning and an end, and is written anew when half of its time
is over. No old release can be offered for ever.
"""

import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from libs.wire.release import STATEMENT_SUFFIX, ReleaseStatement, RuntimeManifest, read_statement
from libs.wire.sign import BadSignatureError, Prefix, Signed, sign

GOOD_FOR = 400 * 86_400_000
"""Milliseconds for which agents may take a release."""


def statement(raw: bytes, manifest: RuntimeManifest, *, now: int, good_for: int = GOOD_FOR) -> ReleaseStatement:
    """What there is to say of the zip `raw`. `now` in Unix milliseconds."""
    return ReleaseStatement(
        platform=manifest.platform,
        release=manifest.release,
        machine=manifest.machine,
        libc=manifest.libc,
        size=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        issued_at=now,
        expires_at=now + good_for,
    )


def write_statement(target: Path, manifest: RuntimeManifest, key: Ed25519PrivateKey, *, now: int) -> None:
    """Writes it beside the zip, unless one lies there that is good for a while yet."""
    path, raw = target.with_name(target.name + STATEMENT_SUFFIX), target.read_bytes()
    try:
        known = read_statement(Signed.model_validate_json(path.read_bytes()), [key.public_key()])
        if known.sha256 == hashlib.sha256(raw).hexdigest() and now < known.issued_at + GOOD_FOR // 2:
            return
    except (OSError, ValidationError, BadSignatureError):
        pass
    aside = path.with_name(f"{path.name}.new")
    aside.write_bytes(sign(statement(raw, manifest, now=now).to_bytes(), Prefix.STATEMENT, key).to_bytes())
    aside.replace(path)
