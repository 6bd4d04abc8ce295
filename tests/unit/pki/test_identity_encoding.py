"""The extension's bytes are fixed: certificates that were issued long ago must still be read."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from libs.wire.identity import AGENT_USAGE, IDENTITY, Identity, UnreadableIdentityError, read_identity
from libs.wire.ids import Noun, derived_id

AGENT, RESOURCE = derived_id(Noun.AGENT, "golden"), derived_id(Noun.RESOURCE, "golden")
SEALING = X25519PublicKey.from_public_bytes(bytes(range(32)))
GOLDEN = (
    "30620420000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f0c1e6167745f6373736869796777"
    "6f73626d3268637969663777726a6561326d0c1e7265735f76713270776d76796b7363326865766b6c746532706e6163326d"
)
GOLDEN_IN_A_REQUEST = "30260420000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f0c000c00"


def read(value: bytes) -> Identity:
    return read_identity(
        x509.Extensions([x509.Extension(IDENTITY, critical=False, value=x509.UnrecognizedExtension(IDENTITY, value))])
    )


def test_golden() -> None:
    assert Identity(SEALING, AGENT, RESOURCE).extension().value.hex() == GOLDEN
    assert Identity(SEALING).extension().value.hex() == GOLDEN_IN_A_REQUEST
    assert read(bytes.fromhex(GOLDEN)) == Identity(SEALING, AGENT, RESOURCE)
    assert read(bytes.fromhex(GOLDEN_IN_A_REQUEST)) == Identity(SEALING)


def test_identifiers_are_never_used_for_anything_else() -> None:
    assert IDENTITY.dotted_string == "2.25.211224966227853306715257479127078792274"
    assert AGENT_USAGE.dotted_string == "2.25.303900755933225093804935262734216377477"


@given(st.binary(max_size=150))
def test_other_bytes_are_unreadable(raw: bytes) -> None:
    with pytest.raises(UnreadableIdentityError):
        read(raw)


@pytest.mark.parametrize("cut", [0, 1, 33, -1])
def test_a_cut_or_longer_value_is_unreadable(cut: int) -> None:
    whole = bytes.fromhex(GOLDEN)
    for value in (whole[:cut], whole + b"\0"):
        with pytest.raises(UnreadableIdentityError):
            read(value)


def test_none_at_all() -> None:
    with pytest.raises(UnreadableIdentityError, match="missing"):
        read_identity(x509.Extensions([]))
