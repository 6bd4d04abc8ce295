"""A revocation: the scheduler's own word that an agent's identity is over.

A person asks for it, the gateway refuses the agent from then on, and the scheduler signs this with the key that it
signs jobs with. An agent has that key's public half from its package, and drops its identity for this statement alone:
a refusal that anything else between agent and scheduler can make up only slows it down.
"""

from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from libs.wire.ids import AgentId, Noun, derived_id
from libs.wire.model import Millis, Wire
from libs.wire.requests import RevokeReason
from libs.wire.seal import KeyId
from libs.wire.sign import BadSignatureError, Prefix, PrivateKey, Signed, sign, verify


class Revocation(Wire):
    """Whose identity is over, since when, and why."""

    version: Literal[1] = 1
    agent: AgentId
    key: KeyId | None = None  # this signing key alone, where another machine stays this agent; none: every key
    revoked_at: Millis
    reason: RevokeReason


def request_of(agent: str) -> str:
    """The request by which an agent is revoked: one for each agent, so that asking again meets the first time."""
    return derived_id(Noun.REQUEST, "revoke_agent", agent)


def revocation(said: Revocation, scheduler: PrivateKey) -> Signed:
    """The statement, signed."""
    return sign(said.to_bytes(), Prefix.REVOKED, scheduler)


def read_revocation(signed: Signed, agent: str, keys: frozenset[KeyId], scheduler: Ed25519PublicKey) -> Revocation:
    """The statement, once it was checked that the scheduler signed it, of this agent with these signing keys.

    Raises:
        BadSignatureError: another key, another purpose, another agent, or no statement at all.
    """
    raw = verify(signed, Prefix.REVOKED, scheduler)
    try:
        said = Revocation.model_validate_json(raw)
    except ValidationError as error:
        raise BadSignatureError("it is no revocation") from error
    if said.agent != agent:
        raise BadSignatureError(f"it revokes {said.agent}")
    if said.key is not None and said.key not in keys:
        raise BadSignatureError("it revokes a key that this agent does not sign with")
    return said
