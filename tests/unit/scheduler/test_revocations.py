"""Revoking an agent: whole after any kill, by the gateway's word alone, and nothing of the agent counts after."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.domain.state import Phase, Status
from libs.store.agents import AgentDocument, AgentDocuments
from libs.store.audit import AuditTrail
from libs.store.jobs import Jobs, JobState
from libs.store.memory.faults import Effect
from libs.store.requests import RequestDocument, Requests
from libs.store.results import Results
from libs.store.schema import CollectionName
from libs.store.tasks import TaskState
from libs.wire.events import AgentRevokeRequested
from libs.wire.ids import Noun, new_id
from libs.wire.reasons import Reason
from libs.wire.requests import RevokeAgentContent
from libs.wire.revocation import read_revocation, request_of
from tests.unit.scheduler.host import Host
from tests.unit.scheduler.world import GATEWAY, KEYS, World, fresh


async def revoke(
    here: World, agent: str, *, told: bool = True, key: Ed25519PrivateKey = GATEWAY, **changes: Any
) -> RequestDocument:
    """What the gateway writes for a person; where `told` is False the event is lost."""
    name, now = request_of(agent), here.clock.now()
    request = here.request(RevokeAgentContent(agent=agent, reason="stolen"), key=name).model_copy(update=changes)
    document = RequestDocument(id=name, signed=here.signed(request, key=key), created_at=now)
    events = [AgentRevokeRequested(request=name).envelope(now)] if told else []
    assert await Requests(here.desk).insert(document, *events)
    here.nudge(CollectionName.REQUESTS, name)
    return document


async def agent_of(here: World, agent: str) -> AgentDocument:
    found = await AgentDocuments(here.admin).get(agent)
    assert found is not None
    return found


async def offered(here: World) -> tuple[Host, str]:
    """A host whose agent has a reset in hand."""
    host = await here.machine()
    task = await here.resets(host.account(), fresh())
    await here.passes(1)
    await host.fetches()
    await here.passes(1)
    flight = (await here.account(host.account())).rotation.flight
    assert flight is not None
    assert flight.phase is Phase.OFFERED
    return host, task


async def test_the_statement_is_the_schedulers_and_the_record_is_durable_before_it(here: World) -> None:
    host = await here.machine()
    await revoke(here, host.agent)
    await here.passes(1)
    found = await agent_of(here, host.agent)
    assert found.revoked is not None
    said = read_revocation(found.revoked, host.agent, frozenset(), KEYS.task.public_key())
    assert (said.reason, said.revoked_at, said.key) == ("stolen", found.revoked_at, None)
    told = [each.record for each in await AuditTrail(here.admin).page(now=here.clock.now(), limit=50)]
    (record,) = [each for each in told if each.what == "agent.revoke"]
    assert (record.reason, record.extra["agent"]) == ("stolen", host.agent)
    assert record.at <= said.revoked_at


async def test_what_waits_is_taken_back(here: World) -> None:
    host = await here.machine()
    task = await here.resets(host.account(), fresh())
    await here.passes(1)
    await revoke(here, host.agent)
    await here.passes(1)
    seen, ended = await here.account(host.account()), await here.task(task)
    assert (seen.rotation.status, seen.rotation.flight) == (Status.UNMANAGED, None)
    assert (ended.state, ended.reason) == (TaskState.CANCELLED, Reason.AGENT_REVOKED)
    assert {each.state for each in await Jobs(here.admin).in_state(JobState.WITHDRAWN, here.clock.now())} == {
        JobState.WITHDRAWN
    }
    assert await Jobs(here.admin).of_agent(host.agent) == []


async def test_what_its_agent_has_is_uncertain_and_its_answer_counts_no_more(here: World) -> None:
    host, _ = await offered(here)
    await revoke(here, host.agent)
    await here.passes(1)
    assert (await here.account(host.account())).rotation.status is Status.UNCERTAIN
    await host.works()  # a gateway that is not honest lets its answer through
    await here.passes(60)
    seen = await here.account(host.account())
    assert (seen.rotation.status, seen.rotation.flight) == (Status.UNCERTAIN, None)
    (result,) = here.documents()[CollectionName.RESULTS]
    assert result["taken"]
    assert await Results(here.admin).waiting(here.clock.now()) == []
    assert len(seen.rotation.versions) == 1  # kept, and shown


async def test_nothing_is_sealed_to_it_any_more(here: World) -> None:
    host = await here.machine()
    await revoke(here, host.agent)
    await here.passes(1)
    task = await here.resets(host.account(), fresh())
    await here.passes(1)
    ended = await here.task(task)
    assert (ended.state, ended.reason) == (TaskState.REFUSED, Reason.NO_AGENT)


async def test_the_sweep_finds_a_request_whose_message_was_lost(here: World) -> None:
    host, _ = await offered(here)
    here.node.stop()
    await revoke(here, host.agent, told=False)
    await here.passes(30)
    assert (await agent_of(here, host.agent)).revoked is not None
    assert (await here.account(host.account())).rotation.status is Status.UNCERTAIN
    here.node.start()


@pytest.mark.parametrize("wrong", ["another key", "another name", "nobody"])
async def test_only_a_person_by_the_gateways_word_revokes(here: World, wrong: str) -> None:
    host = await here.machine()
    changes: dict[str, dict[str, Any]] = {
        "another key": {"key": Ed25519PrivateKey.generate()},
        "another name": {"id": new_id(Noun.REQUEST)},
        "nobody": {"person": None},
    }
    await revoke(here, host.agent, **changes[wrong])
    await here.passes(1)
    assert (await agent_of(here, host.agent)).revoked is None
    document = await Requests(here.admin).get(request_of(host.agent))
    assert document is not None
    assert (document.taken, document.why) == (True, Reason.REQUEST_NOT_TRUSTED)
    await here.set_to(host, fresh())
    assert (await here.account(host.account())).rotation.status is Status.IN_SYNC


async def test_an_agent_that_was_never_believed_is_revoked_all_the_same(here: World) -> None:
    agent = new_id(Noun.AGENT)
    await revoke(here, agent)
    await here.passes(1)
    assert (await agent_of(here, agent)).revoked is not None
    late = replace(Host(here), agent=agent)
    late.login("deploy", 1000)
    await here.enrols(late)
    await here.passes(30)
    assert here.documents()[CollectionName.RESOURCES] == []


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("n", range(1, 26, 2))
async def test_whatever_call_fails_it_is_done_whole(here: World, n: int, effect: Effect) -> None:
    host, _ = await offered(here)
    second = await here.machine("deploy")
    queued = await here.resets(second.account(), fresh())
    await here.passes(1)
    here.store.faults.fail_at(n, effect)
    for each in (host, second):
        await revoke(here, each.agent)
    await here.passes(40)
    for each in (host, second):
        assert (await agent_of(here, each.agent)).revoked is not None
    assert (await here.account(host.account())).rotation.status is Status.UNCERTAIN
    assert (await here.task(queued)).state is TaskState.CANCELLED
    trail = [each.record for each in await AuditTrail(here.admin).page(now=here.clock.now(), limit=100)]
    assert [each.what for each in trail].count("agent.revoke") == 2
