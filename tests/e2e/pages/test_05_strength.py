"""What a person sees of a weak password: bars while it is typed, a warning for an account, a refusal for their own."""

import pytest

from tests.e2e.pages.browser import Window, window
from tests.e2e.pages.stand import HOST, PASSWORD, PERSON, Stand
from tests.e2e.pages.test_01_story import NAME, choose, open_account

pytestmark = [pytest.mark.real, pytest.mark.host]

SAYS = (
    ("", "0", "How strong it is shows here"),
    (f"{NAME}-2026", "1", "It has a known name in it."),
    (f"{HOST}-{HOST}", "1", "It repeats itself."),
    ("P@ssw0rd1234567890!", "1", "It has a common word in it."),
    ("abcdefghijklmnop", "1", "It has a row like abc or 123 in it."),
    ("Manchester United", "2", "It is made of few words."),
    ("jG7$kq2!mZ9x", "3", "Good, as far as this page can tell."),
    ("quiet-harbour-7-lanterns", "4", "Strong, as far as this page can tell."),
)


@pytest.mark.parametrize(("width", "dark"), [(1_280, False), (390, True)])
def test_bars_tell_while_it_is_typed(standing: Stand, width: int, dark: bool) -> None:
    with window(standing.browser, standing.origin, width=width, dark=dark) as at:
        at.sign_in(PERSON, PASSWORD)
        open_account(at)
        choose(at, "Change Password")
        at.page.locator("dialog").get_by_text("Type", exact=True).click()
        strength = at.page.locator("dialog .strength")
        for typed, level, words in SAYS:
            at.page.fill("dialog #password", typed)
            assert strength.get_attribute("data-level") == level, typed
            assert words in (strength.locator(".hint").text_content() or "")
            assert at.findings() == []
        # Said aloud once, after a pause, and not at each key.
        at.page.locator("dialog .strength [role=status]", has_text="Strength: Strong").wait_for(state="attached")


def test_an_account_is_warned_of_and_ones_own_is_refused(ops: Window) -> None:
    open_account(ops)
    choose(ops, "Change Password")
    ops.page.locator("dialog").get_by_text("Type", exact=True).click()
    ops.page.fill("dialog #password", f"{NAME}-2026")
    ops.page.get_by_role("button", name="Save").click()
    ops.live("The password would be guessed.")
    assert ops.page.url.endswith("?warned=guessable")
    ops.live("Set, and proven")
    assert ops.findings() == []
    ops.go("/me/password")
    ops.page.fill("#own", PASSWORD)
    ops.page.fill("#password", f"{PERSON}-Keyturn-1")
    ops.page.get_by_role("button", name="Save").click()
    ops.page.locator(".wrong", has_text="This password would be guessed").wait_for()
    assert ops.page.locator(".strength").get_attribute("data-level") == "0"
    assert ops.findings() == []


def test_without_scripts_there_are_no_bars(standing: Stand) -> None:
    with window(standing.browser, standing.origin, scripts=False) as at:
        at.sign_in(PERSON, PASSWORD)
        at.go("/me/password")
        assert not at.page.locator("password-strength").is_visible()
        assert at.page.locator(".bars").count() == 0
