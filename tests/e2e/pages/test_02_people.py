"""People in a browser: one is added, sees nothing of others, changes the password; and the audit tells all of it."""

import csv
import io
import json

import pytest

from libs.wire.chain import chains
from tests.e2e.pages.browser import Window, window
from tests.e2e.pages.stand import PASSWORD, PERSON, Stand

pytestmark = [pytest.mark.real, pytest.mark.host]

FIRST, SECOND = "their-first-password", "their-second-password"
CUT = "[...document.querySelectorAll('.table-panel')].filter((each) => each.scrollWidth > each.clientWidth).length"
"""How many tables have something beyond their edge, where nobody sees it."""


def test_a_person_is_added_and_sees_nothing_of_others(ops: Window, standing: Stand) -> None:
    ops.go("/people")
    ops.page.get_by_role("link", name="Add a person").click()
    ops.page.fill("dialog #name", "anna")
    ops.page.fill("dialog #password", FIRST)
    ops.page.fill("dialog #own", "not-their-own")
    ops.page.get_by_role("button", name="Add").click()
    ops.page.locator("dialog .wrong", has_text="This is not your password.").wait_for()
    ops.page.fill("dialog #password", FIRST)
    ops.page.fill("dialog #own", PASSWORD)
    ops.page.get_by_role("button", name="Add").click()
    ops.live("2 people may sign in.")
    with window(standing.browser, standing.origin) as at:
        at.sign_in("anna", FIRST)
        at.live("No machine yet")
        assert at.page.locator(".bar-in > nav a").all_text_contents() == ["Resources", "Agents"]
        at.go("/audit")
        at.live("Only an administrator or an auditor may see this.")
        at.go("/me")
        at.page.get_by_role("link", name="Change my password").click()
        at.page.fill("dialog #own", FIRST)
        at.page.fill("dialog #password", SECOND)
        at.page.get_by_role("button", name="Save").click()
        at.live("You were signed out everywhere else.")
        assert at.wrong == []
    with window(standing.browser, standing.origin) as at:
        at.sign_in("anna", SECOND)


def test_the_audit_is_exported_whole_and_as_a_table(ops: Window) -> None:
    ops.go("/audit?who=anna")
    ops.live("password.changed")
    ops.go("/audit")
    with ops.page.expect_download() as saving:
        ops.page.get_by_role("link", name="Export as JSON lines").click()
    text = saving.value.path().read_text()
    found = chains(json.loads(line) for line in text.splitlines())
    assert {"gateway", "bundler"} <= found.keys()
    assert {name: (list(chain.check()), chain.gaps) for name, chain in found.items()} == dict.fromkeys(found, ([], 0))
    with ops.page.expect_download() as saving:
        ops.page.get_by_role("link", name="Export as CSV").click()
    head, *rows = csv.reader(io.StringIO(saving.value.path().read_text(), newline=""))
    assert "session.opened" in {row[head.index("what")] for row in rows}


def test_a_long_name_breaks_in_its_place(ops: Window, standing: Stand) -> None:
    """The longest user name that there is pushes nothing out of sight, neither of the page nor of a table."""
    longest = "x" * 64
    ops.go("/people/new")
    ops.page.fill("#name", longest)
    ops.page.fill("#password", FIRST)
    ops.page.fill("#own", PASSWORD)
    ops.page.get_by_role("button", name="Add").click()
    ops.page.wait_for_url("**/people")
    for width in (1_280, 760, 390):
        with window(standing.browser, standing.origin, width=width) as at:
            at.sign_in(PERSON, PASSWORD)
            for path in ("/people", f"/audit?who={longest}", "/audit"):
                at.go(path)
                assert at.findings() == [], (width, path)
                assert at.page.evaluate(CUT) == 0, (width, path)
        with window(standing.browser, standing.origin, width=width) as at:
            at.sign_in(longest, FIRST)
            at.page.get_by_role("button", name=longest).click()
            assert at.findings() == [], width
