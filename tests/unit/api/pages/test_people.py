"""People, one's own sessions and password, and what the server says of itself."""

import tomllib

import pytest

from libs.store.users import Role, User, Users
from services.api.about.libraries import NAMES, libraries
from tests.unit.api.pages.browser import SESSION, Browser, forms
from tests.unit.api.world import PASSWORD, World
from tests.unit.house.tree import ROOT

NEW = "another-long-password"


async def test_an_administrator_adds_a_person_who_signs_in(world: World, browsers: dict[str, Browser]) -> None:
    answer = await browsers["ada"].fill(
        "/people/new", name="zoe", role="administrator", password="canary-first-password", own=PASSWORD
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/people")
    text = (await browsers["ada"].get("/people")).text
    assert "zoe" in text
    assert "canary" not in text
    zoe = await Users(world.admin).named("zoe")
    assert zoe is not None
    assert zoe.role is Role.ADMINISTRATOR
    entered = await Browser(world).fill("/sign-in", name="zoe", password="canary-first-password")
    assert entered.status_code == 303


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ({"own": "canary-not-adas"}, 422, "This is not your password."),
        ({"name": "Zoe L"}, 422, "A user name is 1 to 64"),
        ({"password": "canary"}, 422, "12 to 128 characters; this has 6"),
        ({"password": "Canary-canary"}, 422, "This password would be guessed"),
        ({"role": "emperor"}, 422, "Choose one of the roles."),
        ({"name": "ben"}, 409, "There is a user named ben already."),
    ],
)
async def test_what_is_wrong_with_a_new_person_is_said_and_nobody_is_added(
    world: World, browsers: dict[str, Browser], typed: dict[str, str], status: int, said: str
) -> None:
    given = {"name": "zoe", "role": "user", "password": NEW, "own": PASSWORD, **typed}
    answer = await browsers["ada"].fill("/people/new", **given)
    assert (answer.status_code, said in answer.text) == (status, True)
    assert forms(answer)["/people/new"]["name"] == given["name"]
    assert "canary" not in answer.text
    assert await Users(world.admin).named("zoe") is None


async def test_a_session_is_seen_and_ended_from_another(world: World, browsers: dict[str, Browser]) -> None:
    ben, elsewhere = browsers["ben"], await Browser(world).sign_in("ben")
    text = (await ben.get("/me")).text
    assert text.count("Browser") == 2
    assert text.count("this one") == 1
    assert elsewhere.client.cookies[SESSION] not in text
    (end,) = [each for each in forms(await ben.get("/me")) if each.startswith("/me/sessions/")]
    assert (await browsers["eve"].fill("/me", "/sign-out")).status_code == 303
    assert (await ben.fill("/me", end)).headers["location"] == "/me"
    assert (await elsewhere.get("/me")).status_code == 303
    assert (await ben.get("/me")).status_code == 200


async def test_nobody_ends_somebody_elses_session(browsers: dict[str, Browser], world: World) -> None:
    elsewhere = await Browser(world).sign_in("ben")
    (end,) = [each for each in forms(await browsers["ben"].get("/me")) if each.startswith("/me/sessions/")]
    token = forms(await browsers["ada"].get("/me"))["/sign-out"]["form"]
    assert (await browsers["ada"].send(end, {"form": token})).status_code == 404
    assert (await elsewhere.get("/me")).status_code == 200


async def test_a_changed_password_signs_out_everywhere_else(
    world: World, browsers: dict[str, Browser], users: dict[str, User]
) -> None:
    ben, elsewhere = browsers["ben"], await Browser(world).sign_in("ben")
    before = ben.client.cookies[SESSION]
    answer = await ben.fill("/me/password", own=PASSWORD, password=NEW)
    assert answer.headers["location"] == "/me?changed=true"
    assert ben.client.cookies[SESSION] != before
    assert "You were signed out everywhere else." in (await ben.get("/me?changed=true")).text
    assert (await elsewhere.get("/me")).status_code == 303
    old = Browser(world)
    old.client.cookies.set(SESSION, before)
    assert (await old.get("/me")).status_code == 303
    assert (await Browser(world).fill("/sign-in", name="ben", password=PASSWORD)).status_code == 401
    assert (await Browser(world).fill("/sign-in", name="ben", password=NEW)).status_code == 303
    assert NEW not in world.documents()
    kept = await Users(world.admin).get(users["ben"].id)
    assert kept is not None
    assert kept.rev == users["ben"].rev + 1


@pytest.mark.parametrize(
    ("own", "new", "said"),
    [
        ("not-bens-password", NEW, "This is not your password."),
        (PASSWORD, "short", "12 to 128 characters; this has 5"),
        (PASSWORD, "benbenben-2026", "This password would be guessed"),
    ],
)
async def test_a_password_is_changed_by_who_knows_the_old_one(
    world: World, browsers: dict[str, Browser], own: str, new: str, said: str
) -> None:
    answer = await browsers["ben"].fill("/me/password", own=own, password=new)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert (await Browser(world).fill("/sign-in", name="ben", password=PASSWORD)).status_code == 303


async def test_about_says_what_answers_and_whose_work_is_in_it(browsers: dict[str, Browser]) -> None:
    text = (await browsers["ben"].get("/admin/about")).text
    assert "Apache License 2.0" in text
    assert "Connected" in text
    assert "fastapi" in text


def test_every_library_of_the_gateway_is_named_with_its_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    pinned = [*project["dependencies"], *extras["service"], *extras["gateway"]]
    assert set(NAMES) == {each.partition("==")[0] for each in pinned if "==" in each}
    assert [each.licence for each in libraries() if each.licence == "see its package"] == []
