"""The agents' door: whose requests count, and what they do."""

import asyncio
import hashlib
import secrets
from typing import Any

import pytest

from libs.broker.topology import QueueName
from libs.domain.state import Kind
from libs.store.jobs import JobDocument, Jobs, JobState
from libs.store.observations import Observations
from libs.store.outbox import Outbox
from libs.store.presence import Presences
from libs.store.results import Results
from libs.store.schema import Service
from libs.wire.agent_api import (
    EnrolRequest,
    FetchRequest,
    ObserveRequest,
    ReportRequest,
    SessionRequest,
)
from libs.wire.ids import Noun, derived_id, new_id
from libs.wire.observations import HostFacts, Observation, SeenAccount, digest
from libs.wire.requests import Declined, EnrolContent, Enrolled, Platform, Request
from libs.wire.results import ResetAnswer, ResetOutcome, Result
from libs.wire.sign import Prefix, Signed, sign
from tests.unit.api.test_resets import revoke
from tests.unit.api.world import NOW, TestAgent, World

ACCOUNTS = (SeenAccount(name="root", uid=0, gid=0), SeenAccount(name="w\u00fcb", uid=1, gid=1))
JOB, TASK = derived_id(Noun.JOB, "t"), derived_id(Noun.TASK, "t")


@pytest.fixture
async def agent(world: World) -> TestAgent:
    _, agent = await world.machine(await world.user("ben"))
    return agent


def contact(agent: TestAgent, accounts: tuple[SeenAccount, ...] = ()) -> SessionRequest:
    return SessionRequest(agent=agent.id, agent_version="1.0", boot=1, sequence=0, digest=digest(accounts))


def observed(agent: TestAgent, accounts: tuple[SeenAccount, ...]) -> tuple[Observation, ObserveRequest]:
    observation = Observation(
        id=new_id(Noun.OBSERVATION),
        agent=agent.id,
        resource=agent.resource,
        sequence=1,
        seen_at=NOW,
        accounts=accounts,
        host=HostFacts(hostname="h", system="s"),
    )
    signed = sign(observation.to_bytes(), Prefix.OBSERVATION, agent.private)
    return observation, ObserveRequest(agent=agent.id, observation=signed)


async def put_job(world: World, agent: TestAgent, job: str = JOB, state: JobState = JobState.WAITING) -> Signed:
    signed = Signed(payload=job.encode(), key="sha256:" + "0" * 64, signature=b"x")
    document = JobDocument(
        id=job, task=TASK, account="acc", agent=agent.id, state=state, signed=signed, created_at=world.clock.now()
    )
    assert await Jobs(world.admin).insert(document)
    return signed


# ---- whose requests count


@pytest.mark.parametrize(
    ("bent", "code"),
    [
        ({"signed_path": "/agent/v1/fetch"}, "signature_invalid"),
        ({"signed_path": "/agent/v1/session?x=1"}, "signature_invalid"),
        ({"signed_body": b"{}"}, "signature_invalid"),
        ({"skew_ms": -61_000}, "clock_skew"),
        ({"skew_ms": 61_000}, "clock_skew"),
        ({"nonce": "short"}, "signature_invalid"),
        ({"key": derived_id(Noun.AGENT, "another")}, "signature_invalid"),
        ({"change": lambda _: {}}, "signature_missing"),
        (
            {"change": lambda h: {k: v.replace("keyturn-agent/1", "another/1") for k, v in h.items()}},
            "signature_invalid",
        ),
        ({"change": lambda h: {k: v.replace('"@query" ', "") for k, v in h.items()}}, "signature_invalid"),
    ],
)
async def test_a_signature_that_does_not_cover_this_request_is_refused(
    world: World, agent: TestAgent, bent: dict[str, Any], code: str
) -> None:
    answer = await agent.post("/agent/v1/session", contact(agent), **bent)
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer.json().get("server_time") == (NOW if code == "clock_skew" else None)
    assert await Presences(world.admin).get(agent.id) is None


async def test_a_request_counts_once(agent: TestAgent) -> None:
    nonce = secrets.token_urlsafe(18)
    first = await agent.post("/agent/v1/session", contact(agent), nonce=nonce)
    again = await agent.post("/agent/v1/session", contact(agent), nonce=nonce)
    assert (first.status_code, again.status_code, again.json()["code"]) == (200, 401, "nonce_used")


async def test_a_rewritten_authority_is_accepted(agent: TestAgent) -> None:
    answer = await agent.post("/agent/v1/session", contact(agent), headers={"host": "balancer.example:8443"})
    assert answer.status_code == 200


async def test_another_agents_key_speaks_for_itself_only(world: World, agent: TestAgent) -> None:
    owner = await world.user("eve")
    _, other = await world.machine(owner, "other")
    answer = await other.post("/agent/v1/session", contact(agent), key=agent.id)
    assert answer.json()["code"] == "signature_invalid"


async def test_an_unknown_and_a_revoked_agent_are_told_apart(world: World, agent: TestAgent) -> None:
    unknown = TestAgent(derived_id(Noun.AGENT, "?"), agent.resource, agent.private, world.clock, world.client)
    answer = await unknown.post("/agent/v1/session", contact(unknown))
    assert (answer.status_code, answer.json()["code"]) == (401, "agent_unknown")
    assert (await agent.post("/agent/v1/session", contact(agent))).status_code == 200
    await revoke(world, agent.id)
    answer = await agent.post("/agent/v1/fetch", FetchRequest(agent=agent.id))
    assert (answer.status_code, answer.json()["code"]) == (403, "agent_revoked")


# ---- contact


async def test_a_contact_asks_for_an_observation_until_it_knows_the_accounts(world: World, agent: TestAgent) -> None:
    accounts = (SeenAccount(name="root", uid=0, gid=0),)
    first = (await agent.post("/agent/v1/session", contact(agent, accounts))).json()
    assert (first["observe"], first["expires_in"], first["hold"], first["server_time"]) == (True, 600, 50, NOW)
    observation, message = observed(agent, accounts)
    for _ in range(2):
        assert (await agent.post("/agent/v1/observe", message)).json() == {"stored": True}
    stored = await Observations(world.admin).get(observation.id)
    assert stored is not None
    assert stored.signed == message.observation
    events = [each.envelope.type for each in await Outbox(world.admin, Service.GATEWAY).waiting()]
    assert events == ["agent.observed"]
    assert not (await agent.post("/agent/v1/session", contact(agent, accounts))).json()["observe"]
    assert (await agent.post("/agent/v1/session", contact(agent))).json()["observe"]


def test_the_digest_is_of_what_it_says_and_of_its_order_not() -> None:
    assert digest(ACCOUNTS) == digest(reversed(ACCOUNTS))
    assert digest(ACCOUNTS) != digest(ACCOUNTS[:1])
    assert digest(()) == hashlib.sha256(b"[]").hexdigest()


async def test_an_unchanged_contact_is_written_in_bulk(world: World, agent: TestAgent) -> None:
    presences = Presences(world.admin)
    await agent.post("/agent/v1/session", contact(agent))
    await world.clock.advance(60)
    await agent.post("/agent/v1/session", contact(agent))
    before = await presences.get(agent.id)
    await world.gateway.heard.flush()
    after = await presences.get(agent.id)
    assert before is not None
    assert after is not None
    assert (before.last_seen, after.last_seen) == (NOW, NOW + 60_000)


@pytest.mark.parametrize("other", ["agent", "resource", "signature"])
async def test_an_observation_of_another_is_refused(world: World, agent: TestAgent, other: str) -> None:
    observation = Observation(
        id=new_id(Noun.OBSERVATION),
        agent=derived_id(Noun.AGENT, "?") if other == "agent" else agent.id,
        resource=derived_id(Noun.RESOURCE, "?") if other == "resource" else agent.resource,
        sequence=1,
        seen_at=NOW,
        accounts=(),
        host=HostFacts(hostname="h", system="s"),
    )
    prefix = Prefix.RESULT if other == "signature" else Prefix.OBSERVATION
    message = ObserveRequest(agent=agent.id, observation=sign(observation.to_bytes(), prefix, agent.private))
    answer = await agent.post("/agent/v1/observe", message)
    assert (answer.status_code, answer.json()["code"]) == (422, "observation_invalid")
    assert await Observations(world.admin).get(observation.id) is None


# ---- fetch and report


async def test_a_fetch_is_the_offer_and_brings_it_again_until_it_is_answered(world: World, agent: TestAgent) -> None:
    signed = await put_job(world, agent)
    for _ in range(2):
        answer = await agent.post("/agent/v1/fetch", FetchRequest(agent=agent.id))
        assert answer.json() == {"jobs": [signed.model_dump(mode="json")]}
    job = await Jobs(world.admin).get(JOB)
    assert job is not None
    assert (job.state, job.fetched_at) == (JobState.FETCHED, NOW)
    events = await Outbox(world.admin, Service.GATEWAY).waiting()
    assert [(each.envelope.type, each.envelope.body) for each in events] == [("agent.fetched", {"job": JOB})]


async def test_a_fetch_brings_nobody_elses_job_and_no_withdrawn_one(world: World, agent: TestAgent) -> None:
    _, other = await world.machine(await world.user("eve"), "other")
    await put_job(world, other)
    await put_job(world, agent, derived_id(Noun.JOB, "w"), JobState.WITHDRAWN)
    assert (await agent.post("/agent/v1/fetch", FetchRequest(agent=agent.id))).json() == {"jobs": []}


def result(agent: TestAgent, by: str | None = None) -> Signed:
    outcome = ResetOutcome(account=derived_id(Noun.ACCOUNT, "a"), generation="1.1", answer=ResetAnswer.APPLIED)
    answer = Result(
        task=TASK, job=JOB, agent=by or agent.id, nonce="a" * 26, fence="1.1", finished_at=NOW, outcomes=(outcome,)
    )
    return sign(answer.to_bytes(), Prefix.RESULT, agent.private)


async def test_a_result_is_stored_once_and_closes_its_job(world: World, agent: TestAgent) -> None:
    await put_job(world, agent, state=JobState.FETCHED)
    for _ in range(2):
        # An ECDSA signature differs each time; what is signed does not.
        answer = await agent.post("/agent/v1/report", ReportRequest(agent=agent.id, results=(result(agent),)))
        assert answer.json() == {"stored": [JOB]}
    (stored,) = await Results(world.admin).waiting(NOW * 2)
    assert (stored.job, stored.agent, stored.created_at) == (JOB, agent.id, NOW)
    events = await Outbox(world.admin, Service.GATEWAY).waiting()
    assert [(each.envelope.type, each.envelope.body) for each in events] == [("task.reported", {"job": JOB})]
    job = await Jobs(world.admin).get(JOB)
    assert job is not None
    assert job.state is JobState.ANSWERED
    assert (await agent.post("/agent/v1/fetch", FetchRequest(agent=agent.id))).json() == {"jobs": []}


async def test_another_agents_result_is_refused_and_closes_nothing(world: World, agent: TestAgent) -> None:
    _, other = await world.machine(await world.user("eve"), "other")
    await put_job(world, agent, state=JobState.FETCHED)
    for signed in (result(other, by=agent.id), result(agent)):
        answer = await other.post("/agent/v1/report", ReportRequest(agent=other.id, results=(signed,)))
        assert (answer.status_code, answer.json()["code"]) == (422, "result_invalid")
    assert await Results(world.admin).waiting(NOW * 2) == []
    own = await other.post("/agent/v1/report", ReportRequest(agent=other.id, results=(result(other),)))
    assert own.status_code == 200
    job = await Jobs(world.admin).get(JOB)
    assert job is not None
    assert job.state is JobState.FETCHED


async def test_after_a_report_the_next_contact_shows_the_accounts_again(world: World, agent: TestAgent) -> None:
    """A host that was put back to before the reset looks as it did when it was last observed."""
    await put_job(world, agent, state=JobState.FETCHED)
    _, message = observed(agent, ACCOUNTS)
    await agent.post("/agent/v1/observe", message)
    assert not (await agent.post("/agent/v1/session", contact(agent, ACCOUNTS))).json()["observe"]
    await agent.post("/agent/v1/report", ReportRequest(agent=agent.id, results=(result(agent),)))
    assert (await agent.post("/agent/v1/session", contact(agent, ACCOUNTS))).json()["observe"]
    await agent.post("/agent/v1/observe", observed(agent, ACCOUNTS)[1])
    assert not (await agent.post("/agent/v1/session", contact(agent, ACCOUNTS))).json()["observe"]


# ---- enrolment

ENROL = EnrolRequest(
    token="t" * 32,
    user_name="ben",
    resource_name="dmz-web-01",
    platform=Platform.LINUX,
    csr=b"csr",
    host=HostFacts(hostname="h", system="s"),
)


async def enrol(world: World, **changes: Any) -> Any:
    body = ENROL.model_copy(update=changes).model_dump(mode="json")
    return await world.client.post("/agent/v1/enrol", json=body)


async def test_enrolment_passes_the_tokens_hash_and_the_owner_to_the_bundler(world: World) -> None:
    owner = await world.user("ben")
    admitted = Enrolled(
        agent=derived_id(Noun.AGENT, "n"), resource=derived_id(Noun.RESOURCE, "n"), certificate=b"-----PEM"
    )
    async with world.answering(QueueName.ENROLMENTS, lambda _: admitted) as heard:
        answer = await enrol(world)
    assert (answer.status_code, answer.json()) == (200, admitted.model_dump(mode="json"))
    (request,) = heard
    assert isinstance(request.content, EnrolContent)
    assert request.content.token == hashlib.sha256(b"t" * 32).hexdigest()
    assert (request.content.owner, request.content.owner_name) == (owner.id, "ben")
    assert request.content.address == "192.0.2.7"
    assert "t" * 32 not in repr(request) + world.documents()


async def test_an_unknown_user_name_is_told_before_the_token_is_spent(world: World) -> None:
    async with world.answering(QueueName.ENROLMENTS, _never) as heard:
        answer = await enrol(world)
    assert (answer.status_code, answer.json()["code"], heard) == (403, "user_name_unknown", [])


@pytest.mark.parametrize("code", ["token_used", "token_expired", "token_unknown", "user_name_not_allowed"])
async def test_the_bundlers_refusals_keep_their_codes(world: World, code: str) -> None:
    await world.user("ben")
    async with world.answering(QueueName.ENROLMENTS, lambda _: Declined(code=code, sentence="No.")):
        answer = await enrol(world)
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (403, code, "No.")


async def test_without_a_broker_enrolment_is_to_be_tried_again(world: World) -> None:
    await world.user("ben")
    world.node.stop()
    answer = await enrol(world)
    assert (answer.status_code, answer.json()["code"]) == (503, "bundler_away")
    assert answer.headers["retry-after"] == "10"


def _never(request: Request) -> Declined:
    raise AssertionError(request)


# ---- the held poll


async def token_of(agent: TestAgent) -> dict[str, str]:
    answer = await agent.post("/agent/v1/session", contact(agent))
    return {"authorization": f"Bearer {answer.json()['token']}"}


async def held(world: World, headers: dict[str, str], wait: int = 50) -> "asyncio.Task[Any]":
    """A poll that is held now."""
    before = world.gateway.mailroom.waiting
    poll = asyncio.create_task(world.client.get(f"/agent/v1/poll?wait={wait}", headers=headers))
    for _ in range(100):
        await asyncio.sleep(0)
    assert world.gateway.mailroom.waiting == before + 1
    return poll


async def test_a_held_poll_ends_as_soon_as_there_is_mail(world: World, agent: TestAgent) -> None:
    poll = await held(world, await token_of(agent))
    world.gateway.mailroom.wake(agent.id)
    assert (await poll).json() == {"mail": True}
    assert world.gateway.mailroom.waiting == world.gateway.mailroom.with_mail == 0


async def test_a_poll_takes_the_agent_out_and_touches_neither_store_nor_broker(world: World, agent: TestAgent) -> None:
    headers = await token_of(agent)
    world.gateway.mailroom.wake(agent.id)
    world.node.stop()
    world.parts.store.faults.away = True  # type: ignore[attr-defined]
    answers = [(await world.client.get("/agent/v1/poll", headers=headers)).json()["mail"] for _ in range(2)]
    assert answers == [True, False]


async def test_an_empty_poll_ends_after_its_wait(world: World, agent: TestAgent) -> None:
    answer = await world.client.get("/agent/v1/poll?wait=1", headers=await token_of(agent))
    assert answer.json() == {"mail": False}


@pytest.mark.parametrize("how", ["close", "dismiss"])
async def test_held_polls_end_when_the_gateway_stops_or_the_agent_is_revoked(
    world: World, agent: TestAgent, how: str
) -> None:
    poll = await held(world, await token_of(agent))
    if how == "close":
        world.gateway.mailroom.close()
    else:
        world.gateway.mailroom.dismiss(agent.id)
    assert (await poll).json() == {"mail": False}


@pytest.mark.parametrize("token", ["", "x", "v1.a.b.c", "v1..99999999999.", "ä"])
async def test_what_is_no_token_is_no_session(world: World, token: str) -> None:
    headers = {"authorization": f"Bearer {token}".encode()}
    answer = await world.client.get("/agent/v1/poll?wait=50", headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (401, "session_ended")


async def test_a_token_is_bound_to_its_agent_its_time_and_the_secret(world: World, agent: TestAgent) -> None:
    headers = await token_of(agent)
    token = headers["authorization"].removeprefix("Bearer ")
    other = token.replace(agent.id, derived_id(Noun.AGENT, "?"))
    longer = ".".join(f"{int(each) + 60}" if each.isdigit() else each for each in token.split("."))
    for forged in (other, longer, token[:-1] + ("A" if token[-1] != "A" else "B")):
        answer = await world.client.get("/agent/v1/poll", headers={"authorization": f"Bearer {forged}"})
        assert answer.status_code == 401
    await world.clock.advance(599)
    assert (await world.client.get("/agent/v1/poll", headers=headers)).status_code == 200
    await world.clock.advance(1)
    assert (await world.client.get("/agent/v1/poll", headers=headers)).status_code == 401


def test_kinds_of_tasks_are_those_that_the_bell_counts() -> None:
    assert {kind.value for kind in Kind} == {"reset", "verify", "adopt"}  # an adoption counts as a verify
