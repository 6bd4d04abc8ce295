"""A form that changes who may do what, sent long after signing in: it waits, and then goes on as it was."""

from libs.store.resources import Resource
from libs.store.users import User
from tests.unit.api.pages.browser import Browser, forms
from tests.unit.api.test_second_factor import later, raw
from tests.unit.api.world import PASSWORD, World

_LONG = 5 * 60


async def test_a_share_waits_for_its_person_and_is_then_made_as_it_was_typed(
    world: World, browsers: dict[str, Browser], machine: Resource
) -> None:
    ben, eve, form = browsers["ben"], browsers["eve"], f"/resources/{machine.id}/sharing/new"
    world.clock.skip(_LONG)
    waits = await ben.fill(form, **{"with": "eve", "level": "see"})
    assert (waits.status_code, "Say again who you are" in waits.text) == (401, True)
    assert "www-authenticate" not in waits.headers  # a browser would ask in a window of its own
    assert (await eve.get(f"/resources/{machine.id}")).status_code == 404
    wrong = await ben.send(form, {**forms(waits)[form], "again": "canary-not-bens"})
    assert (wrong.status_code, "This is not your password." in wrong.text) == (401, True)
    assert "canary" not in wrong.text
    assert forms(wrong)[form]["with"] == "eve"
    done = await ben.send(form, {**forms(wrong)[form], "again": PASSWORD})
    assert (done.status_code, done.headers["location"]) == (303, f"/resources/{machine.id}/sharing")
    assert (await eve.get(f"/resources/{machine.id}")).status_code == 200


async def test_what_is_wrong_with_the_form_itself_is_said_after_that(
    world: World, browsers: dict[str, Browser], machine: Resource
) -> None:
    ben, form = browsers["ben"], f"/resources/{machine.id}/sharing/new"
    world.clock.skip(_LONG)
    waits = await ben.fill(form, **{"with": "ben", "level": "see"})
    said = await ben.send(form, {**forms(waits)[form], "again": PASSWORD})
    assert (said.status_code, "ben owns dmz-web-01 already." in said.text) == (409, True)


async def test_a_button_waits_too_with_the_code_of_a_second_factor(
    world: World, browsers: dict[str, Browser], users: dict[str, User]
) -> None:
    ada, end = browsers["ada"], f"/people/{users['eve'].id}/second-factor/end"
    begun = await ada.fill("/me/second-factor", password=PASSWORD)
    secret = raw(begun.text.partition("Or type it in: <code>")[2].partition("<")[0])
    await ada.send(
        "/me/second-factor/confirm", forms(begun)["/me/second-factor/confirm"] | {"code": later(world, secret)}
    )
    world.clock.skip(_LONG)
    waits = await ada.send(
        end,
        {"form": forms(await ada.get("/me/password"))["/me/password"]["form"]},
        referer=f"https://keyturn.example/people/{users['eve'].id}/change?x=1",
    )
    assert waits.status_code == 401
    assert f'href="/people/{users["eve"].id}/change"' in waits.text  # the way back
    missing = await ada.send(end, forms(waits)[end] | {"again": PASSWORD})
    assert (missing.status_code, "Type the code of your second factor" in missing.text) == (401, True)
    done = await ada.send(end, forms(missing)[end] | {"again": PASSWORD, "again_code": later(world, secret)})
    assert (done.status_code, done.headers["location"]) == (303, "/people")


async def test_it_never_carries_what_could_be_secret(
    world: World, browsers: dict[str, Browser], machine: Resource
) -> None:
    ben, form = browsers["ben"], f"/resources/{machine.id}/owner"
    world.clock.skip(_LONG)
    waits = await ben.fill(form, user_name="eve", password="canary-1", own="canary-2", once="canary-3", x="canary-4")
    assert waits.status_code == 401
    assert "canary" not in waits.text
    assert forms(waits)[form]["user_name"] == "eve"
