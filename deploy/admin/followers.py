"""Which agents follow the newest notice: counted and named by what each said at its last session."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.x509 import Certificate, load_pem_x509_certificate

from deploy.admin.layout import STORE_PASSWORD
from deploy.admin.store_setup import read_password
from libs.store.certificates import Certificates
from libs.store.mongo.store import open_store
from libs.store.ports import Store
from libs.store.presence import Presence, Presences
from libs.store.resources import Resources
from libs.store.schema import ADMINISTRATOR

_PAGE = 200


@dataclass(frozen=True)
class Follower:
    """One agent that is not revoked."""

    name: str  # of its resource
    notice: int
    last_seen: int | None  # Unix milliseconds
    certified: Certificate
    place: str  # where it found the server, if there are moves
    astray: str  # why it is not where they lead

    def __str__(self) -> str:
        if self.last_seen is None:
            return f"{self.name} (never heard)"
        at = datetime.fromtimestamp(self.last_seen / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return f"{self.name} (last heard {at})"


async def followers(url: str, *, private: Path) -> list[Follower]:
    """Every agent, by the name of its resource.

    Args:
        url: `mongodb://HOST:PORT/`, without credentials.
        private: The administrator's folder.

    Raises:
        AdminError: the administrator's password cannot be read.
        StoreError: as `libs.store.errors` lists.
    """
    store = open_store(url, ADMINISTRATOR, read_password(private / STORE_PASSWORD))
    try:
        return sorted(await _read(store), key=lambda each: each.name)
    finally:
        await store.close()


async def _read(store: Store) -> list[Follower]:
    resources, certificates, presences = Resources(store), Certificates(store), Presences(store)
    found: list[Follower] = []
    after = None
    while page := await resources.page(now=2**53, limit=_PAGE, after=after):
        heard = {each.id: each for each in await presences.get_many(each.agent for each in page)}
        for resource in page:
            certificate = await certificates.active(resource.agent)
            if certificate is not None:
                presence = heard.get(resource.agent) or Presence(id=resource.agent, last_seen=0)
                found.append(
                    Follower(
                        resource.name,
                        presence.notice,
                        presence.last_seen or None,
                        load_pem_x509_certificate(certificate.pem),
                        presence.place,
                        presence.astray,
                    )
                )
        after = (page[-1].created_at, page[-1].id)
    return found


def told(agents: list[Follower], behind: list[Follower], what: str) -> list[str]:
    """How many do, and who does not: lines for an operator."""
    lines = [f"{len(agents) - len(behind)} of {len(agents)} agents {what}."]
    lines += [f"  not yet: {each}" for each in behind]
    return lines
