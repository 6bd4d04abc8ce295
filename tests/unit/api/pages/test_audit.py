"""*Audit* on the page: names instead of identifiers, filters, and both files."""

import csv
import io
import json

import pytest

from libs.domain.accounts import Account
from libs.wire.chain import chains
from tests.unit.api.pages.browser import Browser
from tests.unit.api.world import NOW, World

HOSTILE = "=HYPERLINK(<script>alert(1)</script>)"


@pytest.fixture
async def asked(browsers: dict[str, Browser], account: Account) -> Account:
    """An account of which ben asked something, with a note."""
    await browsers["ben"].fill(f"/accounts/{account.id}/reveal", reason=HOSTILE, password="a-quite-long-password")
    await browsers["ben"].fill(f"/accounts/{account.id}/verify", note="a ticket")
    return account


async def test_records_are_told_by_names_and_without_markup(browsers: dict[str, Browser], asked: Account) -> None:
    text = (await browsers["ada"].get("/audit")).text
    assert "verify.requested" in text
    assert f'<a class="mono" href="/audit?account={asked.id}">{asked.name}</a>' in text
    assert ">dmz-web-01</a>" in text
    assert "&lt;script&gt;" in text
    assert "<script>alert" not in text


async def test_filters_are_by_person_account_and_day(
    world: World, browsers: dict[str, Browser], asked: Account
) -> None:
    ada = browsers["ada"]
    assert "verify.requested" in (await ada.get("/audit?who=ben")).text
    assert "verify.requested" not in (await ada.get("/audit?who=eve")).text
    assert "There is no user named zoe." in (await ada.get("/audit?who=zoe")).text
    assert "verify.requested" in (await ada.get(f"/audit?account={asked.id}")).text
    assert "session.opened" not in (await ada.get(f"/audit?account={asked.id}")).text
    assert world.clock.now() >= NOW
    assert "verify.requested" in (await ada.get("/audit?since=2025-11-25&until=2025-11-25")).text
    assert "No record matches." in (await ada.get("/audit?until=2025-11-24")).text
    assert "There is no day 2025-02-30." in (await ada.get("/audit?since=2025-02-30")).text
    both = (await ada.get(f"/audit?who=ben&account={asked.id}")).text
    assert "Filter by one of account, person and task at a time." in both


async def test_both_files_hold_what_the_filter_wants(browsers: dict[str, Browser], asked: Account) -> None:
    ada = browsers["ada"]
    lines = await ada.get(f"/audit/export?format=jsonl&account={asked.id}")
    found = chains(json.loads(line) for line in lines.text.splitlines())
    assert [list(chain.check()) for chain in found.values()] == [[]]
    table = await ada.get("/audit/export?format=csv&who=ben")
    assert table.headers["content-disposition"] == 'attachment; filename="keyturn-audit.csv"'
    assert "reveal.requested" in table.text
    assert '"session.opened","ben"' in table.text
    cells = [cell for row in csv.reader(io.StringIO(table.text, newline="")) for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not any(cell.startswith("=") for cell in cells)
