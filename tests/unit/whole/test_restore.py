"""The store is put back to an earlier copy: what the vault no longer knows comes back from the agent's escrow."""

import copy
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.store.epoch import Epoch, EpochStore
from services.scheduler.witness import FileWitness, MemoryWitness
from tests.unit.whole.composition import Composition
from tests.unit.whole.world import Machine, Whole

FIRST, SECOND, THIRD = "Before-the-copy-1", "After-the-copy-2", "After-the-restore-3"


def copied(system: Whole) -> Any:
    return copy.deepcopy(system.server._shelves)


async def put_back(system: Whole, machine: Machine, copy_of_store: Any, *, told: bool, witness: bool) -> None:
    """The services end, the copy takes the store's place, and they begin again."""
    await machine.stop()
    for name in ("gateway", "scheduler", "bundler"):
        await system.end(name)
    system.gateway.close()
    system.server._shelves = copy_of_store
    if not witness:
        system.parts = Composition(system.folder, system.keys)
    if told:
        await EpochStore(system.server.store()).begin(system.clock.now() // 1000)
    system.begin_gateway()
    system.begin_scheduler()
    system.begin_bundler()
    system.person._transport = httpx.ASGITransport(system.gateway.app)
    machine.start()


async def set_to(system: Whole, account: str, password: str) -> None:
    ended = await system.task_ends((await system.reset(account, password=password))["id"])
    assert ended["state"] == "done", ended


async def in_sync(system: Whole, account: str, versions: int) -> None:
    """Proven, with so many versions in the vault."""

    def holds(seen: Any) -> bool:
        return seen["status"] == "in_sync" and len(seen["versions"]) == versions

    await system.until("the proof", f"/v1/accounts/{account}", holds)


@pytest.mark.parametrize("told", [True, False], ids=["the operator says so", "the witness notices"])
async def test_a_password_set_after_the_copy_comes_back(system: Whole, machine: Machine, *, told: bool) -> None:
    account = (await system.account("deploy"))["id"]
    await set_to(system, account, FIRST)
    before = copied(system)
    await set_to(system, account, SECOND)
    await put_back(system, machine, before, told=told, witness=not told)
    await in_sync(system, account, 2)
    assert await system.reveal(account) == [SECOND.encode()]
    await set_to(system, account, THIRD)
    assert await system.reveal(account) == [THIRD.encode()]


@pytest.mark.parametrize("told", [True, False], ids=["the operator says so", "the witness notices"])
async def test_an_account_that_the_copy_does_not_manage_is_managed_again(
    system: Whole, machine: Machine, *, told: bool
) -> None:
    account = (await system.account("deploy"))["id"]
    before = copied(system)
    await set_to(system, account, FIRST)
    await put_back(system, machine, before, told=told, witness=not told)
    await in_sync(system, account, 1)
    assert await system.reveal(account) == [FIRST.encode()]


async def test_even_where_nobody_noticed_the_agent_tells(system: Whole, machine: Machine) -> None:
    account = (await system.account("deploy"))["id"]
    await set_to(system, account, FIRST)
    before = copied(system)
    await set_to(system, account, SECOND)
    await put_back(system, machine, before, told=False, witness=False)
    await in_sync(system, account, 2)
    assert await system.reveal(account) == [SECOND.encode()]
    await set_to(system, account, THIRD)
    assert await system.reveal(account) == [THIRD.encode()]


def test_the_witness_is_whole_or_not_there(tmp_path: Path) -> None:
    file = FileWitness(tmp_path / "witness.json")
    assert file.read() == MemoryWitness().read()
    file.keep(Epoch(1_764_000_000, 7))
    assert file.read() == Epoch(1_764_000_000, 7)
    assert FileWitness(tmp_path / "witness.json").read() == Epoch(1_764_000_000, 7)
    (tmp_path / "witness.json").write_text("{")
    with pytest.raises(ValueError, match="Expecting"):
        file.read()
