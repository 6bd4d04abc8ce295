"""A store filled as a large site's is: machines with ten accounts each, most of them never set, a few in trouble."""

from dataclasses import dataclass, replace
from typing import Any

from pymongo import MongoClient

from libs.domain.accounts import Account
from libs.domain.state import Generation, Proof, Rotation, Status, Version, VersionState
from libs.store.certificates import Certificate, certificate_id
from libs.store.presence import Presence
from libs.store.record import Codec
from libs.store.resources import Resource
from libs.store.schema import CollectionName
from libs.store.users import User
from libs.wire.ids import Noun, account_id, derived_id
from libs.wire.observations import HostFacts
from libs.wire.requests import Platform
from libs.wire.seal import SUITE, Box, Sealed

ACCOUNTS_A_MACHINE = 10
_CHUNK = 250
"""Documents in one write. The embedded store keeps a write in its small cache until it is whole, and with larger ones
comes to a stop as soon as the store has outgrown that.
"""

_SECOND = 1_000
_NAMES = ("root", "deploy", "backup", "postgres", "www-data", "_apt", "games", "mail", "news", "sshd")
_RECIPIENTS = ("sha256:" + "ab" * 32, "sha256:" + "cd" * 32)
_SEALED = Sealed(suite=SUITE, boxes=tuple(Box(recipient=each, box=bytes(180)) for each in _RECIPIENTS))
_TROUBLE = {3: Status.DRIFT, 5: Status.UNCERTAIN, 7: Status.QUARANTINED}
"""Of a hundred machines, those whose root is in this state."""


@dataclass(frozen=True)
class Filled:
    """Where to look."""

    machine: str  # one of the machines
    account: str  # its root


def fill(url: str, numbers: range, owner: User, *, now: int) -> Filled:
    """Puts the machines with these numbers into a set-up store. They came in one a second, number 0 at `now`.

    Args:
        url: `mongodb://...`, with an administrator's credentials where the store runs with users.
        numbers: Which machines; others may be there already.
        owner: Whose they are.
        now: Unix milliseconds.
    """
    with MongoClient[dict[str, Any]](url, retryWrites=False) as client:

        def put(name: CollectionName, codec: Codec[Any], records: list[Any]) -> None:
            client[name.database][name.collection].insert_many([codec.to_document(each) for each in records])

        for first in numbers[:: _CHUNK // ACCOUNTS_A_MACHINE]:
            some = range(first, min(first + _CHUNK // ACCOUNTS_A_MACHINE, numbers.stop))
            resources = [_resource(number, owner, now - number * _SECOND) for number in some]
            put(CollectionName.RESOURCES, Codec(Resource), resources)
            put(CollectionName.PRESENCE, Codec(Presence), [_presence(each, now) for each in resources])
            put(CollectionName.CERTIFICATES, Codec(Certificate), [_certificate(each, now) for each in resources])
            accounts = [each for n, of in zip(some, resources, strict=True) for each in _accounts(n, of, now)]
            put(CollectionName.ACCOUNTS, Codec(Account), accounts)
    return Filled(resources[0].id, account_id(resources[0].id, _NAMES[0], 0))


def _resource(number: int, owner: User, at: int) -> Resource:
    name = f"site-{number % 40:02}-host-{number:05}"
    return Resource(
        id=derived_id(Noun.RESOURCE, name),
        name=name,
        platform=Platform.LINUX,
        owner=owner.id,
        owner_name=owner.name,
        agent=derived_id(Noun.AGENT, name),
        created_at=at,
        host=HostFacts(hostname=name, system="Debian GNU/Linux 12 (bookworm)", kernel="6.1", libc="glibc 2.36"),
    )


def _presence(of: Resource, now: int) -> Presence:
    return Presence(id=of.agent, last_seen=now - 20 * _SECOND, address="192.0.2.7", version="0.1.0", digest="0" * 64)


def _certificate(of: Resource, now: int) -> Certificate:
    return Certificate(
        id=certificate_id(of.agent, "01"),
        agent=of.agent,
        serial="01",
        resource=of.id,
        resource_name=of.name,
        platform=of.platform,
        owner=of.owner,
        owner_name=of.owner_name,
        pem=bytes(900),
        key_hash=of.agent,
        sealing_key=bytes(32),
        created_at=of.created_at,
        not_after=now + 7 * 86_400_000,
    )


def _accounts(number: int, of: Resource, now: int) -> list[Account]:
    proven = _proven(now)
    states = {0: replace(proven, status=_TROUBLE.get(number % 100, Status.IN_SYNC)), 1: proven}
    return [
        Account(
            id=account_id(of.id, name, uid),
            resource=of.id,
            name=name,
            uid=uid,
            gid=uid,
            shell="/bin/bash",
            kinds=(),
            seen_at=now,
            vanished_at=None,
            rotation=states.get(uid, Rotation()),
            ended=(),
            due_at=None,
            rev=3,
        )
        for uid, name in enumerate(_NAMES)
    ]


def _proven(now: int) -> Rotation:
    versions = tuple(
        Version(Generation(1_764_000_000, n), VersionState.PROVEN, now - 9_000, _SEALED, now - 8_000, now - 7_000)
        for n in (3, 2, 1)
    )
    return Rotation(
        status=Status.IN_SYNC,
        newest=versions[0].generation,
        proof=Proof(versions[0].generation, now - 7_000),
        versions=versions,
        fingerprint="ab" * 32,
        compared_at=now - 7_000,
    )
