"""The second factor: begun, asked for, counted once, never plain in the store, and wanted of everybody by a setting."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from libs.store.factors import SecondFactors
from libs.store.users import Role, Users
from services.api.factors.codes import FactorKeys, code_at
from tests.unit.api.pages.browser import Browser, forms
from tests.unit.api.world import PASSWORD, World, make_world

NEW = "another-long-password"


@pytest.fixture
async def wanting(tmp_path: Path) -> AsyncIterator[World]:
    """A server that wants everybody to have one."""
    async with make_world(tmp_path, second_factor=True) as made:
        yield made


def raw(secret: str) -> bytes:
    return base64.b32decode(secret + "=" * (-len(secret) % 8))


async def begin(world: World, headers: dict[str, str]) -> tuple[bytes, list[str]]:
    """A confirmed second factor: its secret, and the recovery codes."""
    begun = await world.client.post("/v1/second-factor", json={"password": PASSWORD}, headers=headers)
    assert begun.status_code == 201, begun.text
    secret = raw(begun.json()["secret"])
    code = code_at(secret, world.clock.now())
    confirmed = await world.client.post("/v1/second-factor/confirm", json={"code": code}, headers=headers)
    assert confirmed.status_code == 200, confirmed.text
    return secret, confirmed.json()["recovery_codes"]


async def enter(world: World, name: str, code: str | None = None, password: str = PASSWORD) -> httpx.Response:
    body = {"name": name, "password": password, **({} if code is None else {"code": code})}
    return await world.client.post("/v1/sessions", json=body)


def later(world: World, secret: bytes, seconds: int = 30) -> str:
    """The code of a later period."""
    world.clock.skip(seconds)
    return code_at(secret, world.clock.now())


async def test_a_code_is_asked_for_and_counts_once(world: World) -> None:
    ben = await world.user("ben")
    headers, elsewhere = await world.signed_in("ben"), await world.signed_in("ben")
    secret, codes = await begin(world, headers)
    assert len(set(codes)) == 10
    assert (await world.client.get("/v1/sessions/current", headers=elsewhere)).status_code == 401
    shown = (await world.client.get("/v1/second-factor", headers=headers)).json()
    assert (shown["on"], shown["recovery_left"], shown["required"]) == (True, 10, False)
    used = code_at(secret, world.clock.now())
    assert (await enter(world, "ben")).json()["code"] == "code_needed"
    assert (await enter(world, "ben", used)).json()["code"] == "wrong_code"  # it confirmed the factor
    fresh = later(world, secret)
    assert (await enter(world, "ben", fresh)).status_code == 201
    assert (await enter(world, "ben", fresh)).json()["code"] == "wrong_code"
    assert (await enter(world, "ben", f"{codes[0].upper()}")).status_code == 201
    assert (await enter(world, "ben", codes[0])).json()["code"] == "wrong_code"
    assert (await enter(world, "ben", code_at(secret, world.clock.now() - 300_000))).json()["code"] == "wrong_code"
    assert (await enter(world, "ben", later(world, secret), password="wrong-password")).json()[
        "code"
    ] == "wrong_sign_in"
    # Neither the secret nor a recovery code stands in the store.
    kept = world.documents()
    assert repr(secret)[2:-1] not in kept
    assert base64.b32encode(secret).decode() not in kept
    assert not any(each in kept or each.replace("-", "") in kept for each in codes)
    assert ben.password_hash in kept


async def test_wrong_codes_are_counted_by_person_and_only_after_the_right_password(world: World) -> None:
    await world.user("ben")
    secret, _ = await begin(world, await world.signed_in("ben"))
    for _ in range(5):
        assert (await enter(world, "ben", "000000")).json()["code"] == "wrong_code"
    slowed = await enter(world, "ben", later(world, secret, 0))
    assert (slowed.status_code, slowed.json()["code"]) == (429, "slow_down")
    assert (await enter(world, "ben", later(world, secret, 120))).status_code == 201
    # Somebody without the password slows nobody down at the code.
    for _ in range(3):
        assert (await enter(world, "ben", "000000", password="wrong-password")).json()["code"] == "wrong_sign_in"
    assert (await enter(world, "ben", later(world, secret))).status_code == 201


async def test_it_is_begun_and_ended_by_who_says_again_who_they_are(world: World) -> None:
    await world.user("ben")
    headers = await world.signed_in("ben")
    wrong = await world.client.post("/v1/second-factor", json={"password": "wrong-password"}, headers=headers)
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "password")
    none = await world.client.post("/v1/second-factor/confirm", json={"code": "000000"}, headers=headers)
    assert (none.status_code, none.json()["code"]) == (409, "second_factor_not_begun")
    secret, _ = await begin(world, headers)
    ask = {"password": PASSWORD}
    for path in ("/v1/second-factor", "/v1/second-factor/remove"):
        missing = await world.client.post(path, json=ask, headers=headers)
        assert (missing.status_code, missing.json()["errors"][0]["field"]) == (422, "code")
    code = later(world, secret)
    ended = await world.client.post("/v1/second-factor/remove", json=ask | {"code": code}, headers=headers)
    assert ended.status_code == 204
    assert (await enter(world, "ben")).status_code == 201


async def test_an_administrator_ends_that_of_who_lost_it(world: World) -> None:
    ada, ben = await world.user("ada", Role.ADMINISTRATOR), await world.user("ben")
    admin, bens = await world.signed_in("ada"), await world.signed_in("ben")
    await begin(world, bens)
    path = f"/v1/users/{ben.id}/second-factor"
    assert (await world.client.delete(path, headers=bens)).status_code == 403
    assert (await world.client.delete(path, headers=admin)).status_code == 204
    assert (await world.client.get("/v1/sessions/current", headers=bens)).status_code == 401
    assert (await enter(world, "ben")).status_code == 201
    mine = await world.client.delete(f"/v1/users/{ada.id}/second-factor", headers=admin)
    assert (mine.status_code, mine.json()["code"]) == (409, "not_yourself")


async def test_a_secret_opens_for_its_person_under_both_keys_of_a_roll_over(world: World) -> None:
    old, new = b"o" * 32, b"n" * 32
    sealed = FactorKeys((old,)).seal(b"s" * 20, "usr_a")
    assert FactorKeys((old,)).open(sealed, "usr_b") is None
    assert FactorKeys((new,)).open(sealed, "usr_a") is None
    opened = FactorKeys((new, old)).open(sealed, "usr_a")
    assert opened is not None
    assert (opened.secret, opened.current) == (b"s" * 20, False)
    # The next code that is right seals it to the key in use.
    ben = await world.user("ben")
    secret, _ = await begin(world, await world.signed_in("ben"))
    factors = SecondFactors(world.admin)
    before = await factors.get(ben.id)
    assert before is not None
    stale = FactorKeys((old,)).seal(secret, ben.id)
    assert await factors.save(before, replace(before, sealed=stale, rev=before.rev + 1))
    assert (await enter(world, "ben", later(world, secret))).json()["code"] == "wrong_code"


async def test_a_server_that_wants_one_lets_nobody_on_without_it(wanting: World) -> None:
    await wanting.user("ben")
    headers = await wanting.signed_in("ben")
    for path in ("/v1/resources", "/v1/notifications"):
        refused = await wanting.client.get(path, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
    assert (await wanting.client.get("/v1/sessions/current", headers=headers)).status_code == 200
    secret, _ = await begin(wanting, headers)
    assert (await wanting.client.get("/v1/resources", headers=headers)).status_code == 200
    code = later(wanting, secret)
    kept = await wanting.client.post(
        "/v1/second-factor/remove", json={"password": PASSWORD, "code": code}, headers=headers
    )
    assert (kept.status_code, kept.json()["code"]) == (409, "second_factor_required")


async def test_a_browser_is_led_to_it_reads_a_qr_code_and_types_its_code(wanting: World) -> None:
    await wanting.user("ben")
    ben = await Browser(wanting).sign_in("ben")
    led = await ben.get("/resources")
    assert (led.status_code, led.headers["location"]) == (303, "/me/second-factor")
    wrong = await ben.fill("/me/second-factor", password="canary-not-bens")
    assert (wrong.status_code, "canary" in wrong.text) == (422, False)
    begun = await ben.fill("/me/second-factor", password=PASSWORD)
    assert "<svg" in begun.text
    assert "style=" not in begun.text
    secret = raw(begun.text.partition("Or type it in: <code>")[2].partition("<")[0])
    confirm = "/me/second-factor/confirm"
    token = forms(begun)[confirm]["form"]
    again = await ben.send(confirm, {"form": token, "code": "000000"})
    assert (again.status_code, "not the code that the app shows" in again.text, "<svg" in again.text) == (
        422,
        True,
        True,
    )
    good = await ben.send(confirm, {"form": token, "code": code_at(secret, wanting.clock.now())})
    assert good.text.count("<li>") >= 10
    assert (await ben.get("/resources")).status_code == 200
    # The next sign-in has a second step, and a lost or stale one begins anew.
    other = Browser(wanting)
    asked = await other.fill("/sign-in", name="ben", password=PASSWORD)
    fields = forms(asked)["/sign-in/code"]
    assert (asked.status_code, PASSWORD in asked.text, other.signed_in) == (200, False, False)
    refused = await other.send("/sign-in/code", {**fields, "code": "000000"})
    assert (refused.status_code, "This code is not right" in refused.text) == (401, True)
    lost = await other.send("/sign-in/code", {**fields, "ticket": "x" + fields["ticket"], "code": "000000"})
    assert lost.headers["location"].startswith("/sign-in?next=")
    entered = await other.send("/sign-in/code", {**fields, "code": later(wanting, secret)})
    assert (entered.headers["location"], other.signed_in) == ("/resources", True)
    wanting.clock.skip(600)
    past = await Browser(wanting).send("/sign-in/code", {**fields, "code": later(wanting, secret)})
    assert past.headers["location"].startswith("/sign-in?next=")


async def test_a_changed_password_ends_the_step_that_the_old_one_began(world: World) -> None:
    ben = await world.user("ben")
    secret, _ = await begin(world, await world.signed_in("ben"))
    asked = await Browser(world).fill("/sign-in", name="ben", password=PASSWORD)
    stored = await Users(world.admin).get(ben.id)
    assert stored is not None
    assert await Users(world.admin).rehash(stored, "another")
    fields = forms(asked)["/sign-in/code"]
    late = await Browser(world).send("/sign-in/code", {**fields, "code": later(world, secret)})
    assert late.headers["location"].startswith("/sign-in?next=")


async def test_a_reveal_asks_for_the_code_too(world: World) -> None:
    ben = await world.user("ben")
    browser = await Browser(world).sign_in("ben")
    account = await world.account((await world.machine(ben))[0])
    assert 'name="code"' not in (await browser.get(f"/accounts/{account.id}/reveal")).text
    begun = await browser.fill("/me/second-factor", password=PASSWORD)
    secret = raw(begun.text.partition("Or type it in: <code>")[2].partition("<")[0])
    token = forms(begun)["/me/second-factor/confirm"]["form"]
    await browser.send("/me/second-factor/confirm", {"form": token, "code": code_at(secret, world.clock.now())})
    form = f"/accounts/{account.id}/reveal"
    refused = await browser.fill(form, reason="x", password=PASSWORD)
    assert (refused.status_code, "Type the code of your second factor" in refused.text) == (422, True)
    world.node.stop()
    asked = await browser.fill(form, reason="x", password=PASSWORD, code=later(world, secret))
    assert asked.status_code == 503
    assert (
        await browser.fill("/me/password", own=PASSWORD, password=NEW, code=later(world, secret))
    ).status_code == 303
