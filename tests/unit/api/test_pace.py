"""How fast one person may ask: told with each answer, refused beyond it, and nobody else's concern."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.store.users import Role
from services.api.pace import Pace, TooFastError
from tests.unit.api.world import PASSWORD, World, make_world


@pytest.fixture
async def slow(tmp_path: Path) -> AsyncIterator[World]:
    """A server that takes sixty requests of one person in a minute."""
    async with make_world(tmp_path, requests_per_minute=60) as made:
        yield made


async def test_each_answer_tells_what_is_left_and_beyond_it_is_refused(slow: World) -> None:
    await slow.user("ben")
    await slow.user("eve")
    ben, eve = await slow.signed_in("ben"), await slow.signed_in("eve")
    first = await slow.client.get("/v1/resources", headers=ben)
    assert first.headers["ratelimit-policy"] == '"requests";q=60;w=60'
    assert first.headers["ratelimit"] == '"requests";r=59;t=1'
    told = [(await slow.client.get("/v1/resources", headers=ben)).headers["ratelimit"] for _ in range(59)]
    assert [int(re.search(r"r=(\d+)", each)[1]) for each in told] == list(range(58, -1, -1))  # type: ignore[index]  # each has it
    refused = await slow.client.get("/v1/resources", headers=ben)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert "60 requests a minute" in refused.json()["detail"]
    assert refused.headers["ratelimit"] == '"requests";r=0;t=1'
    assert refused.headers["retry-after"] == "1"
    # Nobody else waits for it, and a second later it goes on.
    assert (await slow.client.get("/v1/resources", headers=eve)).status_code == 200
    slow.clock.skip(1)
    assert (await slow.client.get("/v1/resources", headers=ben)).status_code == 200
    assert (await slow.client.get("/v1/resources", headers=ben)).status_code == 429


async def test_sessions_and_access_tokens_of_one_person_share_it(slow: World) -> None:
    await slow.user("ada", Role.ADMINISTRATOR)
    here, elsewhere = await slow.signed_in("ada"), await slow.signed_in("ada")
    body = {"name": "ci", "scopes": ["see"], "days": 7, "password": PASSWORD}
    made = await slow.client.post("/v1/access-tokens", json=body, headers=here)
    token = {"authorization": f"Bearer {made.json()['token']}"}
    for headers in (here, elsewhere) * 29:
        assert (await slow.client.get("/v1/resources", headers=headers)).status_code == 200
    assert (await slow.client.get("/v1/resources", headers=token)).headers["ratelimit"].startswith('"requests";r=0')
    assert (await slow.client.get("/v1/resources", headers=elsewhere)).status_code == 429
    # A change that was refused for this was not done, so the same key may come again.
    key = {**here, "idempotency-key": "one-change-of-mine"}
    assert (await slow.client.post("/v1/groups", json={"name": "g"}, headers=key)).status_code == 429
    slow.clock.skip(60)
    assert (await slow.client.post("/v1/groups", json={"name": "g"}, headers=key)).status_code == 201


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing() -> None:
    now = 1_000_000
    pace = Pace(60, lambda: now)
    for _ in range(60):
        pace.take("ben")
    now -= 600_000
    with pytest.raises(TooFastError):
        pace.take("ben")
    now += 1_000
    assert pace.take("ben").requests == 0


def test_it_fills_no_further_than_to_the_brim_and_remembers_so_many_people() -> None:
    now = 0
    pace = Pace(60, lambda: now)
    pace.take("ben")
    now += 3_600_000
    assert pace.take("ben").requests == 59
    for n in range(10_001):
        pace.take(f"usr_{n}")
    assert len(pace._buckets) == 10_000
