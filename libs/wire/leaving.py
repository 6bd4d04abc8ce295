"""An agent's last word, signed with the key of its certificate: it leaves this machine for good.

It carries what the vault may lack, as a server that came back from an old copy does: the newest password that the agent
set on each account, and what it may have set since, each sealed to the vault long ago.
"""

from typing import Literal

from pydantic import Field, ValidationError

from libs.wire.ids import AccountId, AgentId, ResourceId
from libs.wire.jobs import GenerationText
from libs.wire.model import Millis, Wire
from libs.wire.seal import Sealed
from libs.wire.sign import BadSignatureError, Prefix, PrivateKey, PublicKey, Signed, sign, verify

MAX_HELD = 256
"""Versions in one word; an agent that holds more leaves only with them lost, and says so."""


class Held(Wire):
    """A version from the agent's escrow."""

    account: AccountId
    generation: GenerationText
    sealed: Sealed


class Leaving(Wire):
    """Who leaves, when by its host's clock, and what it hands over."""

    version: Literal[1] = 1
    agent: AgentId
    resource: ResourceId
    at: Millis
    held: tuple[Held, ...] = Field(default=(), max_length=MAX_HELD)


def leaving(said: Leaving, private: PrivateKey) -> Signed:
    """The word, signed."""
    return sign(said.to_bytes(), Prefix.LEAVING, private)


def read_leaving(signed: Signed, agent: str, resource: str, public: PublicKey) -> Leaving:
    """The word, once it was checked that this agent gave it of itself.

    Raises:
        BadSignatureError: another key, another purpose, another agent or resource, or no such word at all.
    """
    try:
        said = Leaving.model_validate_json(verify(signed, Prefix.LEAVING, public))
    except ValidationError as error:
        raise BadSignatureError("signed, but not of this version") from error
    if (said.agent, said.resource) != (agent, resource):
        raise BadSignatureError(f"it is of {said.agent} on {said.resource}")
    return said
