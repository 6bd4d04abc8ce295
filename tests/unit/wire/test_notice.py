"""Notices: whose signatures count, and where moves lead."""

import itertools

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.wire.notice import Move, Notice, Place, SignedNotice, Signers, read_notice, sign_notice
from libs.wire.sign import BadSignatureError
from tests.unit.wire.samples import NOTICE

TASK, CONFIGURATION, OTHER = (Ed25519PrivateKey.generate() for _ in range(3))
SIGNERS = Signers((TASK.public_key(),), (CONFIGURATION.public_key(),))
A, B, C = (Place(name=name, port=7272) for name in "abc")


def test_a_task_key_and_a_configuration_key_together() -> None:
    signed = sign_notice(NOTICE, [OTHER, CONFIGURATION, TASK])
    assert read_notice(signed, SIGNERS) == NOTICE
    assert signed.serial == NOTICE.serial


@pytest.mark.parametrize("keys", [(), (TASK,), (CONFIGURATION,), (OTHER, OTHER)])
def test_neither_of_them_alone(keys: tuple[Ed25519PrivateKey, ...]) -> None:
    with pytest.raises(BadSignatureError, match=r"no (task|configuration) key"):
        read_notice(sign_notice(NOTICE, [OTHER, *keys]), SIGNERS)


def test_altered_bytes_and_signatures_of_other_bytes_do_not_count() -> None:
    signed = sign_notice(NOTICE, [TASK, CONFIGURATION])
    later = NOTICE.model_copy(update={"serial": NOTICE.serial + 1})
    forged = SignedNotice(payload=later.to_bytes(), signatures=signed.signatures)
    with pytest.raises(BadSignatureError):
        read_notice(forged, SIGNERS)


def test_a_signed_thing_that_is_no_notice() -> None:
    signed = sign_notice(NOTICE.model_copy(update={"server_authorities": ()}), [TASK, CONFIGURATION])
    assert signed.serial == 0
    with pytest.raises(BadSignatureError, match="not a notice of this version"):
        read_notice(signed, SIGNERS)


def moving(*moves: tuple[Place, Place]) -> Notice:
    return NOTICE.model_copy(update={"moves": tuple(Move(old=old, new=new) for old, new in moves)})


@pytest.mark.parametrize(
    ("moves", "path"),
    [
        ([], [A]),
        ([(B, C)], [A]),
        ([(A, B)], [A, B]),
        ([(B, C), (A, B)], [A, B, C]),
        ([(A, B), (B, A)], [A, B]),
        ([(A, A)], [A]),
        ([(A, B), (B, C), (C, B)], [A, B, C]),
    ],
)
def test_moves_lead_from_one_place_to_the_next_and_end(moves: list[tuple[Place, Place]], path: list[Place]) -> None:
    assert moving(*moves).leads(A) == tuple(path)


def test_a_name_is_the_same_in_capitals_and_a_port_is_a_part_of_a_place() -> None:
    assert moving((Place(name="A", port=7272), B)).leads(A) == (A, B)
    assert moving((Place(name="a", port=443), B)).leads(A) == (A,)
    assert list(itertools.chain(map(str, (A, Place(name="2001:db8::1", port=443))))) == ["a:7272", "[2001:db8::1]:443"]
