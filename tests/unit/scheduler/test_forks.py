"""Quarantine and release at the scheduler: whole after any kill, and only by the gateway's word and a renewed key."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.domain.state import Status
from libs.pki.csr import key_hash
from libs.store.agents import AgentDocument, AgentDocuments
from libs.store.audit import AuditTrail
from libs.store.certificates import Certificates
from libs.store.incidents import Incidents
from libs.store.memory.faults import Effect
from libs.store.requests import RequestDocument, Requests
from libs.store.schema import CollectionName
from libs.wire.events import AgentChooseRequested, AgentForkReported
from libs.wire.identity import agent_csr
from libs.wire.ids import Noun, derived_id, new_id
from libs.wire.reasons import Reason
from libs.wire.renewal import renewal
from libs.wire.requests import ChooseContent, ForkContent, ForkSide
from libs.wire.revocation import read_revocation
from libs.wire.sign import BadSignatureError
from tests.unit.scheduler.host import Host
from tests.unit.scheduler.world import GATEWAY, KEYS, World, fresh

RIGHT, WRONG = "1" * 32, "2" * 32


async def puts(here: World, content: Any, name: str, *, key: Ed25519PrivateKey = GATEWAY, **changes: Any) -> str:
    """What the gateway writes."""
    now = here.clock.now()
    request = here.request(content, key=name).model_copy(update=changes)
    kind = AgentForkReported if isinstance(content, ForkContent) else AgentChooseRequested
    document = RequestDocument(id=name, signed=here.signed(request, key=key), created_at=now)
    assert await Requests(here.desk).insert(document, kind(request=name).envelope(now))
    here.nudge(CollectionName.REQUESTS, name)
    return name


async def forks(here: World, host: Host, **how: Any) -> str:
    sides = tuple(ForkSide(run=run, boot=2, host_name=run[:3], address="192.0.2.1", last=1) for run in (RIGHT, WRONG))
    name = derived_id(Noun.REQUEST, "fork", host.agent)
    return await puts(here, ForkContent(agent=host.agent, sides=sides), name, **{"person": None} | how)


async def chooses(here: World, host: Host, fork: str, **how: Any) -> str:
    content = ChooseContent(agent=host.agent, fork=fork, run=RIGHT, reason="rack 7")
    return await puts(here, content, new_id(Noun.REQUEST), **how)


async def renews(here: World, host: Host) -> Host:
    """The host's next keys, certified as the bundler does it."""
    after = Host(here, name=host.name, resource=host.resource, logins=host.logins)
    after.agent = host.agent
    word = renewal(host.agent, agent_csr(after.signing, after.sealing.public_key()), host.signing)
    await here.enrols(after)
    certificates = Certificates(here.admin)
    found = await certificates.of_key(key_hash(after.signing.public_key()))
    assert found is not None
    assert await certificates.save(found, replace(found, renewal=word, rev=found.rev + 1))
    return after


async def agent_of(here: World, host: Host) -> AgentDocument:
    found = await AgentDocuments(here.admin).get(host.agent)
    assert found is not None
    return found


async def status(here: World, host: Host, name: str = "deploy") -> Status:
    return (await here.account(host.account(name))).rotation.status


async def test_both_are_quarantined_whatever_was_in_flight_and_it_is_told(here: World) -> None:
    host = await here.machine("deploy", "queued", "offered")
    await here.set_to(host, fresh())
    offered = await here.resets(host.account("offered"), fresh())
    await here.passes(1)
    await host.fetches()
    await here.passes(1)
    queued = await here.resets(host.account("queued"), fresh())
    await here.passes(1)
    await forks(here, host)
    await here.passes(1)
    assert {await status(here, host, name) for name in ("deploy", "queued", "offered")} == {Status.QUARANTINED}
    assert (await here.task(queued)).reason is Reason.ACCOUNT_QUARANTINED
    (incident,) = await Incidents(here.admin, CollectionName.FORKS).page(now=here.clock.now(), limit=10)
    assert (incident.kind, incident.agent, len(incident.machines)) == ("identity_on_two_machines", host.agent, 2)
    await host.works()  # an answer of either counts for nothing
    await here.passes(30)
    assert await status(here, host, "offered") is Status.QUARANTINED
    task = await here.resets(host.account(), fresh())
    await here.passes(1)
    assert (await here.task(task)).reason is Reason.ACCOUNT_QUARANTINED
    assert (await here.task(offered)).id == offered


async def test_it_ends_when_the_chosen_one_has_other_keys_and_the_older_ones_are_over(here: World) -> None:
    host = await here.machine()
    await here.set_to(host, fresh())
    fork = await forks(here, host)
    await here.passes(1)
    after = await renews(here, host)  # before anybody chose: it changes nothing
    await here.passes(5)
    assert await status(here, host) is Status.QUARANTINED
    await chooses(here, host, fork)
    await here.passes(5)
    await here.settles(after, lambda: in_sync(here, after))
    found = await agent_of(here, host)
    assert found.quarantined_at is None
    (ended,) = found.ended
    old, new = (f"sha256:{key_hash(each.signing.public_key())}" for each in (host, after))
    said = read_revocation(ended.statement, host.agent, frozenset({old}), KEYS.task.public_key())
    assert said.key == old
    with pytest.raises(BadSignatureError):
        read_revocation(ended.statement, host.agent, frozenset({new}), KEYS.task.public_key())


async def in_sync(here: World, host: Host) -> bool:
    return await status(here, host) is Status.IN_SYNC


async def test_a_choice_without_other_keys_releases_nothing(here: World) -> None:
    host = await here.machine()
    fork = await forks(here, host)
    await chooses(here, host, fork)
    await here.passes(60)
    assert await status(here, host) is Status.QUARANTINED
    assert (await agent_of(here, host)).chosen == RIGHT


@pytest.mark.parametrize("wrong", ["fork by another key", "choice by another key", "choice by nobody", "of another"])
async def test_only_the_gateways_word_counts(here: World, wrong: str) -> None:
    host = await here.machine()
    other = Ed25519PrivateKey.generate()
    fork = await forks(here, host, **({"key": other} if wrong == "fork by another key" else {}))
    await here.passes(1)
    if wrong == "fork by another key":
        assert await status(here, host) is Status.UNMANAGED
        return
    how: dict[str, Any] = {"key": other} if "another key" in wrong else {"person": None} if "nobody" in wrong else {}
    choice = await chooses(here, host, new_id(Noun.REQUEST) if wrong == "of another" else fork, **how)
    await renews(here, host)
    await here.passes(10)
    assert await status(here, host) is Status.QUARANTINED
    document = await Requests(here.admin).get(choice)
    assert document is not None
    assert document.why in (Reason.REQUEST_NOT_TRUSTED, Reason.REQUEST_TOO_LATE)


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("n", range(1, 38, 3))
async def test_whatever_call_fails_it_is_done_whole(here: World, n: int, effect: Effect) -> None:
    host = await here.machine("deploy", "root")
    await here.set_to(host, fresh())
    here.store.faults.fail_at(n, effect)
    fork = await forks(here, host)
    await here.passes(30)
    assert {await status(here, host, name) for name in ("deploy", "root")} == {Status.QUARANTINED}
    assert len(await Incidents(here.admin, CollectionName.FORKS).page(now=here.clock.now(), limit=10)) == 1
    await chooses(here, host, fork)
    await here.passes(30)
    after = await renews(here, host)
    here.store.faults.fail_at(n, effect)
    await here.passes(30)
    await here.settles(after, lambda: in_sync(here, after))
    assert await status(here, host, "root") is Status.UNMANAGED
    assert len((await agent_of(here, host)).ended) == 1
    trail = [each.record.what for each in await AuditTrail(here.admin).page(now=here.clock.now(), limit=100)]
    assert [trail.count(f"agent.{what}") for what in ("quarantine", "choose", "release")] == [1, 1, 1]
