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
from libs.domain.state import Status
from libs.pki.issue import issue_server
from libs.store.accounts import Accounts
from libs.store.certificates import Certificates
from libs.store.presence import Presence, Presences
from libs.store.resources import Resource, Resources
from libs.store.schema import CollectionName
from libs.wire.ids import Noun, new_id
from libs.wire.observations import Kind
from libs.wire.secret import Secret
from services.api.tls import CERTIFICATE_FILE, KEY_FILE, own_key
from tests.unit.whole.world import DEPLOY, ROOT, Whole, whole

HOST = "dmz-web-01"
_SYSTEM = frozenset({Kind.SYSTEM})
_OTHERS = {
    "branch-north-db-01": (Status.DRIFT, 9_000),
    "cust-a-sql-01": (Status.QUARANTINED, 12_000),
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
        await _resets(system, accounts)
        await host.stop()
        resource = await _machines(system, accounts)
        await system.reset(accounts["backup"], note="Leaves the team")
        async with _served(system, folder) as origin:
            yield Stage(origin, accounts, resource.id)


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


async def _machines(system: Whole, accounts: dict[str, str]) -> Resource:
    """The machine that has the accounts, under its name; and others beside it, with one account each."""
    store, now = system.server.store(), system.clock.now()
    (own,) = await Resources(store).page(now=now, limit=1)
    await store.collection(CollectionName.RESOURCES).update(own.id, set={"name": HOST})
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
    return own


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
