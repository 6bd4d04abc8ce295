"""Sealing and signing: what opens, what does not, and what a signature covers."""

import pickle

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pydantic import BaseModel

from libs.wire.seal import CannotOpenError, Context, Purpose, Sealed, open_sealed, seal
from libs.wire.secret import Secret
from libs.wire.sign import BadSignatureError, Prefix, Signed, sign, verify

VAULT, RECOVERY, STRANGER = (X25519PrivateKey.generate() for _ in range(3))
HERE = Context("acc_a", "1.1", Purpose.REST)


@pytest.mark.parametrize("plain", [b"", b"x", b"a" * 127, b"a" * 128, b"\x80\0\0", b"\0", bytes(range(256))])
def test_each_recipient_opens_it(plain: bytes) -> None:
    sealed = seal(Secret(plain), HERE, [VAULT.public_key(), RECOVERY.public_key()])
    again = Sealed.model_validate_json(sealed.to_bytes())
    for key in (VAULT, RECOVERY):
        assert open_sealed(again, HERE, key).reveal() == plain


def test_a_stranger_does_not() -> None:
    with pytest.raises(CannotOpenError):
        open_sealed(seal(Secret(b"x"), HERE, [VAULT.public_key()]), HERE, STRANGER)


@pytest.mark.parametrize(
    "context",
    [
        Context("acc_b", "1.1", Purpose.REST),
        Context("acc_a", "1.2", Purpose.REST),
        Context("acc_a", "1.1", Purpose.JOB),
        Context("acc_a1", ".1", Purpose.REST),
    ],
)
def test_another_account_generation_or_purpose_does_not_open(context: Context) -> None:
    with pytest.raises(CannotOpenError):
        open_sealed(seal(Secret(b"x"), HERE, [VAULT.public_key()]), context, VAULT)


def test_every_damaged_byte_is_noticed() -> None:
    sealed = seal(Secret(b"secret"), HERE, [VAULT.public_key()])
    raw = sealed.boxes[0].box
    for at in range(len(raw)):
        damaged = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        with pytest.raises(CannotOpenError):
            open_sealed(
                sealed.model_copy(update={"boxes": (sealed.boxes[0].model_copy(update={"box": damaged}),)}), HERE, VAULT
            )


def test_the_box_does_not_tell_the_length() -> None:
    sizes = {len(seal(Secret(b"a" * n), HERE, [VAULT.public_key()]).boxes[0].box) for n in (1, 8, 64, 127)}
    assert len(sizes) == 1


@pytest.mark.parametrize(
    "private", [Ed25519PrivateKey.generate(), generate_private_key(SECP256R1())], ids=["ed25519", "p256"]
)
class TestSign:
    def test_the_exact_bytes_come_back(self, private: Ed25519PrivateKey) -> None:
        signed = Signed.model_validate_json(sign(b"bytes", Prefix.JOB, private).to_bytes())
        assert verify(signed, Prefix.JOB, private.public_key()) == b"bytes"

    def test_another_prefix_key_or_byte_does_not_count(self, private: Ed25519PrivateKey) -> None:
        signed = sign(b"bytes", Prefix.JOB, private)
        with pytest.raises(BadSignatureError):
            verify(signed, Prefix.RESULT, private.public_key())
        with pytest.raises(BadSignatureError):
            verify(signed, Prefix.JOB, Ed25519PrivateKey.generate().public_key())
        with pytest.raises(BadSignatureError):
            verify(signed.model_copy(update={"payload": b"Bytes"}), Prefix.JOB, private.public_key())
        with pytest.raises(BadSignatureError):
            verify(signed.model_copy(update={"signature": b"\0" * 64}), Prefix.JOB, private.public_key())


class Holder(BaseModel):
    password: Secret


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("Tr0ub4dor")
    holder = Holder(password=secret)
    shown = [repr(secret), str(secret), f"{secret}", repr(holder), holder.model_dump_json(), str(holder.model_dump())]
    assert not any("Tr0ub4dor" in each for each in shown)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        hash(secret)
    assert Holder.model_validate_json('{"password":"Tr0ub4dor"}').password == secret
    assert secret.scrub("chpasswd: Tr0ub4dor is bad") == "chpasswd: *** is bad"
