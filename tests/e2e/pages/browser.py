"""Debian's own Chromium, and what every page is held to: no message on the console, no request to another server, no
finding of axe-core, and nothing that sticks out at the side.
"""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.lab.host import Host

CHROMIUM = Path("/usr/bin/chromium")
_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_NOTED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
"""The browser's own note of a form that was refused on purpose."""


@dataclass
class Window:
    """One person's window: a page in a session of its own, and what went wrong in it."""

    page: Page
    origin: str
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if not _NOTED.search(message.text):
            self.wrong.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme != "blob" and f"{address.scheme}://{address.netloc}" != self.origin:
            self.wrong.append(f"asked elsewhere: {request.url}")

    def go(self, path: str) -> None:
        """Opens a page of this server."""
        self.page.goto(f"{self.origin}{path}")

    def sign_in(self, name: str, password: str) -> None:
        """By the form."""
        self.go("/sign-in")
        self.page.fill("#name", name)
        self.page.fill("#password", password)
        self.page.click("button[type=submit]")
        self.page.wait_for_url("**/resources")

    def live(self, text: str, seconds: float = 60.0) -> None:
        """Returns as soon as the page shows `text`, without being loaded again."""
        self.page.locator("main").get_by_text(text).first.wait_for(timeout=seconds * 1_000)

    def findings(self) -> list[str]:
        """What is wrong with the page as it is."""
        found: list[dict[str, Any]] = self.page.evaluate(
            f"{_AXE}; axe.run({{runOnly: {list(_RULES)}}}).then((each) => each.violations)"
        )
        axe = [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return [*axe, *([f"{wide} px stick out at the side"] if wide > 0 else []), *self.wrong]


@contextmanager
def chromium(desk: Host, folder: Path) -> Iterator[Browser]:
    """One browser; root may not use its sandbox, and it looks at nothing but this server's pages.

    It has the network of `desk`: it gives up what it loads whenever an address comes or goes, and on this machine those
    of other labs do.
    """
    command = folder / "chromium"
    command.write_text(f'#!/bin/sh\nexec {shlex.join(desk.wired([str(CHROMIUM)]))} "$@"\n')
    command.chmod(0o700)
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=command, args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()


@contextmanager
def window(
    browser: Browser, origin: str, *, width: int = 1_280, dark: bool = False, scripts: bool = True
) -> Iterator[Window]:
    """A window; the authority of a server that was made a minute ago is in no browser's list."""
    context = browser.new_context(
        ignore_https_errors=True,
        viewport={"width": width, "height": 860},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(60_000)
    try:
        yield Window(context.new_page(), origin)
    finally:
        context.close()
