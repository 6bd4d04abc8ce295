"""The pages of groups, sharing and owners, by their forms."""

import pytest

from libs.broker.topology import QueueName
from libs.domain.accounts import Account
from libs.store.resources import Resource
from libs.store.users import User
from libs.wire.requests import HandedOver, HandOverContent, Request
from tests.unit.api.pages.browser import Browser, forms
from tests.unit.api.world import PASSWORD, World


async def test_an_owner_shares_an_account_and_ends_it(
    browsers: dict[str, Browser], machine: Resource, account: Account
) -> None:
    ben, eve, here = browsers["ben"], browsers["eve"], f"/resources/{machine.id}/sharing"
    assert "Shared with nobody" in (await ben.get(here)).text
    assert f'href="{here}"' in (await ben.get(f"/resources/{machine.id}")).text
    answer = await ben.fill(f"{here}/new", **{"with": "eve", "account": "root", "level": "see"})
    assert (answer.status_code, answer.headers["location"]) == (303, here)
    text = (await ben.get(here)).text
    assert "eve" in text
    assert "alone" in text
    page = (await eve.get(f"/resources/{machine.id}")).text
    assert f'href="{here}"' not in page
    assert "You may see this account, not use it" in page
    assert (await eve.get(f"/accounts/{account.id}")).status_code == 200
    (end,) = [each for each in forms(await ben.get(here)) if each.endswith("/end")]
    assert (await ben.fill(here, end)).status_code == 303
    assert (await eve.get(f"/accounts/{account.id}")).status_code == 404


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ({"with": "nobody"}, 422, "There is no user named nobody."),
        ({"kind": "group", "with": "nobody"}, 422, "There is no group named nobody."),
        ({"with": "Not A Name"}, 422, "A user name is 1 to 64"),
        ({"with": "eve", "level": "own"}, 422, "Choose one of the three."),
        ({"with": "eve", "account": "nowhere"}, 404, "There is no such account"),
        ({"with": "ben"}, 409, "ben owns dmz-web-01 already."),
    ],
)
async def test_what_is_wrong_with_a_share_is_said(
    browsers: dict[str, Browser], machine: Resource, typed: dict[str, str], status: int, said: str
) -> None:
    action = f"/resources/{machine.id}/sharing/new"
    answer = await browsers["ben"].fill(action, **typed)
    assert (answer.status_code, said in answer.text) == (status, True)
    assert forms(answer)[action]["with"] == typed["with"]


async def test_an_administrator_makes_a_group_and_says_who_is_in_it(browsers: dict[str, Browser]) -> None:
    ada, eve = browsers["ada"], browsers["eve"]
    assert "You are in none." in (await eve.get("/people/groups")).text
    wrong = await ada.fill("/people/groups/new", group="Not A Name")
    assert (wrong.status_code, "A group&#39;s name is" in wrong.text) == (422, True)
    assert (await ada.fill("/people/groups/new", group="db-admins")).headers["location"] == "/people/groups"
    assert (await ada.fill("/people/groups/new", group="db-admins")).status_code == 409
    shown = await ada.get("/people/groups")
    path = shown.text.partition('href="/people/groups/grp_')[2].partition('"')[0]
    here = f"/people/groups/grp_{path}"
    unknown = await ada.fill(here, f"{here}/join", user_name="nobody")
    assert (unknown.status_code, "There is no user named nobody." in unknown.text) == (422, True)
    assert (await ada.fill(here, f"{here}/join", user_name="eve")).headers["location"] == here
    assert "db-admins" in (await eve.get("/people/groups")).text
    assert (await eve.get(here)).status_code == 200
    (leave,) = [each for each in forms(await ada.get(here)) if each.endswith("/leave")]
    assert (await ada.fill(here, leave)).status_code == 303
    assert (await eve.get(here)).status_code == 404
    assert (await ada.fill(f"{here}/remove")).headers["location"] == "/people/groups"
    assert (await ada.get(here)).status_code == 404


async def test_a_role_is_changed_by_who_says_again_who_they_are(
    browsers: dict[str, Browser], users: dict[str, User]
) -> None:
    form = f"/people/{users['eve'].id}/change"
    refused = await browsers["ada"].fill(form, role="auditor", own="canary-not-adas")
    assert (refused.status_code, "This is not your password." in refused.text) == (422, True)
    assert "canary" not in refused.text
    assert (await browsers["ada"].fill(form, role="emperor", own=PASSWORD)).status_code == 422
    assert (await browsers["eve"].get("/me")).status_code == 200
    assert (await browsers["ada"].fill(form, role="auditor", entry="in", own=PASSWORD)).status_code == 303
    assert (await browsers["eve"].get("/me")).status_code == 303
    assert (await browsers["eve"].sign_in("eve")).signed_in
    for path in ("/audit", "/people"):
        assert (await browsers["eve"].get(path)).status_code == 200
    assert (await browsers["ada"].fill(form, entry="out", own=PASSWORD)).status_code == 303
    assert "kept out" in (await browsers["ada"].get("/people")).text
    mine = await browsers["ada"].fill(f"/people/{users['ada'].id}/change", role="user", own=PASSWORD)
    assert (mine.status_code, "Ask another administrator." in mine.text) == (409, True)


async def test_a_person_is_signed_out_everywhere_by_a_button(
    browsers: dict[str, Browser], users: dict[str, User]
) -> None:
    form = f"/people/{users['eve'].id}"
    assert (await browsers["ada"].fill(f"{form}/change", f"{form}/sign-out")).headers["location"] == "/people"
    assert (await browsers["eve"].get("/me")).status_code == 303
    assert (await browsers["ada"].get("/me")).status_code == 200


async def test_a_machine_is_handed_over_by_its_form(
    world: World, browsers: dict[str, Browser], machine: Resource
) -> None:
    form = f"/resources/{machine.id}/owner"

    def answer(request: Request) -> HandedOver:
        assert isinstance(request.content, HandOverContent)
        return HandedOver(resource=request.content.resource, owner=request.content.owner)

    wrong = await browsers["ben"].fill(form, user_name="nobody")
    assert (wrong.status_code, "There is no user named nobody" in wrong.text) == (422, True)
    async with world.answering(QueueName.HANDOVERS, answer) as heard:
        assert (await browsers["ben"].fill(form, user_name="eve")).headers["location"] == "/resources"
    assert len(heard) == 1
