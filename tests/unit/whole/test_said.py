"""What kept a machine from its server is told at the next contact, and people see it with its remedy."""

import asyncio
from collections.abc import Callable

import httpx

from agent.failures import Failures
from libs.store.presence import SaidTrouble
from libs.wire.agent_api import Said, SessionRequest
from libs.wire.troubles import WORDS, Trouble
from services.api.agent_door.said import KEPT, KEPT_MS, kept
from tests.unit.whole.test_tokens import managed
from tests.unit.whole.world import Whole


class Away(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused", request=request)


async def comes(holds: Callable[[], bool]) -> None:
    for _ in range(6_000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come")


async def test_an_agent_without_contact_tells_it_later(system: Whole) -> None:
    machine, _ = await managed(system)
    await machine.stop()
    machine.start(Away())
    await comes(lambda: bool(Failures(machine.folder).untold))
    await machine.stop()
    assert (await system.person.get("/v1/agents")).json()["items"][0]["said"] == []
    machine.start()
    seen = await system.until("the telling", "/v1/agents", lambda s: s["items"][0]["said"])
    (said,) = seen["items"][0]["said"]
    assert said["code"] == "no_contact"
    assert "Connection refused" in said["sentence"]
    assert said["remedy"] == WORDS[Trouble.NO_CONTACT].remedy
    await comes(lambda: not Failures(machine.folder).untold)
    await machine.stop()


def asked(now: int, *said: Said, ahead: int = 0) -> SessionRequest:
    return SessionRequest(
        agent=f"agt_{'a' * 26}", agent_version="", boot=1, sequence=0, digest="0" * 64, clock=now + ahead, said=said
    )


def test_moments_are_the_servers_and_what_is_old_or_too_much_goes() -> None:
    now, hour = 10**12, 3_600_000
    first = Said(code="no_contact", sentence="a", first_at=now, last_at=now + hour, times=3)
    after = kept((), asked(now, first, ahead=hour), now)
    assert after == (SaidTrouble(code="no_contact", sentence="a", first_at=now - hour, last_at=now, times=3),)
    again = Said(code="no_contact", sentence="b", first_at=now + hour, last_at=now + 9 * hour)
    (merged,) = kept(after, asked(now + hour, again), now + hour)
    assert (merged.sentence, merged.first_at, merged.last_at, merged.times) == ("b", now - hour, now + hour, 4)
    assert kept(after, asked(now + KEPT_MS), now + KEPT_MS) == ()
    many = tuple(SaidTrouble(code=f"c{n}", sentence="", first_at=now, last_at=now + n, times=1) for n in range(40))
    assert [each.code for each in kept(many, asked(now), now)] == [f"c{n}" for n in range(39, 39 - KEPT, -1)]
