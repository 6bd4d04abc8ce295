"""Results as bytes with real signatures: of the account's agent, of another resource's, and of nobody's.

A forged result says what would hurt, in the right words: task, generation, nonce and fence are the ones in flight, as
somebody who reads the store knows them. Only the signature, or whose it is, is wrong.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key

from libs.wire.results import Escrowed, Outcome, ResetAnswer, ResetOutcome, Result, VerifyOutcome
from libs.wire.sign import Prefix, Signed, sign
from tests.model.checker.messages import Answer
from tests.model.checker.moments import AHEAD
from tests.model.checker.names import ACCOUNT, ACCOUNT_RESOURCE, AGENT, JOB, OTHER_RESOURCE, fingerprint, sealed


@cache
def _key(number: int) -> EllipticCurvePrivateKey:
    return derive_private_key(number, SECP256R1())


OUR_KEY, OTHER_KEY, NOBODYS_KEY = _key(11), _key(12), _key(13)


class Said(NamedTuple):
    """A result on the gateway's desk, and whose certificate the scheduler holds it against."""

    signed: Signed
    certified: EllipticCurvePrivateKey
    resource: str


@cache
def said(answer: Answer) -> Said:
    """What the account's agent signed."""
    return Said(_signed(answer, OUR_KEY), OUR_KEY, ACCOUNT_RESOURCE)


@cache
def forged(answer: Answer) -> tuple[tuple[str, Said], ...]:
    """The same words, by others."""
    ours = _signed(answer, OUR_KEY)
    altered = ours.model_copy(update={"payload": _result(answer._replace(shows="altered")).to_bytes()})
    return (
        ("signed by nobody", Said(_signed(answer, NOBODYS_KEY), OUR_KEY, ACCOUNT_RESOURCE)),
        ("altered on its way", Said(altered, OUR_KEY, ACCOUNT_RESOURCE)),
        ("of another resource's agent", Said(_signed(answer, OTHER_KEY), OTHER_KEY, OTHER_RESOURCE)),
    )


@cache
def read(said_by: Callable[..., Result], said: Said) -> Result:
    """What the scheduler reads.

    Raises:
        BadSignatureError: it is not what it claims to be.
    """
    return said_by(AGENT, said.certified.public_key(), said.signed)


def _signed(answer: Answer, key: EllipticCurvePrivateKey) -> Signed:
    return sign(_result(answer).to_bytes(), Prefix.RESULT, key)


def _result(answer: Answer) -> Result:
    return Result(
        task=answer.task,
        job=JOB,
        agent=AGENT,
        nonce=answer.nonce,
        fence=str(answer.fence),
        finished_at=AHEAD,  # the host's clock is wrong, and must not matter
        outcomes=(_outcome(answer),),
    )


def _outcome(answer: Answer) -> Outcome:
    shows = None if answer.shows is None else fingerprint(answer.shows)
    if isinstance(answer.answer, ResetAnswer):
        return ResetOutcome(account=ACCOUNT, generation=str(answer.generation), answer=answer.answer, fingerprint=shows)
    opens = None if answer.generation is None else str(answer.generation)
    escrow = tuple(Escrowed(generation=str(number), sealed=sealed(password)) for number, password in answer.escrow)
    return VerifyOutcome(account=ACCOUNT, answer=answer.answer, generation=opens, fingerprint=shows, escrow=escrow)
