"""Passwords that would be guessed: refused for a person's own, and judged without a word of them getting out."""

import asyncio
import io
import random
import string
import threading
from collections.abc import AsyncIterator

import pytest

from libs.store.users import Users
from libs.telemetry import logging
from libs.wire.secret import Secret
from services.api.errors import AwayError
from services.api.guessing import _SIGNS, Guessing, JudgingError, _judged
from services.api.sessions.hashing import GUESSABLE
from tests.unit.api.test_setup import code_of, try_code
from tests.unit.api.world import PASSWORD, World

COMMON = (
    *("123456789012", "1q2w3e4r5t6y", "qwertyuiop123", "passwordpassword", "Password1234!", "P@ssw0rd1234567890!"),
    *("iloveyou1234567", "trustno1trustno1", "unbelievable", "Manchester United", "Winter is coming", "Summer2026!!"),
    *("Sommerurlaub1", "abcdefghijklmnop", "zyxwvutsrqponm", "aaaaaaaaaaaa", "14071989-14071989", "Canary-canary"),
)
FINE = (
    *(PASSWORD, "a first pass phrase for anna", "correct horse battery staple", "kept hare amber oven"),
    *("jG7$kq2!mZ9x", "Kf7m-R0q e+Vt", "схоже на довге речення", "Schlüssel-zum-Turm"),
)


@pytest.fixture
async def guessing() -> AsyncIterator[Guessing]:
    made = Guessing()
    yield made
    made.close()


@pytest.mark.parametrize("text", COMMON)
async def test_what_leaked_often_and_what_is_made_of_it_would_be_guessed(guessing: Guessing, text: str) -> None:
    assert len(text) >= 12
    assert await guessing.guessable(Secret(text), "anna")


@pytest.mark.parametrize("text", FINE)
async def test_words_that_do_not_belong_together_and_random_characters_would_not(guessing: Guessing, text: str) -> None:
    assert not await guessing.guessable(Secret(text), "anna")


@pytest.mark.parametrize("text", ["Okonkwolarsen-1", "0k0nkw0-l4rs3n", "larsen-okonkwo", "keyturnkeyturn"])
async def test_a_name_that_stands_beside_it_is_guessed_first(guessing: Guessing, text: str) -> None:
    assert await guessing.guessable(Secret(text), "okonkwo.larsen@dmz")


async def test_a_name_counts_for_its_own_password_alone(guessing: Guessing) -> None:
    """The library keeps the names of one call for the next."""
    assert await guessing.guessable(Secret("Okonkwo-larsen-1"), "okonkwo-larsen")
    assert not await guessing.guessable(Secret("Okonkwo-larsen-1"), "ben")


@pytest.mark.parametrize("more", [1, 57, 440])
async def test_a_long_one_is_judged_by_its_beginning(guessing: Guessing, more: int) -> None:
    assert await guessing.guessable(Secret("a" * 71 + "b" * more))
    assert not await guessing.guessable(Secret(PASSWORD * 4 + "b" * more))


@pytest.mark.parametrize("length", [12, 72, 128, 511])
def test_what_would_take_seconds_is_judged_by_its_beginning(length: int) -> None:
    """72 characters with all the signs that stand for letters took two seconds."""
    chosen = random.Random(length)  # noqa: S311 - examples that are the same each time
    signs = "".join(sorted(_SIGNS)) + "".join(chosen.choices(sorted(_SIGNS), k=length))
    assert len(_judged(signs[:length])) == min(length, 18)
    few = "".join(chosen.choices("4@8({[" + string.ascii_lowercase, k=length))
    assert len(_judged(few)) == min(length, 72)


async def test_one_is_judged_at_a_time_beside_the_event_loop(guessing: Guessing) -> None:
    gate = threading.Event()
    before = guessing._thread.submit(gate.wait)
    judged = [asyncio.create_task(guessing.guessable(Secret(text))) for text in ("aaaaaaaaaaaa", PASSWORD)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert [each.done() for each in judged] == [False, False]
    gate.set()
    assert await asyncio.gather(*judged) == [True, False]
    assert before.done()


async def test_a_gateway_that_stops_says_so(guessing: Guessing) -> None:
    """Whoever asked at that moment may ask again, and is not told of a fault."""
    gate = threading.Event()
    guessing._thread.submit(gate.wait)
    waiting, left = (asyncio.create_task(guessing.guessable(Secret(PASSWORD))) for _ in range(2))
    await asyncio.sleep(0)
    left.cancel()
    guessing.close()
    gate.set()
    with pytest.raises(AwayError, match="stopping"):
        await waiting
    with pytest.raises(asyncio.CancelledError):
        await left
    with pytest.raises(AwayError, match="stopping"):
        await guessing.guessable(Secret(PASSWORD))


async def test_what_fails_in_the_library_tells_nothing_of_the_password(guessing: Guessing) -> None:
    """The text of such an error may hold a piece of the password, and it would stand in a log."""
    with pytest.raises(JudgingError) as failed:
        await guessing.guessable(Secret(b"canary\xff"))
    assert "canary" not in str(failed.value)
    assert failed.value.__context__ is None
    assert failed.value.__cause__ is None


@pytest.mark.parametrize("typed", ["Canary-canary", "zoe-zoe-zoe-zoe", "Keyturn-2026!"])
async def test_nobody_takes_a_password_that_would_be_guessed(world: World, typed: str) -> None:
    log = io.StringIO()
    logging.set_up("gateway", "debug", log)
    answers = [await try_code(world, await code_of(world), name="zoe", password=typed)]
    await world.user("zoe")
    ada = await world.client.post("/v1/setup", json={"code": "a" * 26, "name": "ada", "password": PASSWORD})
    assert ada.json()["code"] == "setup_done"
    headers = await world.signed_in("zoe")
    changed = {"own": PASSWORD, "password": typed}
    answers.append(await world.client.post("/v1/sessions/password", json=changed, headers=headers))
    for answer in answers:
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, "password_guessable")
        assert problem["errors"] == [{"field": "password", "problem": GUESSABLE}]
        assert typed not in answer.text
    assert await world.signed_in("zoe")
    assert typed not in log.getvalue() + world.documents()


async def test_a_server_that_is_set_up_judges_no_strangers_password(world: World) -> None:
    await world.user("ben")
    assert (await try_code(world, "a" * 26, password="aaaaaaaaaaaa")).json()["code"] == "setup_done"


async def test_a_reset_waits_for_no_list_that_has_a_fault(
    world: World, people: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(_: Guessing, password: Secret, *_names: str) -> bool:
        assert password.reveal() == b"set-all-the-same"
        raise JudgingError("KeyError")

    monkeypatch.setattr(Guessing, "guessable", fails)
    ben = await Users(world.admin).named("ben")
    assert ben is not None
    account = await world.account((await world.machine(ben))[0])
    body = {"password": "set-all-the-same"}
    asked = await world.client.post(f"/v1/accounts/{account.id}/reset", json=body, headers=people["ben"])
    assert (asked.status_code, asked.json()["warnings"]) == (202, [])
    assert "KeyError" in caplog.text
    assert "set-all-the-same" not in caplog.text
