"""HTTP Message Signatures (RFC 9421) as an agent makes them and the gateway demands them.

The library's defaults are lax: a signature over the method alone passes for another path and body, and one that is 23
hours old passes twice. So exactly this is demanded: method, path, query and content digest are covered, the tag is
ours, the algorithm is ECDSA P-256, the signature was created at most 60 s ago, and it carries a nonce. The authority is
never covered, because balancers rewrite it.

Whoever verifies spends the nonce afterwards: key id and nonce together count once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)
from http_message_signatures.exceptions import HTTPMessageSignaturesException

TAG = "keyturn-agent/1"
MAX_AGE_SECONDS = 60
MIN_NONCE, MAX_NONCE = 16, 64
COVERED = ("@method", "@path", "@query", "content-digest")

# The authority is not covered, so any serves where the library wants an absolute address.
_ORIGIN = "https://keyturn"


class RefusedError(Exception):
    """A signature that does not count. `code` is the stable code of the refusal.

    `signature_missing`, `signature_invalid`, `clock_skew` (only its time is wrong: the agent signs again, once, by the
    server's time).
    """

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True)
class Verified:
    """What a valid signature says."""

    key: str
    nonce: str
    created: int  # Unix seconds, by the signer's clock


@dataclass
class _Message:
    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


class _Keys(HTTPSignatureKeyResolver):
    def __init__(
        self, private: EllipticCurvePrivateKey | None, public: Callable[[str], EllipticCurvePublicKey | None]
    ) -> None:
        self._private, self._public = private, public

    def resolve_private_key(self, key_id: str) -> EllipticCurvePrivateKey:
        if self._private is None:
            raise HTTPMessageSignaturesException(f"no private key for {key_id}")
        return self._private

    def resolve_public_key(self, key_id: str) -> EllipticCurvePublicKey:
        key = self._public(key_id)
        if key is None:
            raise InvalidSignature("unknown key")
        return key


class _Verifier(HTTPMessageVerifier):
    """The library's verifier, with the moment of creation left to `verify`, which is told the time."""

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:
        del max_age
        if type(sig_input.params.get("created")) is not int:
            raise InvalidSignature("created is missing")


def sign(
    method: str, target: str, body: bytes, private: EllipticCurvePrivateKey, *, key: str, nonce: str, now: int
) -> dict[str, str]:
    """The headers that sign this request.

    `target` is path and query as sent; `key` the key id (the agent's identifier); `now` in Unix milliseconds.
    """
    message = _Message(method, _ORIGIN + target)
    signer = HTTPMessageSigner(
        signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=_Keys(private, lambda _: None)
    )
    created = datetime.fromtimestamp(now // 1000, UTC)
    signer.sign(
        message,
        key_id=key,
        created=created,
        nonce=nonce,
        tag=TAG,
        label="keyturn",
        covered_component_ids=COVERED,
        body=body,
    )
    return message.headers


def verify(
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    public: Callable[[str], EllipticCurvePublicKey | None],
    *,
    now: int,
) -> Verified:
    """What the signature of this request says, once everything that this module demands holds.

    `public` gives the key of a key id, or None; `now` in Unix milliseconds.

    Raises:
        RefusedError: with the code that tells which demand failed.
    """
    message = _Message(method, _ORIGIN + target, dict(headers))
    names = {name.lower() for name in headers}
    if not {"signature", "signature-input", "content-digest"} <= names:
        raise RefusedError("signature_missing", "a signature over method, path, query and content digest is required")
    verifier = _Verifier(signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=_Keys(None, public))
    try:
        found = verifier.verify(message, max_age=None, expect_tag=TAG, require_components=COVERED, body=body)
    except (InvalidSignature, HTTPMessageSignaturesException, ValueError) as error:
        raise RefusedError("signature_invalid", str(error)) from error
    if len(found) != 1 or found[0].body is None:
        raise RefusedError("signature_invalid", "exactly one signature with a digest of the content is required")
    parameters = found[0].parameters
    key, nonce, created = parameters.get("keyid"), parameters.get("nonce"), parameters.get("created")
    if (
        not isinstance(key, str)
        or not isinstance(created, int)
        or parameters.get("alg") not in (None, "ecdsa-p256-sha256")
    ):
        raise RefusedError("signature_invalid", "keyid, created and the algorithm ecdsa-p256-sha256 are required")
    if not isinstance(nonce, str) or not MIN_NONCE <= len(nonce) <= MAX_NONCE:
        raise RefusedError("signature_invalid", "a nonce of 16 to 64 characters is required")
    if abs(now // 1000 - created) > MAX_AGE_SECONDS:
        raise RefusedError("clock_skew", f"created {created - now // 1000:+d} s from the server's time")
    return Verified(key, nonce, created)
