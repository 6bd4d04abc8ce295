"""Two presses, two people, a session that ends in the middle, and a page that is used without a mouse."""

from collections.abc import Iterator

import pytest

from libs.client.client import Client
from libs.wire.secret import Secret
from tests.e2e.pages.browser import Window, window
from tests.e2e.pages.stand import HOST, PASSWORD, PERSON, Stand
from tests.e2e.pages.test_01_story import NAME, choose, open_account

pytestmark = [pytest.mark.real, pytest.mark.host]

UNIT = "keyturn-agent.service"


@pytest.fixture
def silent(standing: Stand) -> Iterator[None]:
    """The agent does not call meanwhile, so whatever is asked waits."""
    standing.host.run(["systemctl", "stop", UNIT], timeout=60)
    yield
    standing.host.run(["systemctl", "start", UNIT], timeout=60)


@pytest.mark.usefixtures("silent")
def test_a_double_click_makes_one_task_and_another_person_sees_whose(ops: Window, standing: Stand) -> None:
    with Client(standing.server.gateway_url, authority=standing.server.ca_file) as client:
        client.sign_in(PERSON, Secret(PASSWORD))
        client.add_user("bob", Secret(PASSWORD), "administrator")
        before = {each.id for each in client.tasks()}
        with window(standing.browser, standing.origin) as bobs:
            bobs.sign_in("bob", PASSWORD)
            open_account(bobs)
            choose(bobs, "Change Password")
            bobs.page.fill("dialog #note", "bob's ticket")
            open_account(ops)
            choose(ops, "Change Password")
            ops.page.get_by_role("button", name="Save").dblclick()
            ops.live("Waiting for the agent since")
            assert len({each.id for each in client.tasks()} - before) == 1
            bobs.page.get_by_role("button", name="Save").click()
            bobs.page.locator("dialog", has_text=f"{PERSON} is changing this account since").wait_for()
            assert bobs.page.input_value("dialog #note") == "bob's ticket"
            assert bobs.wrong == []
        ops.page.get_by_role("button", name="Account Actions").click()
        ops.page.locator(".menu:popover-open").get_by_role("button", name="Cancel").click()
        ops.live("Cancelled")
        assert len({each.id for each in client.tasks()} - before) == 1


def test_a_session_that_ends_in_a_dialog_keeps_what_was_typed(standing: Stand) -> None:
    with window(standing.browser, standing.origin) as at:
        at.sign_in(PERSON, PASSWORD)
        open_account(at)
        choose(at, "Change Password")
        at.page.locator("dialog").get_by_text("Type", exact=True).click()
        at.page.fill("dialog #password", "Typed-in-vain-1")
        at.page.fill("dialog #note", "Ticket 7: Übergabe")
        at.page.context.clear_cookies()
        at.page.get_by_role("button", name="Save").click()
        at.page.wait_for_url("**/sign-in?next=**")
        at.page.fill("#name", PERSON)
        at.page.fill("#password", PASSWORD)
        at.page.get_by_role("button", name="Sign in").click()
        at.live("What you typed is here again, passwords excepted.")
        assert at.page.input_value("#note") == "Ticket 7: Übergabe"
        assert at.page.is_checked("input[name=how][value=type]")
        assert at.page.input_value("#password") == ""
        at.page.get_by_role("link", name="Cancel").click()
        at.page.get_by_role("heading", level=1, name=NAME).wait_for()


def test_machines_are_found_and_filtered_by_keyboard(ops: Window) -> None:
    ops.go("/resources")
    ops.page.keyboard.press("/")
    ops.page.keyboard.type(NAME.upper())
    ops.page.keyboard.press("Enter")
    ops.page.wait_for_url(f"**/resources?q={NAME.upper()}")
    chip = ops.page.get_by_role("navigation", name="Filter by state").get_by_role("link", name="Drift")
    chip.focus()
    ops.page.keyboard.press("Enter")
    ops.live("No machine matches")
    ops.page.get_by_role("link", name="Clear filters").press("Enter")
    name = ops.page.get_by_role("link", name=HOST, exact=True)
    name.focus()
    ops.page.keyboard.press("Enter")
    ops.page.get_by_role("heading", level=1, name=HOST).wait_for()
