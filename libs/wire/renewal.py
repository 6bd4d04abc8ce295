"""A renewal: the key that an agent has asks for a certificate over the keys that it will have.

The agent writes its new keys to its disk, and then signs this with the key that its present certificate binds. So
nothing between agent and scheduler can put another pair of keys in their place: the bundler certifies no pair without
such a statement, and the scheduler follows from the pair that it has pinned to the next one by it alone.
"""

from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from pydantic import Field, ValidationError

from libs.wire.ids import AgentId
from libs.wire.model import Base64, Wire
from libs.wire.sign import BadSignatureError, Prefix, Signed, sign, verify


class Renewal(Wire):
    """What the present key says."""

    version: Literal[1] = 1
    agent: AgentId
    csr: Base64 = Field(max_length=8_192)  # DER, as at the enrolment: both new keys


def renewal(agent: str, csr: bytes, present: EllipticCurvePrivateKey) -> Signed:
    """The statement, signed by the key that the agent has now."""
    return sign(Renewal(agent=agent, csr=csr).to_bytes(), Prefix.RENEWAL, present)


def read_renewal(signed: Signed, agent: str, present: EllipticCurvePublicKey) -> Renewal:
    """The statement of this agent, once its signature by the present key was checked.

    Raises:
        BadSignatureError: another key, another purpose, another agent, or no statement at all.
    """
    raw = verify(signed, Prefix.RENEWAL, present)
    try:
        said = Renewal.model_validate_json(raw)
    except ValidationError as error:
        raise BadSignatureError("it is no renewal") from error
    if said.agent != agent:
        raise BadSignatureError(f"it renews {said.agent}")
    return said
