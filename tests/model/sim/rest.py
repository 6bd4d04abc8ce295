"""What must be so at the end, when no fault is left: everything came to rest, and what is shown is what is live.

L1  every managed account reaches IN_SYNC or DRIFT, and truly so; every other one stays UNMANAGED, and its live password
    is none that an agent set
I5  every request ended, also one whose answer its person never saw
and the vault reveals the live password of every managed account, unless DRIFT is shown.
"""

import asyncio
from typing import Any

from libs.domain.accounts import Account
from libs.domain.state import Status, VersionState
from libs.domain.versions import candidates
from libs.store.outbox import Outbox
from libs.store.schema import CollectionName, Service
from libs.wire.requests import Request, TaskContent
from tests.model.sim.invariants import OVER, payload
from tests.model.sim.people import Person
from tests.model.sim.site import Site

_LOOK_S = 5.0
_QUIET_S = 40.0
"""Longer than every sweep, every look at a host, and every message's patience together."""
LIMIT_S = 1_200.0
"""An agent that was away waits for a minute between tries, a held poll takes as long, and a comparison that could not
be made is made again after another one; a lease lasts two."""

_AT_REST = (Status.IN_SYNC, Status.DRIFT, Status.UNMANAGED)


def _documents(site: Site, name: CollectionName) -> list[dict[str, Any]]:
    return list(site.server.shelf(name)._documents.values())


async def unrest(site: Site) -> list[str]:
    """What is not at rest."""
    found = [f"{name} is down" for name in Service if name.value not in site.processes]
    found += [f"{host.name} is down" for host in site.hosts if host.process is None or host.resource is None]
    for account in site.invariants.accounts.values():
        r = account.rotation
        if r.status not in _AT_REST or r.flight is not None or r.unanswered is not None or account.ended:
            found.append(f"{account.id} {account.name} is {r.status}, flight {r.flight and r.flight.task}")
    for name in (CollectionName.REQUESTS, CollectionName.RESULTS, CollectionName.OBSERVATIONS):
        found += [f"{each['_id']} lies on the desk" for each in _documents(site, name) if not each["taken"]]
    found += [
        f"{each['_id']} is {each['state']}"
        for each in _documents(site, CollectionName.TASKS)
        if each["state"] not in OVER
    ]
    for service in Service:
        waiting = await Outbox(site.server.store(), service).waiting()
        found += [f"{each.envelope.type} of {each.document} lies in an outbox" for each in waiting]
    found += [f"{name} holds messages" for name, line in site.node._lines.items() if line.waiting or line.held]
    return found


async def comes_to_rest(site: Site) -> bool:
    """Waits until nothing moves; False, with the reasons as violations, where that takes longer than it may."""
    began = quiet_since = site.loop.now
    before: list[int] = []
    while not site.trace.violations:
        await asyncio.sleep(_LOOK_S)
        left = await unrest(site)
        moved = [account.rev for account in site.invariants.accounts.values()]
        if left or moved != before:
            quiet_since = site.loop.now
        before = moved
        if site.loop.now - quiet_since >= _QUIET_S:
            site.trace.healed_in = quiet_since - began
            return True
        if site.loop.now - began > LIMIT_S:
            for each in left or ["the accounts never stop moving"]:
                site.trace.violated(f"L1 after {LIMIT_S:.0f} s without a fault: {each}")
    return False


async def all_is_true(site: Site, person: Person) -> None:
    """Holds everything that people are shown against the hosts."""
    for key, account in site.invariants.accounts.items():
        host = site.invariants.host_of(account)
        if host is None:
            site.trace.violated(f"{key} is on no host")
            continue
        _status(site, account, host.backend.live(account.name))
        if account.rotation.versions:
            await _reveal(site, person, account, host.backend.live(account.name))
    for document in _documents(site, CollectionName.REQUESTS):
        await _request(site, person, document)
    for host in site.hosts:
        for name, data in host.disk_bytes():
            site.invariants.nothing_plain(data, f"{name} on {host.name}")


def _status(site: Site, account: Account, live: bytes | None) -> None:
    r = account.rotation
    # What a person stated and nobody compared yet is theirs to ask about again.
    compared = [each for each in candidates(r) if each.state is not VersionState.STATED]
    shown = {site.invariants.secrets[account.id, each.generation] for each in compared}
    if r.status is Status.IN_SYNC:
        assert r.proof is not None
        if site.invariants.secrets[account.id, r.proof.generation] != live:
            site.trace.violated(f"L1 at rest, {account.name} is in sync, and is not")
    elif r.status is Status.UNMANAGED and not _set_by_an_agent(site, account, live):
        return  # Keyturn claims nothing about it, and a person may type what only they and the vault know.
    elif live in shown or live in site.invariants.in_escrow(account):
        site.trace.violated(f"L1 at rest, {account.name} is {r.status}, and its live password is of the vault")


def _set_by_an_agent(site: Site, account: Account, live: bytes | None) -> bool:
    host = site.invariants.host_of(account)
    return host is not None and live in host.backend.known[account.name].set_by_agent


async def _reveal(site: Site, person: Person, account: Account, live: bytes | None) -> None:
    shown = await person.reveals(account.id)
    if account.rotation.status is Status.IN_SYNC and (not shown or live not in shown):
        site.trace.violated(f"L1 a reveal of {account.name} does not show the live password")


async def _request(site: Site, person: Person, document: dict[str, Any]) -> None:
    """A request on the desk, by what the gateway says of it."""
    request = Request.model_validate_json(payload(document))
    if isinstance(request.content, TaskContent):
        answer = await person.ask("GET", f"/v1/tasks/{request.id}", None)
        if answer is None or answer.status_code != 200 or answer.json()["open"]:
            site.trace.violated(f"I5 {request.id} never ended: {None if answer is None else answer.text}")
