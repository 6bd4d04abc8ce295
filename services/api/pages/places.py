"""The paths of pages: which are ours, and to which a browser may be sent after it signed in."""

import re

HOME = "/resources"
NOUNS = frozenset({
    *("", "set-up", "sign-in", "sign-out", "static", "design"),
    *("resources", "accounts", "tasks", "notifications", "admin", "audit", "people", "me"),
})  # fmt: skip
"""The first part of every page's path."""

_PLACE = re.compile(
    r"/(resources|accounts|tasks|notifications|admin|audit|people|me|design)"
    r"(/[a-z0-9_-]+)*(\?[A-Za-z0-9_=&%.+-]{0,1000})?"
)


def is_page(path: str) -> bool:
    """Whether a path is one of a page's."""
    return path.split("/", 2)[1:2] != [] and path.split("/", 2)[1] in NOUNS


def place(text: str | None) -> str:
    """A page to go to; the first one where `text` is none of ours, so that nobody is sent to another server."""
    return text if text is not None and _PLACE.fullmatch(text) else HOME


def after_signing_in(path: str) -> str:
    """Where a person begins again whose form found nobody signed in: at the form, or at the task that it was about."""
    return path.removesuffix("/cancel").removesuffix("/discover")
