"""A known machine under a new agent: by a person's approval alone, and nothing is forgotten and nothing believed."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.domain.state import Status
from libs.pki.csr import key_hash
from libs.store.audit import AuditTrail
from libs.store.certificates import Certificates, CertificateState
from libs.store.jobs import Jobs
from libs.store.memory.faults import Effect
from libs.store.observations import Observations
from libs.store.resources import Resource, Resources
from libs.wire.ids import Noun, new_id
from libs.wire.requests import SettleContent
from libs.wire.sign import Signed
from tests.unit.scheduler.host import Host
from tests.unit.scheduler.world import GATEWAY, PERSON, World, fresh


def successor(old: Host) -> Host:
    """The same machine with another disk: new keys, the accounts as they are, and no journal."""
    logins = {name: replace(login, mark=type(login)("", 0).mark, entry=None) for name, login in old.logins.items()}
    return Host(old.world, name=old.name, resource=old.resource, logins=logins)


def approval(
    here: World, host: Host, *, key: Ed25519PrivateKey = GATEWAY, approve: bool = True, hashed: str | None = None
) -> Signed:
    """A person's decision about this key and resource, as the gateway signs it."""
    content = SettleContent(
        enrolment=new_id(Noun.ENROLMENT),
        approve=approve,
        resource=host.resource,
        key_hash=hashed or key_hash(host.signing.public_key()),
    )
    return here.signed(here.request(content), key=key)


async def supersede(here: World, host: Host) -> None:
    """What the bundler does before it certifies the next agent."""
    certificates = Certificates(here.admin)
    for each in await certificates.of_agent(host.agent):
        assert await certificates.save(each, replace(each, state=CertificateState.SUPERSEDED, rev=each.rev + 1))


async def resource(here: World, key: str) -> Resource:
    found = await Resources(here.admin).get(key)
    assert found is not None
    return found


async def test_the_accounts_are_compared_before_anything_else_and_nothing_is_forgotten(here: World) -> None:
    old = await here.machine()
    password = fresh()
    await here.set_to(old, password)
    before = await here.account(old.account())
    assert before.rotation.status is Status.IN_SYNC
    new = successor(old)
    await supersede(here, old)
    await here.enrols(new, approval=approval(here, new))
    await here.passes(1)
    found = await resource(here, old.resource)
    assert (found.agent, found.name, found.created_at) == (new.agent, old.name, found.created_at)
    doubted = await here.account(old.account())
    assert doubted.rotation.status is Status.UNCERTAIN
    assert doubted.rotation.versions == before.rotation.versions
    assert await Jobs(here.admin).of_agent(old.agent) == []
    await here.settles(new, lambda: in_sync(here, new))
    assert [each[1] for each in await here.reveals(new.account())] == [password.encode()]
    told = [each.record for each in await AuditTrail(here.admin).page(now=here.clock.now(), limit=50)]
    (record,) = [each for each in told if each.what == "resource.taken_over"]
    assert record.who is not None
    assert (record.who.id, record.extra["agent_before"], record.extra["agent"]) == (PERSON.id, old.agent, new.agent)


async def in_sync(here: World, host: Host) -> bool:
    return (await here.account(host.account())).rotation.status is Status.IN_SYNC


@pytest.mark.parametrize("wrong", ["none", "another gateway", "denied", "another key", "another resource"])
async def test_a_certificate_alone_takes_nothing_over(here: World, wrong: str) -> None:
    """Whoever runs code in the bundler can certify, but cannot say that a person wanted it."""
    old = await here.machine()
    await here.set_to(old, fresh())
    new = successor(old)
    signed = {
        "none": None,
        "another gateway": approval(here, new, key=Ed25519PrivateKey.generate()),
        "denied": approval(here, new, approve=False),
        "another key": approval(here, new, hashed="0" * 64),
        "another resource": approval(here, replace(new, resource=new_id(Noun.RESOURCE))),
    }[wrong]
    await here.enrols(new, approval=signed)
    await here.passes(30)
    assert (await resource(here, old.resource)).agent == old.agent
    assert await in_sync(here, old)
    assert await Jobs(here.admin).of_agent(new.agent) == []
    # What the other agent sees is not believed either, once nothing can be on its way any more.
    key = await new.observes()
    await here.passes(3_700)
    seen = await Observations(here.admin).get(key)
    assert seen is not None
    assert seen.taken
    assert await in_sync(here, old)


async def test_an_approval_counts_once(here: World) -> None:
    """An older certificate, made active again by whoever writes to the store, does not take the resource back."""
    first = await here.machine()
    second, third = successor(first), successor(first)
    for before, after in ((first, second), (second, third)):
        await supersede(here, before)
        await here.enrols(after, approval=approval(here, after))
        await here.passes(1)
        assert (await resource(here, first.resource)).agent == after.agent
    certificates = Certificates(here.admin)
    (again,) = await certificates.of_agent(second.agent)
    await certificates.save(again, replace(again, state=CertificateState.ACTIVE, rev=again.rev + 1))
    await here.graph.enrolments.take(second.agent)
    assert (await resource(here, first.resource)).agent == third.agent


async def test_the_sweep_finds_an_approved_agent_whose_message_was_lost(here: World) -> None:
    old = await here.machine()
    new = successor(old)
    await supersede(here, old)
    await here.enrols(new, approval=approval(here, new), told=False)
    await here.passes(30)
    assert (await resource(here, old.resource)).agent == new.agent


@pytest.mark.parametrize("effect", list(Effect))
async def test_whatever_call_fails_it_is_done_whole(here: World, effect: Effect) -> None:
    old = await here.machine("deploy", "root")
    await here.set_to(old, fresh())
    for n in range(1, 22, 2):
        new = successor(old)
        await supersede(here, old)
        here.store.faults.fail_at(n, effect)
        await here.enrols(new, approval=approval(here, new))
        await here.passes(40)
        assert (await resource(here, old.resource)).agent == new.agent, n
        await here.settles(new, lambda host=new: in_sync(here, host))  # type: ignore[misc]
        old = new


async def test_a_name_that_is_taken_is_told_apart(here: World) -> None:
    first, second = await here.machine(), Host(here)
    await here.enrols(second)
    await here.passes()
    names = [(await resource(here, each.resource)).name for each in (first, second)]
    assert names == ["dmz-web-01", f"dmz-web-01-{second.resource[-6:]}"]
    told = [each.record for each in await AuditTrail(here.admin).page(now=here.clock.now(), limit=50)]
    assert [each.extra["asked"] for each in told if each.what == "resource.named_apart"] == ["dmz-web-01"]
