"""Server-sent events: identifiers and revisions, of what the person may see, for as long as they are signed in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from libs.broker.memory.broker import MemoryBroker
from libs.broker.topology import Service
from libs.store.jobs import JobDocument, Jobs, JobState
from libs.store.sessions import Sessions
from libs.store.users import Role, User
from libs.wire.events import AccountChanged, AgentRevoked, AgentWake, Event, ResourceChanged, TaskChanged
from libs.wire.ids import Noun, derived_id
from services.api.access import Caller
from services.api.auth import hashed
from services.api.errors import SlowDownError
from tests.unit.api.world import World

ACCOUNT, TASK = derived_id(Noun.ACCOUNT, "a"), derived_id(Noun.TASK, "t")


async def caller(world: World, user: User) -> Caller:
    token = (await world.signed_in(user.name))["authorization"].removeprefix("Bearer ")
    return Caller(user.id, user.name, user.role, hashed(token), "192.0.2.7", "api")


@asynccontextmanager
async def listening(world: World) -> AsyncIterator[Callable[[Event], "asyncio.Future[None]"]]:
    """The gateway hears notices; what is given is told by the scheduler and has arrived when it returns."""
    broker = MemoryBroker(world.node, Service.SCHEDULER)
    task = asyncio.create_task(world.gateway.notices.listen())
    await rest()

    async def tell(event: Event) -> None:
        await broker.notify(event.envelope(world.clock.now()))
        await rest()

    yield lambda event: asyncio.ensure_future(tell(event))
    task.cancel()
    await asyncio.wait([task])
    await broker.close()


async def rest() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def heard(stream: AsyncIterator[bytes]) -> bytes:
    async with asyncio.timeout(5):
        return await anext(stream)


async def test_each_hears_of_what_they_may_see(world: World) -> None:
    ada, ben, eve = [
        await world.user(name, role)
        for name, role in (("ada", Role.ADMINISTRATOR), ("ben", Role.USER), ("eve", Role.USER))
    ]
    resource, _ = await world.machine(ben)
    streams = {user.name: world.gateway.events.stream(await caller(world, user)) for user in (ada, ben, eve)}
    for stream in streams.values():
        assert await heard(stream) == b"event: again\ndata: {}\n\n"
    changes: list[tuple[Event, set[str], bytes]] = [
        (
            TaskChanged(task=TASK, requester=ben.id, rev=3),
            {"ada", "ben"},
            b'event: task\ndata: {"id":"%s","rev":3}\n\n' % TASK.encode(),
        ),
        (
            AccountChanged(account=ACCOUNT, resource=resource.id, rev=4),
            {"ada", "ben"},
            b'event: account\ndata: {"id":"%s","rev":4}\n\n' % ACCOUNT.encode(),
        ),
        (
            ResourceChanged(resource=resource.id, rev=5),
            {"ada", "ben"},
            b'event: resource\ndata: {"id":"%s","rev":5}\n\n' % resource.id.encode(),
        ),
        (
            TaskChanged(task=TASK, requester=eve.id, rev=6),
            {"ada", "eve"},
            b'event: task\ndata: {"id":"%s","rev":6}\n\n' % TASK.encode(),
        ),
    ]
    async with listening(world) as tell:
        for stream in streams.values():
            assert await heard(stream) == b"event: again\ndata: {}\n\n"  # the gap at which listening begins
        for event, _, _ in changes:
            await tell(event)
    for name, stream in streams.items():
        for _, who, text in changes:
            if name in who:
                assert await heard(stream) == text
    world.gateway.close()
    for stream in streams.values():
        with pytest.raises(StopAsyncIteration):
            await heard(stream)
    assert world.gateway.events.open == 0


async def test_a_reader_that_is_too_slow_is_told_to_read_again(world: World) -> None:
    ada = await world.user("ada", Role.ADMINISTRATOR)
    stream = world.gateway.events.stream(await caller(world, ada))
    await heard(stream)
    for rev in range(300):
        world.gateway.events.tell(TaskChanged(task=TASK, requester=None, rev=rev))
    assert b"event: again\ndata: {}\n\n" in [await heard(stream) for _ in range(2)]


async def test_a_person_has_a_bounded_number_of_streams(world: World) -> None:
    ada = await caller(world, await world.user("ada", Role.ADMINISTRATOR))
    streams = [world.gateway.events.stream(ada) for _ in range(8)]
    for stream in streams:
        await heard(stream)
    with pytest.raises(SlowDownError):
        world.gateway.events.stream(ada)
    world.gateway.close()
    for stream in streams:
        with pytest.raises(StopAsyncIteration):
            await heard(stream)


async def test_a_stream_lives_with_its_session(world: World) -> None:
    ada = await caller(world, await world.user("ada", Role.ADMINISTRATOR))
    world.gateway.events._heartbeat = 0.01
    stream = world.gateway.events.stream(ada)
    assert await heard(stream) == b"event: again\ndata: {}\n\n"
    assert await heard(stream) == b": still here\n\n"
    assert await Sessions(world.admin).end(ada.session)
    async with asyncio.timeout(5):
        assert {each async for each in stream} <= {b": still here\n\n"}


# ---- the mailroom


async def put_job(world: World, agent: str, state: JobState = JobState.WAITING) -> None:
    key = derived_id(Noun.JOB, agent, state)
    job = JobDocument(id=key, task=TASK, account=ACCOUNT, agent=agent, state=state, signed=None, created_at=1)
    assert await Jobs(world.admin).insert(job)


async def test_a_wake_and_each_gap_fill_the_mailroom(world: World) -> None:
    agents = [derived_id(Noun.AGENT, str(n)) for n in range(3)]
    mailroom = world.gateway.mailroom
    await put_job(world, agents[0])
    await put_job(world, agents[1], JobState.FETCHED)
    async with listening(world) as tell:
        assert [mailroom.take(each) for each in agents] == [True, False, False]
        await tell(AgentWake(agent=agents[2]))
        assert [mailroom.take(each) for each in agents] == [False, False, True]
        world.node.restart()
        await rest()
        assert [mailroom.take(each) for each in agents] == [True, False, False]
        held = mailroom.hold(agents[1], 50)
        await tell(AgentRevoked(agent=agents[1]))
        assert await held is False
        mailroom.release(agents[1], held, heard=True)


async def test_the_sweep_makes_up_for_a_lost_wake(world: World) -> None:
    agent = derived_id(Noun.AGENT, "x")
    sweep = asyncio.create_task(world.gateway.notices.sweep())
    await put_job(world, agent)
    await world.clock.advance(14)
    assert not world.gateway.mailroom.take(agent)
    world.parts.store.faults.away = True  # type: ignore[attr-defined]
    await world.clock.advance(15)
    assert not world.gateway.mailroom.take(agent)
    world.parts.store.faults.away = False  # type: ignore[attr-defined]
    await world.clock.advance(15)
    assert world.gateway.mailroom.take(agent)
    sweep.cancel()
    await asyncio.wait([sweep])


async def test_mail_that_a_poll_did_not_hear_of_goes_to_the_next(world: World) -> None:
    mailroom, agent = world.gateway.mailroom, derived_id(Noun.AGENT, "x")
    first, second = mailroom.hold(agent, 50), mailroom.hold(agent, 50)
    mailroom.wake(agent)
    assert first.result() is True
    assert not second.done()
    mailroom.release(agent, first, heard=False)
    assert second.result() is True
    mailroom.release(agent, second, heard=False)
    assert mailroom.take(agent)
    assert mailroom.waiting == 0
