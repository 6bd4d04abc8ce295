"""What people give one another, and what they sign in with: shares, groups, a second factor, an access token; each of
their pages is held to what every page is held to.
"""

import base64
import re
import time

import pytest

from services.api.factors.codes import code_at
from tests.e2e.hunt import store_of
from tests.e2e.pages.browser import Window, window
from tests.e2e.pages.stand import HOST, PASSWORD, Stand

pytestmark = [pytest.mark.real, pytest.mark.host]

CARLA, GROUP = "carla", "shop-admins"
THEIR_PASSWORD = "their-only-password"


def test_a_machine_is_shared_with_a_group(ops: Window, standing: Stand) -> None:
    ops.go("/people/new")
    ops.page.fill("#name", CARLA)
    ops.page.fill("#password", THEIR_PASSWORD)
    ops.page.fill("#own", PASSWORD)
    ops.page.get_by_role("button", name="Add").click()
    ops.page.get_by_text(CARLA).first.wait_for()
    ops.go("/people/groups/new")
    ops.page.fill("#group", GROUP)
    ops.page.get_by_role("button", name="Add").click()
    ops.page.get_by_role("link", name=GROUP).click()
    ops.page.get_by_role("heading", level=1, name=GROUP).wait_for()
    ops.page.fill("#user_name", CARLA)
    ops.page.get_by_role("button", name="Add").click()
    ops.page.locator("td", has_text=CARLA).wait_for()
    found = {"group": ops.findings()}
    with window(standing.browser, standing.origin, width=390) as at:
        at.sign_in(CARLA, THEIR_PASSWORD)
        at.live("No machine yet")
        ops.go("/resources")
        ops.page.get_by_role("link", name=HOST, exact=True).click()
        ops.page.get_by_role("link", name="Sharing").click()
        ops.page.get_by_role("link", name="Share", exact=True).click()
        ops.page.locator("dialog").get_by_text("A group", exact=True).click()
        ops.page.fill("dialog #with", GROUP)
        ops.page.locator("dialog").get_by_text("Use", exact=True).click()
        ops.page.locator("dialog").get_by_role("button", name="Share").click()
        ops.live("shop-admins")
        found["sharing"] = ops.findings()
        at.go("/resources")
        at.page.get_by_role("link", name=HOST, exact=True).click()
        at.live("Passwords")
        found["shared"] = at.findings()
        ops.page.get_by_role("button", name="End", exact=True).click()
        ops.live("Shared with nobody")
        at.go("/resources")
        at.live("No machine yet")
    assert {page: each for page, each in found.items() if each} == {}


def test_who_signed_in_longer_ago_says_again_who_they_are_and_the_form_goes_on(ops: Window, standing: Stand) -> None:
    ops.go("/resources")
    ops.page.get_by_role("link", name=HOST, exact=True).click()
    ops.page.get_by_role("link", name="Sharing").click()
    ops.page.get_by_role("link", name="Share", exact=True).click()
    dialog = ops.page.locator("dialog")
    dialog.locator("#with").fill(CARLA)
    with store_of(standing.server) as store:
        # As long after signing in as it likes: nobody showed since who they are.
        store["people"]["sessions"].update_many({}, {"$set": {"confirmed_at": 0}})
    dialog.get_by_role("button", name="Share").click()
    dialog.get_by_role("heading", name="Say again who you are").wait_for()
    found = {"asked": ops.findings()}
    dialog.locator("#again").fill("not-their-password")
    dialog.get_by_role("button", name="Go on").click()
    dialog.get_by_text("This is not your password.").wait_for()
    found["wrong"] = ops.findings()
    dialog.locator("#again").fill(PASSWORD)
    dialog.get_by_role("button", name="Go on").click()
    ops.live(CARLA)
    with store_of(standing.server) as store:
        store["people"]["sessions"].update_many({}, {"$set": {"confirmed_at": 0}})
    # A button has no form to come back to, and gets a page of its own.
    ops.page.get_by_role("button", name="End", exact=True).click()
    ops.live("Say again who you are")
    found["page"] = ops.findings()
    ops.page.fill("#again", PASSWORD)
    ops.page.get_by_role("button", name="Go on").click()
    ops.live("Shared with nobody")
    assert {page: each for page, each in found.items() if each} == {}


def test_a_second_factor_is_begun_with_a_picture_and_asked_for(standing: Stand) -> None:
    found = {}
    with window(standing.browser, standing.origin, width=390) as at:
        at.sign_in(CARLA, THEIR_PASSWORD)
        at.go("/me/second-factor")
        at.page.fill("#password", THEIR_PASSWORD)
        at.page.get_by_role("button", name="Begin").click()
        at.page.locator("figure.qr svg").wait_for()
        found["begun"] = at.findings()
        secret = _secret(at.page.locator("figure.qr code").inner_text())
        at.page.fill("#code", code_at(secret, time.time_ns() // 1_000_000))
        at.page.get_by_role("button", name="Confirm").click()
        at.live("Recovery codes")
        found["codes"] = at.findings()
        recovery = at.page.locator("ul.codes li").first.inner_text()
        assert re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", recovery)
    with window(standing.browser, standing.origin) as at:
        at.go("/sign-in")
        at.page.fill("#name", CARLA)
        at.page.fill("#password", THEIR_PASSWORD)
        at.page.click("button[type=submit]")
        at.page.get_by_role("heading", name="Second factor").wait_for()
        found["code"] = at.findings()
        at.page.fill("#code", "000000")
        at.page.click("button[type=submit]")
        at.page.get_by_text("This code is not right").first.wait_for()
        at.page.fill("#code", recovery)
        at.page.click("button[type=submit]")
        at.page.wait_for_url("**/resources")
        at.go("/me/second-factor")
        at.live("9 recovery codes are left.")
        at.go("/me/access-tokens/new")
        at.page.fill("#token_name", "nightly")
        at.page.get_by_label("See").check()
        at.page.fill("#password", THEIR_PASSWORD)
        # That of the next half minute: this one's was used up, and a phone may be so far ahead.
        at.page.fill("#code", code_at(secret, time.time_ns() // 1_000_000 + 30_000))
        at.page.get_by_role("button", name="Make it").click()
        at.page.locator("#made").wait_for()
        found["token"] = at.findings()
        assert at.page.locator("#made").inner_text().startswith("kt_")
    assert {page: each for page, each in found.items() if each} == {}


def _secret(shown: str) -> bytes:
    return base64.b32decode(shown + "=" * (-len(shown) % 8))
