"""The audit's export: a chain that fits together, and a file that no spreadsheet takes for formulas."""

import csv
import io
import json
from typing import Any

import pytest

from libs.store.audit import Audit, AuditRecord, Who
from libs.store.schema import Service
from libs.wire.chain import chains
from libs.wire.ids import Noun, new_id
from tests.unit.api.world import NOW, World

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", '=HYPERLINK("x")')  # noqa: RUF001


async def record(world: World, what: str = "account.reveal", **given: Any) -> None:
    """One of the scheduler's."""
    audit = Audit(world.server.store(Service.SCHEDULER), Service.SCHEDULER)
    whole = AuditRecord(id=new_id(Noun.AUDIT), at=NOW, who=Who(id=new_id(Noun.USER), name="ben"), what=what, **given)
    assert await audit.append(whole)


async def test_the_lines_of_an_export_are_each_services_chain(world: World, people: dict[str, dict[str, str]]) -> None:
    for n in range(3):
        await record(world, reason=f"{n}")
    answer = await world.client.get("/v1/audit/export", headers=people["ada"])
    assert answer.headers["content-type"] == "application/jsonl"
    assert answer.headers["content-disposition"] == 'attachment; filename="keyturn-audit.jsonl"'
    found = chains(json.loads(line) for line in answer.text.splitlines())
    assert {service: (list(chain.check()), chain.gaps) for service, chain in found.items()} == {
        "gateway": ([], 0),
        "scheduler": ([], 0),
    }
    assert found["scheduler"].end.seq == 3
    assert '"audit.exported"' in answer.text


async def test_no_cell_begins_as_a_formula_does(world: World, people: dict[str, dict[str, str]]) -> None:
    for each in FORMULAS:
        await record(world, reason=each)
    answer = await world.client.get("/v1/audit/export", params={"format": "csv"}, headers=people["ada"])
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    head, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    assert head[0] == "time"
    reasons = [row[head.index("reason")] for row in rows if row[head.index("service")] == "scheduler"]
    assert sorted(reasons) == sorted(f"'{each}" for each in FORMULAS)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)


async def test_an_export_is_filtered_as_the_list_is(world: World, people: dict[str, dict[str, str]]) -> None:
    account, other = new_id(Noun.ACCOUNT), new_id(Noun.ACCOUNT)
    await record(world, account=account)
    await record(world, account=other)
    answer = await world.client.get("/v1/audit/export", params={"account": account}, headers=people["ada"])
    (line,) = answer.text.splitlines()
    assert json.loads(line)["record"]["account"] == account
    two = {"account": account, "task": new_id(Noun.TASK)}
    assert (await world.client.get("/v1/audit/export", params=two, headers=people["ada"])).status_code == 422


@pytest.mark.parametrize("name", ["ben", "eve"])
async def test_nobody_else_takes_an_export(world: World, people: dict[str, dict[str, str]], name: str) -> None:
    await record(world)
    answer = await world.client.get("/v1/audit/export", headers=people[name])
    assert (answer.status_code, "account.reveal" in answer.text) == (403, False)
