"""Hostile signatures: each demand of the gateway, and the one thing that a balancer may rewrite."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, generate_private_key
from http_message_signatures import HTTPMessageSigner, algorithms

from libs.wire.http_signature import COVERED, RefusedError, _Keys, _Message, sign, verify

KEY = generate_private_key(SECP256R1())
OTHER = generate_private_key(SECP256R1())
NOW = 1_764_044_000_000
TARGET, BODY, NONCE = "/agent/v1/fetch?wait=1", b'{"version":1}', "n" * 26


def public(key: str) -> EllipticCurvePublicKey | None:
    return KEY.public_key() if key == "agt_a" else None


def signed(now: int = NOW, nonce: str = NONCE, key: str = "agt_a") -> dict[str, str]:
    return sign("POST", TARGET, BODY, KEY, key=key, nonce=nonce, now=now)


def refusal(method: str, target: str, headers: dict[str, str], body: bytes, now: int = NOW) -> str:
    with pytest.raises(RefusedError) as refused:
        verify(method, target, headers, body, public, now=now)
    return refused.value.code


def test_what_was_signed_counts() -> None:
    found = verify("POST", TARGET, signed(), BODY, public, now=NOW + 30_000)
    assert (found.key, found.nonce, found.created) == ("agt_a", NONCE, NOW // 1000)


def test_a_rewritten_authority_counts() -> None:
    headers = signed() | {"host": "balancer.example", "x-forwarded-host": "elsewhere", "via": "1.1 proxy"}
    assert verify("POST", TARGET, headers, BODY, public, now=NOW).key == "agt_a"


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/agent/v1/report?wait=1", BODY),
        ("POST", "/agent/v1/fetch?wait=2", BODY),
        ("POST", "/agent/v1/fetch", BODY),
        ("GET", TARGET, BODY),
        ("POST", TARGET, b'{"version":2}'),
        ("POST", TARGET, b""),
    ],
)
def test_another_method_path_query_or_body_is_refused(method: str, target: str, body: bytes) -> None:
    assert refusal(method, target, signed(), body) == "signature_invalid"


@pytest.mark.parametrize("seconds", [-61, 61, 23 * 3600])
def test_an_old_or_future_one_is_refused_with_its_own_code(seconds: int) -> None:
    assert refusal("POST", TARGET, signed(NOW - seconds * 1000), BODY) == "clock_skew"


def test_an_unknown_key_or_none_is_refused() -> None:
    assert refusal("POST", TARGET, signed(key="agt_b"), BODY) == "signature_invalid"
    assert refusal("POST", TARGET, {}, BODY) == "signature_missing"
    forged = sign("POST", TARGET, BODY, OTHER, key="agt_a", nonce=NONCE, now=NOW)
    assert refusal("POST", TARGET, forged, BODY) == "signature_invalid"


@pytest.mark.parametrize("nonce", ["", "short", "n" * 65])
def test_a_nonce_is_required(nonce: str) -> None:
    assert refusal("POST", TARGET, signed(nonce=nonce), BODY) == "signature_invalid"


@pytest.mark.parametrize(
    ("tag", "covered", "keep_body"),
    [
        ("another-tag", COVERED, True),
        (None, COVERED, True),
        ("keyturn-agent/1", ("@method",), True),
        ("keyturn-agent/1", ("@method", "@path"), True),
        ("keyturn-agent/1", ("@method", "@path", "@query"), False),
        ("keyturn-agent/1", ("@method", "@query"), True),
    ],
)
def test_our_tag_and_full_coverage_are_required(tag: str | None, covered: tuple[str, ...], keep_body: bool) -> None:
    message = _Message("POST", "https://keyturn" + TARGET)
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=_Keys(KEY, public))
    signer.sign(
        message, key_id="agt_a", nonce=NONCE, tag=tag, covered_component_ids=covered, body=BODY if keep_body else None
    )
    headers = message.headers if keep_body else message.headers | {"content-digest": signed()["Content-Digest"]}
    assert refusal("POST", TARGET, headers, BODY) == "signature_invalid"


@pytest.mark.parametrize("field", ["Signature", "Signature-Input", "Content-Digest"])
@pytest.mark.parametrize("value", ["", "x", "keyturn=:AA==:", "\x00", "sha-256=:AAAA:", "a=1, a=2"])
def test_garbage_is_refused(field: str, value: str) -> None:
    assert refusal("POST", TARGET, signed() | {field: value}, BODY) == "signature_invalid"
