"""Which keys an agent may sign with: read anew for each signed request, so that a revocation holds from the next one.

A certificate counts only under the authorities' own files, whatever the store says; what was checked once is kept by
its bytes. One whose authority is not the one in use is to be renewed now. Its dates are not asked here: an agent that
renews too late must still be able to do it.
"""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from libs.pki.check import AgentAuthorities, AgentIdentity, Standing
from libs.pki.csr import key_hash
from libs.pki.errors import NotTrustedError
from libs.store.agents import AgentDocument
from libs.store.certificates import Certificates, CertificateState
from libs.wire.sign import Signed
from services.api.errors import AgentRefusedError
from services.api.revocations import Revocations

_KEPT = 10_000
_REVOKED = "This agent was revoked. Its machine needs a new package."


@dataclass(frozen=True)
class Certified:
    """What one certificate says, and when its agent is to renew it, Unix milliseconds."""

    identity: AgentIdentity
    renew_at: int
    mail: bool = True  # whether jobs may be handed out for this request

    @property
    def key(self) -> str:
        """The signing key's hash."""
        return key_hash(self.identity.public_key)


@dataclass(frozen=True)
class Known:
    """An agent, and what its certificates say that are not revoked, newest first."""

    agent: str
    line: tuple[Certified, ...]
    document: AgentDocument | None  # what the scheduler says of it

    def ended(self, key: str) -> Signed | None:
        """The scheduler's word that this key of the agent is over, if it is."""
        ended = () if self.document is None else self.document.ended
        return next((each.statement for each in ended if each.key_hash == key), None)


class Identities:
    """Reads them."""

    def __init__(self, certificates: Certificates, revocations: Revocations, authorities: AgentAuthorities) -> None:
        self._certificates, self._revocations, self._authorities = certificates, revocations, authorities
        self._checked: OrderedDict[bytes, AgentIdentity] = OrderedDict()

    async def known(self, agent: str) -> Known:
        """The agent.

        Raises:
            AgentRefusedError: `agent_unknown`, `agent_revoked` (with the scheduler's statement, once there is one).
        """
        found, (document, revoked) = await asyncio.gather(
            self._certificates.of_agent(agent), self._revocations.standing(agent)
        )
        if revoked is not None:
            raise refused_for_good(revoked.statement)
        good = [each for each in found if each.state is CertificateState.ACTIVE]
        if found and not good:
            raise refused_for_good(None)
        line = tuple(
            Certified(identity, each.renew_at if identity.standing is Standing.IN_USE else 0)
            for each in good
            if (identity := self._check(each.pem)) is not None and identity.agent == agent
        )
        if not line:
            raise AgentRefusedError("This server knows no such agent.", "agent_unknown")
        return Known(agent, line, document)

    def _check(self, pem: bytes) -> AgentIdentity | None:
        name = hashlib.sha256(pem).digest()
        identity = self._checked.get(name)
        if identity is None:
            try:
                identity = self._authorities.check(pem)
            except NotTrustedError:
                # Somebody who can write to the store put it there; the authority did not.
                return None
            self._checked[name] = identity
            while len(self._checked) > _KEPT:
                self._checked.popitem(last=False)
        return identity


def refused_for_good(statement: Signed | None) -> AgentRefusedError:
    """`agent_revoked`, with the scheduler's word for it, once there is one."""
    said = {} if statement is None else {"revocation": statement.model_dump(mode="json")}
    return AgentRefusedError(_REVOKED, "agent_revoked", **said)
