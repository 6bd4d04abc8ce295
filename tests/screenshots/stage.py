"""What the pictures show: a few machines in every state, with passwords that really were set and proven."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from agent.backends.ports import FoundAccount
from agent.version import VERSION
from libs.domain.forks import Runs, Side
from libs.domain.state import Status
from libs.pki.issue import issue_server
from libs.store.accounts import Accounts
from libs.store.certificates import Certificates
from libs.store.incidents import Incident, IncidentKind, Incidents
from libs.store.presence import Presence, Presences
from libs.store.resources import Resource, Resources
from libs.store.runs import RunsDocument, RunsDocuments
from libs.store.schema import CollectionName
from libs.wire.ids import Noun, derived_id, new_id
from libs.wire.observations import Kind
from libs.wire.secret import Secret
from services.api.tls import CERTIFICATE_FILE, KEY_FILE, own_key
from tests.unit.whole.world import DEPLOY, ROOT, Whole, whole

HOST = "dmz-web-01"
_COPIED = "cust-a-sql-01"
_DAY = 86_400_000
_SYSTEM = frozenset({Kind.SYSTEM})
_OTHERS = {
    "branch-north-db-01": (Status.DRIFT, 9_000),
    _COPIED: (Status.QUARANTINED, 12_000),
    "branch-south-fs-02": (Status.IN_SYNC, 3 * 3_600_000),
    "cust-b-app-03": (Status.IN_SYNC, 4_000),
    "mail-relay-02": (Status.IN_SYNC, 6_000),
}
"""Machines beside the first: the state of each one's account, and how many milliseconds ago its agent called."""


@dataclass
class Stage:
    """The pages' address, and where to look."""

    origin: str
    accounts: dict[str, str]
    resource: str
    copied: str


@contextlib.asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """Everything, until the pictures are taken."""
    async with whole(folder) as system:
        found = [
            ROOT,
            DEPLOY,
            FoundAccount("postgres", 105, 105, "/bin/bash"),
            FoundAccount("backup", 34, 34, "/bin/sh"),
        ]
        host = await system.machine(
            HOST,
            [
                *((each, Secret("before")) for each in found),
                (FoundAccount("_apt", 42, 42, "/bin/false", _SYSTEM), None),
            ],
        )
        host.start()
        accounts = {each.name: (await system.account(each.name))["id"] for each in found}
        resource = await _named(system)
        await _resets(system, accounts)
        await host.stop()
        await _machines(system, resource, accounts)
        copied = await _copied(system)
        await system.reset(accounts["backup"], note="Leaves the team")
        async with _served(system, folder) as origin:
            yield Stage(origin, accounts, resource.id, copied.id)


async def _resets(system: Whole, accounts: dict[str, str]) -> None:
    """Each account's password is set and proven; that of postgres twice, and then nothing is certain of it."""
    for name in ("root", "backup", "postgres", "deploy", "postgres"):
        task = await system.reset(accounts[name], note="Quarterly change")
        await system.task_ends(task["id"])
    await _turn(system, accounts["postgres"], Status.UNCERTAIN)
    await _turn(system, accounts["deploy"], Status.DRIFT)


async def _turn(system: Whole, key: str, status: Status) -> None:
    store = system.server.store()
    found = await Accounts(store).get(key)
    assert found is not None
    turned = replace(found, rotation=replace(found.rotation, status=status))
    changed = Accounts(store)._codec.changes(found, turned)
    assert await store.collection(CollectionName.ACCOUNTS).update(key, set=changed)


async def _heard(system: Whole, agent: str, ago: int) -> None:
    """The agent called so many milliseconds ago."""
    heard = Presence(id=agent, last_seen=system.clock.now() - ago, version=VERSION)
    await Presences(system.server.store()).contact(heard)


async def _named(system: Whole) -> Resource:
    """The machine that has the accounts, under a name that fits them; tasks keep the name of their time."""
    store = system.server.store()
    (own,) = await Resources(store).page(now=system.clock.now(), limit=1)
    await store.collection(CollectionName.RESOURCES).update(own.id, set={"name": HOST})
    return replace(own, name=HOST)


async def _machines(system: Whole, own: Resource, accounts: dict[str, str]) -> None:
    """Others beside it, with one account each."""
    store = system.server.store()
    certificate = (await Certificates(store).of_agent(own.agent))[0]
    await _heard(system, own.agent, 12_000)
    root = await Accounts(store).get(accounts["root"])
    assert root is not None
    for name, (status, ago) in _OTHERS.items():
        agent, resource = new_id(Noun.AGENT), new_id(Noun.RESOURCE)
        await Resources(store).insert(replace(own, id=resource, name=name, agent=agent))
        await Certificates(store).insert(
            replace(certificate, id=f"{agent}:1", agent=agent, resource=resource, resource_name=name)
        )
        await _heard(system, agent, ago)
        rotation = replace(root.rotation, status=status)
        await Accounts(store).insert(
            replace(root, id=new_id(Noun.ACCOUNT), resource=resource, rotation=rotation, rev=0)
        )


async def _copied(system: Whole) -> Resource:
    """The quarantined machine, whose identity is on a copy of it as well."""
    store, now = system.server.store(), system.clock.now()
    resource = next(each for each in await Resources(store).page(now=now, limit=100) if each.name == _COPIED)
    here = Side("4" * 32, 41, _COPIED, "10.20.4.17", now - 9 * _DAY, now - 40_000)
    there = Side("9" * 32, 42, f"{_COPIED}-test", "10.20.9.80", now - 1_200_000, now - 12_000)
    fork = new_id(Noun.REQUEST)
    runs = RunsDocument(id=resource.agent, runs=Runs(there, 9, answered=True), fork=fork, sides=(here, there))
    await RunsDocuments(store).insert(runs)
    await Incidents(store, CollectionName.FORKS).insert(
        Incident(
            id=derived_id(Noun.INCIDENT, fork),
            kind=IncidentKind.IDENTITY_ON_TWO_MACHINES,
            created_at=now - 1_100_000,
            seen_by=resource.owner,
            token=None,
            package=None,
            key_hash="",
            host_name=there.host_name,
            resource_name=resource.name,
            user_name=resource.owner_name,
            address=there.address,
            agent=resource.agent,
            machines=tuple(f"{each.host_name} at {each.address}, run {each.run[:8]}" for each in (here, there)),
        )
    )
    return resource


@contextlib.asynccontextmanager
async def _served(system: Whole, folder: Path) -> AsyncIterator[str]:
    """The gateway over TLS on loopback, on any port."""
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(own_key(folder), SHA256())
    pem = issue_server(
        csr.public_bytes(Encoding.DER), ["127.0.0.1"], system.keys.servers, now=system.clock.now(), days=1
    )
    certificate = folder / CERTIFICATE_FILE
    certificate.write_bytes(pem)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        system.gateway.app,
        ssl_certfile=certificate,
        ssl_keyfile=folder / KEY_FILE,
        log_level="warning",
        lifespan="off",
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    try:
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        system.gateway.close()
        await serving
