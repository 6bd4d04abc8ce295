"""Which pair of keys an agent has now: pinned, and followed from one renewal to the next by the agent's own word.

The first certificate of an agent, from its enrolment, is pinned as it is first believed. From there on the scheduler
follows a renewal only where the pinned key signed it over exactly the keys that the new certificate binds. So whoever
writes to the store, or has the bundler certify what it should not, puts no other pair in an agent's place.

What is sealed goes to the newest pair at once: the agent wrote it to its disk before it asked for its certificate, and
keeps the older sealing keys until every job that may be sealed to them was answered.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from libs.domain.errors import KeyturnError
from libs.pki.check import AgentIdentity
from libs.pki.csr import key_hash, read_agent_csr
from libs.pki.errors import CsrInvalidError, NotTrustedError
from libs.service.clock import Clock
from libs.store.agents import AgentDocument, AgentDocuments
from libs.store.certificates import Certificate, Certificates
from libs.wire.renewal import read_renewal
from libs.wire.seal import key_id
from libs.wire.sign import BadSignatureError, Signed

log = structlog.get_logger()


class NotBelievedError(KeyturnError):
    """Signed by nobody that the scheduler knows, or not what it claims to be. Permanent: kept aside and told."""


@dataclass(frozen=True)
class Bound:
    """What a certificate binds, and why it was issued."""

    identity: AgentIdentity
    renewal: Signed | None
    created_at: int

    @property
    def key(self) -> str:
        """The signing key's hash."""
        return key_hash(self.identity.public_key)

    def replaces(self, before: "Bound") -> bool:
        """Whether this is a newer certificate over the very same pair, as where the authority was retired."""
        mine, theirs = self.identity, before.identity
        return (
            self.created_at > before.created_at
            and (mine.agent, mine.resource) == (theirs.agent, theirs.resource)
            and key_hash(mine.public_key) == key_hash(theirs.public_key)
            and mine.sealing_key.public_bytes_raw() == theirs.sealing_key.public_bytes_raw()
        )

    def follows(self, before: "Bound") -> bool:
        """Whether the key of `before` asked for exactly this pair."""
        if self.renewal is None or self.renewal.key != key_id(before.identity.public_key):
            return False
        try:
            said = read_renewal(self.renewal, self.identity.agent, before.identity.public_key)
            asked = read_agent_csr(said.csr)
        except (BadSignatureError, CsrInvalidError):
            return False
        mine = self.identity
        return (
            mine.resource == before.identity.resource
            and asked.key_hash == key_hash(mine.public_key)
            and asked.sealing_key.public_bytes_raw() == mine.sealing_key.public_bytes_raw()
        )


@dataclass(frozen=True)
class Pins:
    """Follows agents."""

    certificates: Certificates
    documents: AgentDocuments
    check: Callable[[bytes], AgentIdentity]
    clock: Clock

    async def line(self, agent: str) -> tuple[AgentIdentity, ...]:
        """The agent's present pair, and after it the one before, whose last answers may still be on their way.

        Raises:
            NotBelievedError: the agent has no pair that counts, or was revoked.
        """
        return (await self.standing(agent))[0]

    async def standing(self, agent: str) -> tuple[tuple[AgentIdentity, ...], bool]:
        """The agent's line, and whether it is quarantined: two machines have it, and nobody has settled that.

        Raises:
            NotBelievedError: as `line`.
        """
        bound = self._bound(agent, await self.certificates.line(agent))
        while True:
            document = await self.documents.get(agent) or await self._first(agent, bound)
            if document.revoked_at is not None:
                raise NotBelievedError(f"{agent} was revoked")
            present = pinned = self._pinned(document, bound)
            while (after := _after(present, bound)) is not None:
                present = after
            if present is pinned or await self.documents.save(document, self._pin(document, present.identity)):
                break
        if present is not pinned:
            log.info("agent renewed", agent=agent, serial=present.identity.serial)
        over = {each.key_hash for each in document.ended}
        before = next((each.identity for each in bound if present.follows(each) and each.key not in over), None)
        line = (present.identity,) if before is None else (present.identity, before)
        return line, document.quarantined_at is not None

    def _bound(self, agent: str, line: list[Certificate]) -> list[Bound]:
        """Newest first."""
        bound, why = [], f"{agent} has no active certificate"
        for certificate in line:
            try:
                identity = self.check(certificate.pem)
            except NotTrustedError as error:
                why = f"{agent}: {error}"
                continue
            if identity.agent == agent:
                bound.append(Bound(identity, certificate.renewal, certificate.created_at))
            else:
                why = f"the certificate of {agent} names {identity.agent}"
        if not bound:
            raise NotBelievedError(why)
        return bound

    async def _first(self, agent: str, bound: list[Bound]) -> AgentDocument:
        first = next((each for each in reversed(bound) if each.renewal is None), None)
        if first is None:
            raise NotBelievedError(f"{agent} has no certificate of an enrolment")
        document = replace(self._pin(AgentDocument(id=agent), first.identity), rev=0)
        if await self.documents.insert(document):
            return document
        there = await self.documents.get(agent)
        return document if there is None else there

    def _pin(self, document: AgentDocument, identity: AgentIdentity) -> AgentDocument:
        return replace(
            document,
            serial=identity.serial,
            key_hash=key_hash(identity.public_key),
            sealing_key=identity.sealing_key.public_bytes_raw(),
            pinned_at=self.clock.now(),
            rev=document.rev + 1,
        )

    def _pinned(self, document: AgentDocument, bound: list[Bound]) -> Bound:
        for each in bound:
            pair = key_hash(each.identity.public_key), each.identity.sealing_key.public_bytes_raw()
            if each.identity.serial == document.serial and pair == (document.key_hash, document.sealing_key):
                return each
        raise NotBelievedError(f"{document.id} is pinned to a pair that no certificate binds")


def _after(present: Bound, bound: list[Bound]) -> Bound | None:
    """The newest that the present pair's key asked for; never one that is older, so this ends."""
    found = (each for each in bound if each.created_at >= present.created_at and each is not present)
    return next((each for each in found if each.follows(present) or each.replaces(present)), None)
