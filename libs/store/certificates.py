"""Agents' certificates: written by the bundler, read by everybody, believed only under the authority's own file."""

from dataclasses import dataclass
from enum import StrEnum

from libs.store.ports import Store
from libs.store.record import Revised
from libs.store.schema import CollectionName
from libs.store.table import TurningTable
from libs.wire.observations import HostFacts
from libs.wire.requests import Platform
from libs.wire.sign import Signed


class CertificateState(StrEnum):
    ACTIVE = "active"
    SUPERSEDED = "superseded"  # a person let another agent take its place
    REVOKED = "revoked"


def certificate_id(agent: str, serial: str) -> str:
    """One certificate of an agent; a renewal is another one."""
    return f"{agent}.{serial}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate(Revised):
    """One certificate, and the enrolment that it came from."""

    agent: str
    serial: str  # hexadecimal
    resource: str
    resource_name: str
    platform: Platform
    owner: str  # a user's id
    owner_name: str
    pem: bytes
    key_hash: str  # of the signing key: SHA-256 over its SubjectPublicKeyInfo
    sealing_key: bytes  # X25519, raw
    state: CertificateState = CertificateState.ACTIVE
    created_at: int
    not_after: int
    token: str | None = None
    host: HostFacts | None = None
    address: str = ""
    agent_version: str = ""
    approval: Signed | None = None  # the person's, as the gateway signed it, where the resource was known before
    renewal: Signed | None = None  # why it was issued: the word of the key before; none: by an enrolment

    @property
    def renew_at(self) -> int:
        """When its agent renews it: at two thirds of its life, Unix milliseconds."""
        return self.created_at + (self.not_after - self.created_at) * 2 // 3


class Certificates(TurningTable[Certificate]):
    """Every agent's certificates."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.CERTIFICATES, Certificate)

    async def of_agent(self, agent: str) -> list[Certificate]:
        """All of an agent, newest first."""
        found = self._all(await self._collection.find(equals={"agent": agent}, limit=1_000))
        return sorted(found, key=lambda each: (each.created_at, each.id), reverse=True)

    async def line(self, agent: str) -> list[Certificate]:
        """Those of an agent that are not revoked, newest first."""
        return [each for each in await self.of_agent(agent) if each.state is CertificateState.ACTIVE]

    async def active(self, agent: str) -> Certificate | None:
        """The newest of an agent that is not revoked."""
        return next(iter(await self.line(agent)), None)

    async def forget(self, certificate: Certificate) -> None:
        """Takes one away that newer ones have long replaced."""
        await self._collection.delete(certificate.id)

    async def of_key(self, key_hash: str) -> Certificate | None:
        """The newest for a signing key, whatever its state."""
        found = self._all(await self._collection.find(equals={"key_hash": key_hash}, limit=100))
        return max(found, key=lambda each: (each.created_at, each.id), default=None)

    async def of_resource(self, resource: str) -> list[Certificate]:
        """Those that name a resource, whatever their state."""
        return self._all(await self._collection.find(equals={"resource": resource}, limit=1_000))

    async def created(self, low: int, high: int, *, limit: int = 1_000) -> list[Certificate]:
        """The active ones made between two moments, oldest first."""
        found = await self._collection.find(
            equals={"state": CertificateState.ACTIVE}, between=("created_at", low, high), limit=limit
        )
        return self._all(found)

    async def in_state(self, state: CertificateState, *, limit: int = 10_000) -> int:
        """How many are in a state; `limit` means that many or more."""
        return await self._collection.count(equals={"state": state}, limit=limit)
