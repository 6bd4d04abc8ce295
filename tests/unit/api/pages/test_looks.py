"""What the pages say where there is little room, where there is nothing yet, and to whoever may do less."""

import re
from dataclasses import replace

import pytest

from libs.domain.accounts import Account
from libs.domain.state import Kind, Phase, Status
from libs.store.presence import Presence, Presences
from libs.store.resources import Resource
from libs.store.users import Role, User, Users
from services.api.agents.words import SILENT_AFTER
from services.api.pages.static_files import FOLDER
from tests.unit.api.pages.browser import Browser
from tests.unit.api.test_resets import BUSY
from tests.unit.api.world import NOW, PASSWORD, World, in_sync

DOWNLOAD = "/admin/agents/download"


@pytest.fixture
async def auditor(world: World) -> Browser:
    """Somebody who sees everything and changes nothing."""
    await world.user("otto", Role.AUDITOR)
    return await Browser(world).sign_in("otto")


def test_a_style_sheet_says_no_words() -> None:
    """One named columns by their number where a screen is narrow, and called the last use of a token "Signed in"."""
    for sheet in FOLDER.glob("*.css"):
        assert re.findall(r'content: "[^"]*[A-Za-z][^"]*"', sheet.read_text()) == []


async def test_a_value_whose_columns_head_is_gone_has_its_own_name(
    browsers: dict[str, Browser], machine: Resource, account: Account
) -> None:
    ben = browsers["ben"]
    made = await ben.fill("/me/access-tokens/new", token_name="nightly", password=PASSWORD)
    assert made.status_code == 200
    tokens = (await ben.get("/me/access-tokens")).text
    assert ('data-head="Last used">never' in tokens, 'data-head="Signed in"' in tokens) == (True, False)
    shared = await ben.fill(f"/resources/{machine.id}/sharing/new", **{"with": "eve", "level": "see"})
    assert shared.status_code == 303
    assert 'data-head="May">see' in (await ben.get(f"/resources/{machine.id}/sharing")).text
    assert 'data-head="Signed in"' in (await ben.get("/me")).text
    assert 'data-head="Last proof"' in (await ben.get(f"/resources/{account.resource}")).text


async def test_a_machine_whose_agent_is_silent_needs_attention(
    world: World, browsers: dict[str, Browser], users: dict[str, User]
) -> None:
    for name, ago in (("aa-calls", 30_000), ("mm-adrift", 30_000), ("zz-silent", SILENT_AFTER)):
        machine = (await world.machine(users["ben"], name))[0]
        await world.account(machine, "root", replace(in_sync(), status=Status.DRIFT) if "drift" in name else in_sync())
        await Presences(world.admin).contact(Presence(id=machine.agent, last_seen=NOW - ago, version="1.4.2"))
    text = (await browsers["ben"].get("/resources")).text
    places = [text.index(f">{name}</a>") for name in ("mm-adrift", "zz-silent", "aa-calls")]
    assert places == sorted(places)
    assert "2 machines need attention." in text
    assert "Its agent last called 5 min ago. Changes wait until it calls again." in text
    assert text.count('<span class="unseen">, silent</span>') == 1
    assert "needs attention" not in (await browsers["ben"].get("/resources?q=aa-calls")).text.partition("<tbody")[2]


async def test_who_has_no_machine_is_led_to_the_agent_that_adds_one(
    browsers: dict[str, Browser], auditor: Browser
) -> None:
    assert f'href="{DOWNLOAD}"' in (await browsers["eve"].get("/resources")).text
    for page in ("/resources", "/admin/agents"):
        text = (await auditor.get(page)).text
        assert DOWNLOAD not in text, "an auditor builds no package"
        assert "a few seconds after its" in text


@pytest.mark.usefixtures("machine")
async def test_an_auditor_is_told_why_a_package_is_not_theirs_to_build(
    browsers: dict[str, Browser], auditor: Browser
) -> None:
    assert f"{DOWNLOAD}?resource=" in (await browsers["ada"].get("/admin/agents")).text
    text = (await auditor.get("/admin/agents")).text
    assert DOWNLOAD not in text
    assert "Build a package for it<small>An auditor sees everything and changes nothing</small>" in text


async def test_a_package_for_a_known_machine_is_not_said_to_add_one(
    browsers: dict[str, Browser], machine: Resource
) -> None:
    assert "It carries a token that adds machines." in (await browsers["ben"].get(DOWNLOAD)).text
    known = (await browsers["ben"].get(f"{DOWNLOAD}?resource={machine.id}")).text
    assert ("adds machines" in known, "gives this machine another agent" in known) == (False, True)


async def test_who_is_kept_out_is_not_counted_among_those_who_may_sign_in(
    world: World, browsers: dict[str, Browser], users: dict[str, User]
) -> None:
    assert "3 people may sign in.<" in (await browsers["ada"].get("/people")).text
    form = f"/people/{users['eve'].id}/change"
    assert "Saving signs eve out everywhere." in (await browsers["ada"].get(form)).text
    assert (await browsers["ada"].fill(form, entry="out", own=PASSWORD)).status_code == 303
    eve = await Users(world.admin).named("eve")
    assert eve is not None
    assert eve.disabled
    assert "2 people may sign in. 1 is kept out." in (await browsers["ada"].get("/people")).text


@pytest.mark.parametrize(
    ("kind", "doing"), [(Kind.RESET, "is changing it since"), (Kind.VERIFY, "is verifying it since")]
)
async def test_the_menu_says_what_holds_the_account(
    world: World, browsers: dict[str, Browser], machine: Resource, kind: Kind, doing: str
) -> None:
    assert BUSY.flight is not None
    flight = replace(BUSY.flight, kind=kind, phase=Phase.OFFERED)
    account = await world.account(machine, rotation=replace(BUSY, flight=flight))
    assert doing in (await browsers["ada"].get(f"/accounts/{account.id}")).text


async def test_who_need_not_have_a_second_factor_may_leave_its_page(browsers: dict[str, Browser]) -> None:
    assert '<a class="button" href="/me">Cancel</a>' in (await browsers["ben"].get("/me/second-factor")).text


async def test_the_account_of_a_filter_is_told_by_its_name(browsers: dict[str, Browser], account: Account) -> None:
    await browsers["ben"].fill(f"/accounts/{account.id}/verify")
    text = (await browsers["ada"].get(f"/audit?account={account.id}")).text
    assert 'class="mono" value="root" readonly' in text
    assert f'<input type="hidden" name="account" value="{account.id}">' in text
