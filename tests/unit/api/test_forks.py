"""The door hears runs: what each request is answered, and what the scheduler is told."""

import asyncio

import httpx

from libs.domain.forks import MARGIN
from libs.store.requests import Requests
from libs.store.runs import RunsDocument, RunsDocuments
from libs.wire.agent_api import FetchRequest, Run, SessionRequest
from libs.wire.observations import digest
from libs.wire.requests import ForkContent, Request
from libs.wire.sign import Prefix, verify
from tests.unit.api.test_agent_door import observed, put_job
from tests.unit.api.world import TestAgent, World

ONE, TWO = "1" * 32, "2" * 32


def run(name: str, count: int) -> Run:
    return Run(id=name, boot=3, count=count, host_name=f"host-{name[0]}")


async def session(agent: TestAgent, said: Run | None) -> httpx.Response:
    body = SessionRequest(agent=agent.id, agent_version="1.0", boot=3, sequence=0, digest=digest(()), run=said)
    return await agent.post("/agent/v1/session", body)


async def fetch(agent: TestAgent, said: Run | None) -> httpx.Response:
    return await agent.post("/agent/v1/fetch", FetchRequest(agent=agent.id, run=said))


async def forked(world: World, agent: TestAgent) -> httpx.Response:
    """What the first run is answered, once a second one has followed it and gone on."""
    for said in (run(ONE, 1), run(TWO, 1)):
        assert (await session(agent, said)).status_code == 200
    assert (await fetch(agent, run(TWO, 2))).status_code == 200
    await world.clock.advance(2 * MARGIN / 1000)
    return await fetch(agent, run(ONE, 2))


async def runs_of(world: World, agent: TestAgent) -> RunsDocument:
    found = await RunsDocuments(world.admin).get(agent.id)
    assert found is not None
    return found


async def test_a_fork_is_told_once_with_both_machines_and_both_are_refused(world: World, agent: TestAgent) -> None:
    answer = await forked(world, agent)
    assert (answer.status_code, answer.json()["code"]) == (403, "agent_quarantined")
    found = await runs_of(world, agent)
    assert found.fork is not None
    document = await Requests(world.admin).get(found.fork)
    assert document is not None
    told = Request.model_validate_json(verify(document.signed, Prefix.REQUEST, world.keys.request.public_key()))
    assert isinstance(told.content, ForkContent)
    assert {each.host_name for each in told.content.sides} == {"host-1", "host-2"}
    assert told.person is None
    for said in (run(ONE, 3), run(TWO, 3), run("3" * 32, 1), None):
        refused = await session(agent, said)
        assert (refused.status_code, refused.json()["code"]) == (403, "agent_quarantined")
    assert {each.run[0] for each in (await runs_of(world, agent)).sides} == {"1", "2", "3"}  # people see every one


async def test_a_choice_is_asked_for_by_a_run_that_was_heard(
    world: World, people: dict[str, dict[str, str]], agent: TestAgent
) -> None:
    path = f"/v1/agents/{agent.id}/choose"
    body = {"run": ONE, "reason": "rack 7"}
    early = await world.client.post(path, json=body, headers=people["ada"])
    assert (early.status_code, early.json()["code"]) == (409, "not_quarantined")
    await forked(world, agent)
    answer = await world.client.post(path, json=body, headers=people["ada"])
    assert (answer.status_code, answer.json()["state"], len(answer.json()["machines"])) == (200, "quarantined", 2)
    wrong = await world.client.post(path, json=body | {"run": "9" * 32}, headers=people["ada"])
    assert wrong.status_code == 404


async def test_mail_is_held_while_it_is_not_known_whether_an_older_run_goes_on(world: World, agent: TestAgent) -> None:
    await put_job(world, agent)
    for said in (run(ONE, 1), run(TWO, 1)):
        assert (await session(agent, said)).status_code == 200
    late = await fetch(agent, run(ONE, 2))
    assert (late.status_code, late.json()["code"]) == (403, "request_late")
    assert (await fetch(agent, run(TWO, 2))).json() == {"jobs": []}
    _, message = observed(agent, ())
    told = await agent.post("/agent/v1/observe", message.model_copy(update={"run": run(TWO, 3)}))
    assert told.status_code == 200
    await world.clock.advance(3 * MARGIN / 1000)
    assert (await session(agent, run(TWO, 4))).json()["observe"]  # it may not have been believed
    assert len((await fetch(agent, run(TWO, 5))).json()["jobs"]) == 1


async def test_a_count_that_comes_twice_begins_another_run(agent: TestAgent) -> None:
    assert (await session(agent, run(ONE, 5))).status_code == 200
    again = await fetch(agent, run(ONE, 5))
    assert (again.status_code, again.json()["code"]) == (403, "run_over")
    assert (await session(agent, run(TWO, 1))).status_code == 200


async def test_an_agent_of_an_earlier_release_says_no_run_and_is_served(world: World, agent: TestAgent) -> None:
    for _ in range(2):
        assert (await session(agent, None)).status_code == 200
    assert (await fetch(agent, None)).status_code == 200
    assert await RunsDocuments(world.admin).get(agent.id) is None


async def test_the_poll_of_an_older_session_ends_when_another_one_is_opened(world: World, agent: TestAgent) -> None:
    async def poll(token: str, wait: int) -> int:
        headers = {"authorization": f"Bearer {token}"}
        return (await world.client.get("/agent/v1/poll", params={"wait": wait}, headers=headers)).status_code

    first = (await session(agent, run(ONE, 1))).json()["token"]
    polling = asyncio.ensure_future(poll(first, 50))
    while not world.gateway.mailroom.waiting:  # noqa: ASYNC110 - the mailroom rings no bell for a test
        await asyncio.sleep(0)
    await world.clock.advance(1)
    second = (await session(agent, run(TWO, 1))).json()["token"]
    assert await polling == 401
    assert (await poll(first, 0), await poll(second, 0)) == (401, 200)
