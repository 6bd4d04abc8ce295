"""`python -m tests.screenshots`: takes the pictures; exit status 0 when all are taken, 1 where Chromium is missing."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from tests.screenshots.stage import Stage, stage
from tests.unit.whole.composition import PERSON, PERSONS_PASSWORD

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
SHOWN = ROOT / "docs" / "screenshots"
WIDE, NARROW = 1_280, 390

Act = Callable[[Page], Awaitable[None]]


async def _nothing(_page: Page) -> None:
    """The page as it is."""


def dialog(trigger: str, field: str) -> Act:
    """A dialog over the page."""

    async def act(page: Page) -> None:
        await page.click(trigger)
        await page.wait_for_selector(f"dialog {field}")

    return act


def menu_entry(word: str, field: str) -> Act:
    """A dialog that *Account Actions* opens."""

    async def act(page: Page) -> None:
        await page.get_by_role("button", name="Account Actions").click()
        await page.locator(".menu:popover-open .item", has_text=word).click()
        await page.wait_for_selector(f"dialog {field}")

    return act


async def revealed(page: Page) -> None:
    """A revealed password."""
    await menu_entry("Reveal", "#reason")(page)
    await page.fill("dialog #reason", "Console log-in, network is down")
    await page.fill("dialog #password", PERSONS_PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("dialog .secret .char")


def typed(password: str) -> Act:
    """The form of a new password, with one that is typed in clear."""

    async def act(page: Page) -> None:
        await menu_entry("Change Password", "#length")(page)
        await page.locator("dialog").get_by_text("Type", exact=True).click()
        await page.get_by_role("button", name="Show what you type").click()
        await page.fill("dialog #password", password)

    return act


async def bell(page: Page) -> None:
    """The bell, open."""
    await page.get_by_role("button", name="Notifications").click()


def pictures(on: Stage) -> dict[str, tuple[str, Act]]:
    """Each picture: its page, and what is done there first."""
    root, postgres = f"/accounts/{on.accounts['root']}", f"/accounts/{on.accounts['postgres']}"
    return {
        "resources": ("/resources", _nothing),
        "passwords": (f"/resources/{on.resource}", _nothing),
        "passwords-quarantined": (f"/resources/{on.copied}", _nothing),
        "account-uncertain": (postgres, _nothing),
        "change": (root, menu_entry("Change Password", "#length")),
        "change-weak": (root, typed("Root-2026!")),
        "change-strong": (root, typed("quiet-harbour-7-lanterns")),
        "reveal": (root, revealed),
        "bell": ("/resources", bell),
        "notifications": ("/notifications", _nothing),
        "agents": ("/admin/agents", _nothing),
        "choose": (f"/admin/agents/{on.copied}/choose", _nothing),
        "download": ("/admin/agents", dialog("#download", "#host_pattern")),
        "audit": ("/audit", _nothing),
        "people": ("/people", _nothing),
        "groups": ("/people/groups", _nothing),
        "sharing": (f"/resources/{on.resource}/sharing", _nothing),
        "share": (f"/resources/{on.resource}/sharing", dialog("#share", "#with")),
        "me": ("/me", _nothing),
        "second-factor": ("/me/second-factor", _nothing),
        "access-token": ("/me/access-tokens/new", _nothing),
        "about": ("/admin/about", _nothing),
        "components": ("/design", _nothing),
    }


@asynccontextmanager
async def signed_in(browser: Browser, on: Stage, width: int, scheme: str) -> AsyncIterator[Page]:
    """A window of this width and colours."""
    context = await browser.new_context(
        ignore_https_errors=True,
        viewport={"width": width, "height": 860},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = await context.new_page()
    await page.goto(f"{on.origin}/sign-in")
    await page.fill("#name", PERSON)
    await page.fill("#password", PERSONS_PASSWORD)
    await page.click("button[type=submit]")
    await page.wait_for_url("**/resources")
    yield page
    await context.close()


async def take(on: Stage, to: Path) -> None:
    """Every picture, four ways."""
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for size, width in (("wide", WIDE), ("narrow", NARROW)):
            for scheme in ("light", "dark"):
                async with signed_in(browser, on, width, scheme) as page:
                    for name, (path, act) in pictures(on).items():
                        await page.goto(f"{on.origin}{path}")
                        await act(page)
                        over = await page.locator("dialog[open], .menu:popover-open").count()
                        await page.screenshot(path=to / f"{name}-{size}-{scheme}.png", full_page=not over)
        await browser.close()


async def photograph(to: Path) -> None:
    """Sets the stage and takes every picture."""
    with tempfile.TemporaryDirectory() as folder:
        async with stage(Path(folder)) as on:
            await take(on, to)


def main() -> int:
    """The exit status."""
    if not CHROMIUM.exists():
        print("The pictures are taken by Debian's Chromium: apt-get install chromium", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(dir=SHOWN.parent) as aside:
        asyncio.run(photograph(Path(aside)))
        taken = sorted(Path(aside).iterdir())
        for picture in taken:
            picture.replace(SHOWN / picture.name)
    print(f"{len(taken)} pictures are in {SHOWN}. The repository keeps those that the README shows.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
