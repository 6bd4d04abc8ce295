"""A person in a browser: from the first-run code to a password that is proven, verified and revealed on a real host."""

import hashlib

import pytest

from libs.client.client import Client
from libs.wire.secret import Secret
from tests.e2e.pages.browser import Window, window
from tests.e2e.pages.stand import HOST, PASSWORD, PERSON, Stand
from tests.e2e.site import FOLDER, OLD, until

pytestmark = [pytest.mark.real, pytest.mark.host]

CHOSEN = "Chosen-by-a-person-1"
NAME = "deploy"


def open_account(at: Window, name: str = NAME) -> None:
    """The account's page, by the links that lead to it."""
    at.go("/resources")
    at.page.get_by_role("link", name=HOST, exact=True).click()
    at.page.get_by_role("link", name=name, exact=True).click()
    at.page.get_by_role("heading", level=1, name=name).wait_for()


def choose(at: Window, action: str) -> None:
    """An entry of *Account Actions*, which opens a dialog."""
    at.page.get_by_role("button", name="Account Actions").click()
    at.page.locator(".menu:popover-open .item", has_text=action).click()
    at.page.locator("dialog[open]").wait_for()


def revealed(at: Window, reason: str) -> str:
    """What the page shows, read character by character."""
    choose(at, "Reveal")
    at.page.fill("dialog #reason", reason)
    at.page.fill("dialog #password", PASSWORD)
    at.page.keyboard.press("Enter")
    at.page.locator("dialog .secret .char").first.wait_for()
    return "".join(at.page.locator("dialog .secret .char bdi").all_text_contents())


def test_the_first_person_sets_up_and_downloads_an_agent_that_comes_in(standing: Stand) -> None:
    with window(standing.browser, standing.origin) as at:
        at.go("/")
        at.page.fill("#code", standing.server.setup_code())
        at.page.fill("#name", PERSON)
        at.page.fill("#password", PASSWORD)
        at.page.get_by_role("button", name="Continue").click()
        at.live("No machine yet")
        at.page.get_by_role("link", name="Admin").click()
        at.page.get_by_role("link", name="Download agent").click()
        at.page.fill("dialog #host_pattern", "dmz-*")
        at.page.locator("dialog details.more summary").click()
        at.page.fill("dialog #schedule_interval", "5")
        with at.page.expect_download() as saving:
            at.page.get_by_role("button", name="Download zip").click()
        saved = standing.folder / saving.value.suggested_filename
        saving.value.save_as(saved)
        assert at.page.text_content("dialog [data-sha256]") == hashlib.sha256(saved.read_bytes()).hexdigest()
        commands = at.page.text_content("dialog #commands")
        assert commands is not None
        assert saved.name in commands
        standing.host.run(["mkdir", "-p", FOLDER])
        standing.host.put(saved, f"{FOLDER}/{saved.name}")
        standing.host.add_user(NAME, OLD)
        done = standing.host.run(["sh", "-ec", f'cd "{FOLDER}" && {commands}'], text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        at.page.keyboard.press("Escape")
        at.go("/admin/agents")
        at.live("Used up. It admits nobody any more.")
        at.page.get_by_role("link", name=HOST).wait_for()
        assert at.wrong == []


def test_a_typed_password_is_followed_live_until_it_is_proven(ops: Window, standing: Stand) -> None:
    open_account(ops)
    ops.live("Found on the host.")
    choose(ops, "Change Password")
    ops.page.locator("dialog").get_by_text("Type", exact=True).click()
    ops.page.get_by_role("button", name="Save").click()
    assert ops.page.locator("dialog #password").evaluate("each => each === document.activeElement || !each.value")
    ops.page.locator("dialog .wrong", has_text="Type a password.").wait_for()
    ops.page.fill("dialog #password", CHOSEN)
    ops.page.get_by_role("button", name="Save").click()
    ops.page.get_by_role("heading", name="In sync").wait_for()
    ops.live("Set, and proven")
    assert standing.host.opens(NAME, CHOSEN.encode())
    assert not standing.host.opens(NAME, OLD)


def test_the_bell_counts_what_was_asked_and_verify_says_that_it_opens(ops: Window) -> None:
    open_account(ops)
    choose(ops, "Verify Password")
    ops.page.locator("dialog").get_by_role("button", name="Verify Password").click()
    ops.live("Opens the account")
    ops.page.get_by_role("button", name="Notifications").click()
    numbers = ops.page.locator("#bell .numbers dd").all_text_contents()
    assert numbers == ["1", "1", "0"]
    ops.page.get_by_role("link", name="All notifications").click()
    ops.page.get_by_role("heading", name="Notifications").wait_for()
    ops.live("Set, and proven")


def test_the_browser_opens_what_is_revealed_and_hides_it_again(ops: Window, standing: Stand) -> None:
    seen: list[str] = []
    ops.page.on("response", lambda each: seen.append(each.text()) if each.url.endswith("/reveal") else None)
    open_account(ops)
    assert revealed(ops, "the console, network is down") == CHOSEN
    spelled = ops.page.locator("dialog .spelled li").all_text_contents()
    assert spelled[:3] == ["capital charlie", "hotel", "oscar"]
    assert spelled[-2:] == ["hyphen", "one"]
    ops.page.get_by_role("button", name="Copy").click()
    ops.page.locator("dialog").get_by_text("Copied.").wait_for()
    assert ops.page.evaluate("navigator.clipboard.readText()") == CHOSEN
    ops.page.keyboard.press("Escape")
    ops.page.locator("dialog").wait_for(state="detached")
    assert ops.page.locator(".secret").count() == 0
    assert ops.page.evaluate("document.activeElement.textContent").strip().startswith("Account Actions")
    assert seen
    assert not any(CHOSEN in each for each in seen)
    ops.page.reload()
    ops.live("ops revealed the password")
    with Client(standing.server.gateway_url, authority=standing.server.ca_file) as client:
        client.sign_in(PERSON, Secret(PASSWORD))
        (record,) = [each for each in client.audit(50) if each.what == "account.reveal"]
    assert (record.extra["sealed_to"], record.extra["via"]) == ("the person", "page")


def test_a_revealed_password_hides_itself_after_half_a_minute(ops: Window) -> None:
    ops.page.clock.install()
    open_account(ops)
    revealed(ops, "a look")
    ops.page.clock.run_for(20_000)
    ops.page.get_by_role("button", name="Keep 30 s more").click()
    ops.page.clock.run_for(35_000)
    assert ops.page.locator(".secret .char").count() > 0
    ops.page.clock.run_for(6_000)
    ops.page.locator("dialog").wait_for(state="detached")
    assert ops.page.locator(".secret").count() == 0


def test_without_scripts_everything_is_a_page(standing: Stand) -> None:
    with window(standing.browser, standing.origin, scripts=False) as at:
        at.sign_in(PERSON, PASSWORD)
        open_account(at)
        path = at.page.url.removeprefix(at.origin)
        at.go(f"{path}/change")
        at.page.fill("#length", "30")
        at.page.get_by_role("button", name="Save").click()

        def proven() -> bool | None:
            at.page.reload()
            newest = at.page.locator(".time-line li").first
            return newest.get_by_text("Set, and proven").count() == 1 or None

        until(proven, "the proof")
        at.go(f"{path}/reveal")
        at.page.fill("#reason", "no scripts here")
        at.page.fill("#password", PASSWORD)
        at.page.get_by_role("button", name="Reveal").click()
        at.live("The server opened this for you.")
        password = at.page.text_content(".plain code")
        assert password is not None
        assert len(password) == 30
        assert standing.host.opens(NAME, password.encode())
        at.page.get_by_role("link", name="Hide now").click()
        at.live("The server opened it, for a browser without scripts.")
        assert at.wrong == []


@pytest.mark.parametrize(("width", "dark"), [(1_280, False), (390, True)])
def test_every_page_is_without_findings(standing: Stand, width: int, dark: bool) -> None:
    with window(standing.browser, standing.origin, width=width, dark=dark) as at:
        at.go("/sign-in")
        found = {"/sign-in": at.findings()}
        at.sign_in(PERSON, PASSWORD)
        open_account(at)
        account = at.page.url.removeprefix(at.origin)
        at.go("/resources")
        machine = at.page.locator("a.host").first.get_attribute("href") or ""
        for path in (
            "/resources", "/resources?q=nothing-like-it", machine, account, f"{account}/change", f"{account}/adopt",
            f"{account}/verify", f"{account}/reveal", "/notifications", "/admin/agents", "/admin/agents/download",
            "/admin/about", "/audit", "/people", "/people/new", "/people/groups", "/people/groups/new", "/me",
            "/me/password", "/me/second-factor", "/me/access-tokens", "/me/access-tokens/new", f"{machine}/sharing",
            f"{machine}/sharing/new", f"{machine}/owner", "/design", "/nowhere",
        ):  # fmt: skip
            at.go(path)
            found[path] = at.findings()
        at.go(account)
        revealed(at, "a look")
        found["revealed"] = at.findings()
        at.page.keyboard.press("Escape")
        at.page.get_by_role("button", name="Notifications").click()
        found["the bell"] = at.findings()
    assert {path: each for path, each in found.items() if each} == {}


def test_a_menu_takes_the_keys_at_once_also_when_its_part_came_anew(ops: Window) -> None:
    open_account(ops)
    for _ in range(2):
        opened = "document.querySelector('[data-live=actions] .button').click(); document.activeElement.textContent"
        assert ops.page.evaluate(opened).startswith("Change Password")
        ops.page.keyboard.press("ArrowDown")
        assert ops.page.evaluate("document.activeElement.textContent").startswith("Verify Password")
        ops.page.keyboard.press("Escape")
        ops.page.evaluate(
            "(each => each.replaceWith(each.cloneNode(true)))(document.querySelector('[data-live=actions]'))"
        )


def test_a_dialog_is_opened_and_left_by_keyboard_alone(ops: Window) -> None:
    open_account(ops)
    trigger = ops.page.get_by_role("button", name="Account Actions")
    trigger.focus()
    ops.page.keyboard.press("Enter")
    ops.page.keyboard.press("ArrowDown")
    assert ops.page.evaluate("document.activeElement.textContent").startswith("Verify Password")
    ops.page.keyboard.press("Home")
    ops.page.keyboard.press("Enter")
    ops.page.locator("dialog #length").wait_for()
    assert ops.page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
    ops.page.keyboard.press("Escape")
    ops.page.locator("dialog").wait_for(state="detached")
    assert trigger.evaluate("each => each === document.activeElement")
