"""A person without scripts: from set-up to a reset that is shown proven, and what a form keeps and says."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.backends.ports import FoundAccount
from libs.domain.accounts import Account
from libs.domain.state import Kind, Rotation, Status
from libs.store.accounts import Accounts
from libs.store.resources import Resource
from libs.store.tasks import Task, Tasks, TaskState
from libs.store.users import User
from libs.wire import observations
from libs.wire.ids import Noun, new_id
from libs.wire.requests import Person
from libs.wire.secret import Secret
from services.api.pages.cookies import DRAFT
from services.api.pages.static_files import FOLDER
from services.api.reference import ACCOUNTS
from tests.unit.api.pages.browser import ORIGIN, SESSION, Browser, forms
from tests.unit.api.test_resets import BUSY
from tests.unit.api.world import World, in_sync
from tests.unit.whole.composition import PERSON, PERSONS_PASSWORD
from tests.unit.whole.world import Whole, whole

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e{{ 7*7 }}"


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[Whole]:
    async with whole(tmp_path) as running:
        yield running


async def test_a_reset_typed_without_scripts_is_shown_proven(system: Whole) -> None:
    host = await system.machine("dmz-web-01", [(FoundAccount("deploy", 1000, 1000, "/bin/bash"), Secret("before"))])
    host.start()
    found = await system.account("deploy")
    browser = Browser(system)
    entered = await browser.fill("/sign-in", name=PERSON, password=PERSONS_PASSWORD)
    assert (entered.status_code, entered.headers["location"]) == (303, "/resources")
    page = f"/accounts/{found['id']}"
    assert "Unmanaged" in (await browser.get(page)).text
    sent = await browser.fill(f"{page}/change", how="type", password="Chosen-by-a-person-1", note="a ticket")
    assert (sent.status_code, sent.headers["location"]) == (303, page)
    tasks = (await system.person.get("/v1/tasks")).json()["items"]
    assert [each["note"] for each in tasks] == ["a ticket"]
    await system.task_ends(tasks[0]["id"])
    shown = await browser.get(page)
    assert "In sync" in shown.text
    assert "Set, and proven" in shown.text
    assert "a ticket" in shown.text
    assert "Chosen-by-a-person-1" not in shown.text
    counted = await browser.get("/notifications")
    assert "Set, and proven" in counted.text
    await host.stop()


@pytest.mark.parametrize("action", ["change", "verify"])
async def test_a_double_click_makes_one_task(
    world: World, browsers: dict[str, Browser], account: Account, action: str
) -> None:
    ben, page = browsers["ben"], f"/accounts/{account.id}/{action}"
    fields = forms(await ben.get(page))[page]
    answers = await asyncio.gather(*(ben.send(page, fields) for _ in range(3)))
    assert {(each.status_code, each.headers["location"]) for each in answers} == {(303, f"/accounts/{account.id}")}
    (asked,) = {key for _, key in world.nudged}
    # The scheduler took it, and the form is sent again: what holds the account is its own.
    assert BUSY.flight is not None
    busy = replace(BUSY, flight=replace(BUSY.flight, task=asked))
    assert await Accounts(world.admin).save(account, replace(account, rotation=busy, rev=account.rev + 1))
    assert (await ben.send(page, fields)).status_code == 303
    refused = await ben.fill(page)
    assert (refused.status_code, "this account since" in refused.text) == (409, True)
    assert {key for _, key in world.nudged} == {asked}


async def test_the_form_again_says_who_holds_the_account(
    world: World, browsers: dict[str, Browser], machine: Resource
) -> None:
    account = await world.account(machine, rotation=BUSY)
    answer = await browsers["ben"].fill(f"/accounts/{account.id}/verify")
    assert (answer.status_code, "is changing this account since" in answer.text) == (409, True)
    assert world.nudged == []


async def test_a_lost_session_keeps_what_was_typed_but_no_password(
    world: World, browsers: dict[str, Browser], account: Account
) -> None:
    ben, page = browsers["ben"], f"/accounts/{account.id}/change"
    fields = forms(await ben.get(page))[page]
    ben.client.cookies.delete(SESSION)
    typed = {**fields, "how": "type", "password": "canary-of-a-secret", "note": "Ticket 7: Übergabe", "length": "40"}
    lost = await ben.send(page, typed)
    assert (lost.status_code, lost.headers["location"]) == (303, f"/sign-in?next={page}")
    assert "canary" not in str(lost.headers)
    back = await ben.send("/sign-in", {"name": "ben", "password": "a-quite-long-password", "next": page})
    assert back.headers["location"] == page
    shown = await ben.get(page)
    assert "What you typed is here again" in shown.text
    kept = forms(shown)[page]
    assert (kept["note"], kept["how"], kept["length"]) == ("Ticket 7: Übergabe", "type", "40")
    assert "password" not in kept or kept["password"] == ""
    assert "What you typed is here again" not in (await ben.get(page)).text
    assert world.nudged == []


async def test_a_form_of_another_sign_in_keeps_what_was_typed(browsers: dict[str, Browser], account: Account) -> None:
    ben, page = browsers["ben"], f"/accounts/{account.id}/change"
    fields = forms(await ben.get(page))[page]
    await ben.sign_in_again("ben")
    answer = await ben.send(page, {**fields, "note": "typed before"})
    assert (answer.status_code, f'href="{page}"' in answer.text) == (403, True)
    assert forms(await ben.get(page))[page]["note"] == "typed before"


@pytest.mark.parametrize("draft", ["", "x", "bm90IGpzb24=", "W10=", "WyIvIiwgN10=", "eyJhIjogMX0="])
async def test_a_draft_that_is_none_of_ours_is_not_there(
    browsers: dict[str, Browser], account: Account, draft: str
) -> None:
    browsers["ben"].client.cookies.set(DRAFT, draft)
    answer = await browsers["ben"].get(f"/accounts/{account.id}/change")
    assert (answer.status_code, "here again" in answer.text) == (200, False)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"how": "generate", "length": "11"}, "12 to 128 characters"),
        ({"how": "generate", "length": "many"}, "12 to 128 characters"),
        ({"how": "generate", "alphabet": "emoji"}, "Choose one of the alphabets"),
        ({"how": "type", "password": ""}, "Type a password."),
        ({"how": "type", "password": "a\nb"}, "Nothing was sent."),
        ({"how": "type", "password": "x" * 512}, "Nothing was sent."),
        ({"note": "x" * 501}, "at most 500 characters"),
    ],
)
async def test_a_wrong_field_is_named_and_the_rest_stays(
    world: World, browsers: dict[str, Browser], account: Account, typed: dict[str, str], said: str
) -> None:
    page = f"/accounts/{account.id}/change"
    answer = await browsers["ben"].fill(page, **{"note": "stays", **typed})
    assert (answer.status_code, said in answer.text) == (422, True)
    assert 'aria-invalid="true"' in answer.text
    assert forms(answer)[page]["note"] == typed.get("note", "stays")
    assert world.nudged == []


async def test_letters_beyond_ascii_are_set_and_warned_of(browsers: dict[str, Browser], account: Account) -> None:
    answer = await browsers["ben"].fill(f"/accounts/{account.id}/change", how="type", password="Schlüssel-zum-Turm")
    assert answer.headers["location"] == f"/accounts/{account.id}?warned=not_ascii"
    text = (await browsers["ben"].get(answer.headers["location"])).text
    assert "letters beyond ASCII" in text
    assert "would be guessed" not in text


@pytest.mark.parametrize(
    ("action", "typed"),
    [("change", {"how": "type", "password": "Straße-2026"}), ("adopt", {"password": "Straße-2026"})],
)
async def test_a_password_that_would_be_guessed_is_sent_and_warned_of(
    world: World, browsers: dict[str, Browser], machine: Resource, action: str, typed: dict[str, str]
) -> None:
    ben, account = browsers["ben"], await world.account(machine)
    answer = await ben.fill(f"/accounts/{account.id}/{action}", **typed)
    assert answer.headers["location"] == f"/accounts/{account.id}?warned=not_ascii&warned=guessable"
    text = (await ben.get(answer.headers["location"])).text
    assert "<strong>The password would be guessed.</strong>" in text
    assert "<strong>The password has letters beyond ASCII.</strong>" in text
    assert "Straße" not in text


@pytest.mark.parametrize("warned", ["true", "Call+0800", "not_ascii&warned=<b>"])
async def test_an_address_brings_no_words_of_its_own_into_the_page(
    browsers: dict[str, Browser], account: Account, warned: str
) -> None:
    answer = await browsers["ben"].get(f"/accounts/{account.id}?warned={warned}")
    assert answer.status_code == 404
    assert "0800" not in answer.text


async def test_bars_are_for_a_browser_with_scripts_and_know_the_names(
    browsers: dict[str, Browser], machine: Resource, account: Account
) -> None:
    """What a guesser knows is told to the page; and without scripts nothing stands there that never says anything."""
    names = f'data-names="root {machine.name}"'
    for who, page, known in (
        ("ben", f"/accounts/{account.id}/change", names),
        ("ben", f"/accounts/{account.id}/adopt", names),
        ("ben", "/me/password", 'data-names="ben"'),
        ("ada", "/people/new", 'data-names="" data-name-field="name"'),
    ):
        text = (await browsers[who].get(page)).text
        assert f'<password-strength class="strength" {known}></password-strength>' in text
        assert 'class="bars"' not in text


async def test_the_design_shows_every_word_that_the_bars_may_say(browsers: dict[str, Browser]) -> None:
    text = (await browsers["ben"].get("/design")).text
    script = (FOLDER / "strength.js").read_text()
    said = [
        words for words in re.findall(r'"([A-Z][^"]+[.])"', script.partition("const WHY")[0]) if "typed" not in words
    ]
    assert len(said) == 5
    assert [words for words in said if words not in text] == []


async def test_hostile_values_are_text(
    world: World, browsers: dict[str, Browser], users: dict[str, User], machine: Resource, account: Account
) -> None:
    task = Task(
        id=new_id(Noun.TASK),
        kind=Kind.VERIFY,
        account=account.id,
        resource=machine.id,
        account_name=HOSTILE,
        resource_name=HOSTILE,
        requester=Person(id=users["ben"].id, name="ben"),
        note=HOSTILE,
        detail=HOSTILE,
        state=TaskState.CANNOT_TELL,
        created_at=world.clock.now(),
        rev=1,
    )
    assert await Tasks(world.admin).insert(task)
    ben = browsers["ben"]
    wrong = await ben.fill(f"/accounts/{account.id}/change", note=HOSTILE, length="1")
    for answer in (
        await ben.get(f"/accounts/{account.id}"),
        await ben.get("/notifications"),
        await ben.client.get("/resources", params={"q": HOSTILE}),
        await ben.send("/sign-in", {"name": HOSTILE, "password": "x", "next": HOSTILE}),
        wrong,
    ):
        assert answer.status_code in {200, 422}
        assert "&lt;script&gt;" in answer.text
        for bad in ("<script>alert", "<img", "\"'><"):
            assert bad not in answer.text
        assert "{{ 7*7 }}" in answer.text


async def test_what_needs_attention_comes_first_and_search_finds_accounts(
    world: World, browsers: dict[str, Browser], users: dict[str, User]
) -> None:
    states = {"quiet": Status.IN_SYNC, "adrift": Status.DRIFT, "cloned": Status.QUARANTINED, "open": Status.UNCERTAIN}
    for name, status in states.items():
        host, _ = await world.machine(users["ben"], name)
        await world.account(host, f"of-{name}", replace(in_sync(), status=status))
    text = (await browsers["ben"].get("/resources")).text
    places = [text.index(f">{name}</a>") for name in ("cloned", "adrift", "open", "quiet")]
    assert places == sorted(places)
    assert "3 machines need attention." in text
    searched = (await browsers["ben"].get("/resources?q=OF-ADRIFT")).text
    assert (">adrift</a>" in searched, ">quiet</a>" in searched) == (True, False)
    filtered = (await browsers["ben"].get("/resources?state=uncertain")).text
    assert (">open</a>" in filtered, ">adrift</a>" in filtered) == (True, False)
    nothing = (await browsers["ben"].get("/resources?q=no-such")).text
    assert "Clear filters" in nothing
    assert "No machine yet" in (await browsers["eve"].get("/resources")).text


async def test_each_person_sees_only_their_own_notifications(browsers: dict[str, Browser], account: Account) -> None:
    await browsers["ben"].fill(f"/accounts/{account.id}/verify", note="ben's own")
    assert "1 waiting for agents" in (await browsers["ben"].get("/notifications")).text
    for name in ("ada", "eve"):
        text = (await browsers[name].get("/notifications")).text
        assert "0 waiting for agents" in text
        assert "Nothing yet" in text


@pytest.mark.parametrize("status", list(Status))
async def test_every_status_is_shown_in_the_words_of_the_interface(
    world: World, browsers: dict[str, Browser], machine: Resource, status: Status
) -> None:
    rotation: Rotation = next(each for _, each in ACCOUNTS if each.status is status)
    account = await world.account(machine, rotation=rotation)
    token = {"authorization": f"Bearer {browsers['ben'].client.cookies[SESSION]}"}
    told = (await world.client.get(f"/v1/accounts/{account.id}", headers=token)).json()
    answer = await browsers["ben"].get(f"/accounts/{account.id}")
    for sentence in told["sentences"]:
        assert sentence in answer.text
    assert told["sentence"] in (await browsers["ben"].get(f"/resources/{machine.id}")).text
    assert await Accounts(world.admin).get(account.id) == account


async def test_a_store_that_is_away_is_said_on_the_page(world: World, browsers: dict[str, Browser]) -> None:
    world.parts.store.faults.away = True  # type: ignore[attr-defined]
    answer = await browsers["ben"].get("/resources")
    assert (answer.status_code, "nothing was changed" in answer.text) == (503, True)
    assert '<a class="button" href="">Try again</a>' in answer.text


async def test_a_machines_own_accounts_do_not_hide_those_of_people(
    world: World, browsers: dict[str, Browser], machine: Resource, account: Account
) -> None:
    await world.account(machine, "_apt", kinds=(observations.Kind.SYSTEM,))
    await world.account(machine, "svc", in_sync(), kinds=(observations.Kind.SYSTEM,))
    text = (await browsers["ben"].get(f"/resources/{machine.id}")).text
    folded = text[text.index("1 system account that Keyturn has never set") :]
    assert (">_apt</a>" in folded, ">svc</a>" in folded, f">{account.name}</a>" in folded) == (True, False, False)
    assert ">svc</a>" in text


async def test_the_page_never_asks_another_server_for_anything(browsers: dict[str, Browser]) -> None:
    for path in ("/resources", "/design", "/notifications"):
        text = (await browsers["ben"].get(path)).text
        assert "//" not in text.replace(ORIGIN, "").replace("http://www.w3.org", "")
