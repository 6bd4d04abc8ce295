"""The vault key is rolled over: every version is sealed to the one in use, and none is lost, there and back."""

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from libs.store.accounts import Accounts
from libs.vault.open import Opener
from tests.unit.whole.world import Machine, Whole

Key = X25519PrivateKey
new_key = X25519PrivateKey.generate
FIRST, SECOND = "Sealed-to-the-old-key-1", "Sealed-to-the-new-key-2"


async def holds(system: Whole, machine: Machine, in_use: Key, *beside: Key) -> None:
    """Scheduler and gateway are restarted with these keys."""
    await machine.stop()
    for name in ("gateway", "scheduler"):
        await system.end(name)
    system.gateway.close()
    system.keys.uses_vault_key(in_use, *beside)
    system.begin_gateway()
    system.begin_scheduler()
    system.person._transport = httpx.ASGITransport(system.gateway.app)
    machine.start()


async def sets(system: Whole, account: str, password: str) -> None:
    ended = await system.task_ends((await system.reset(account, password=password))["id"])
    assert ended["state"] == "done", ended


async def opened_by(system: Whole, account: str, key: Key) -> list[bytes]:
    """Every version of the account, newest first, as this key alone opens it."""
    found = await Accounts(system.server.store()).get(account)
    assert found is not None
    return [
        Opener(key).at_rest(each.sealed, account, str(each.generation)).reveal()
        for each in found.rotation.versions
        if each.sealed is not None
    ]


async def test_forth_and_back_from_each_phase(system: Whole, machine: Machine) -> None:
    account = (await system.account("deploy"))["id"]
    old, new = system.keys.vault, new_key()
    await sets(system, account, FIRST)
    await holds(system, machine, old, new)  # announced
    assert await system.scheduler.resealing.sweep() == 0
    await holds(system, machine, new, old)  # in use
    await sets(system, account, SECOND)
    assert await system.reveal(account) == [SECOND.encode()]
    assert await system.scheduler.resealing.sweep() == 1
    assert await system.scheduler.resealing.sweep() == 0
    both = [SECOND.encode(), FIRST.encode()]
    assert await opened_by(system, account, new) == both
    assert await opened_by(system, account, system.keys.recovery) == both
    await holds(system, machine, old, new)  # back
    assert await system.scheduler.resealing.sweep() == 2
    assert await opened_by(system, account, old) == both
    await holds(system, machine, new, old)
    await system.scheduler.resealing.sweep()
    await holds(system, machine, new)  # the end: nobody has the old one
    assert not system.scheduler.resealing.under_way
    assert await system.reveal(account) == [SECOND.encode()]
    await sets(system, account, "At-the-end-3")
    assert machine.live() == b"At-the-end-3"


async def test_while_a_reset_is_in_flight(system: Whole, machine: Machine) -> None:
    """The agent was killed with the job in hand, whose escrow is sealed to the old key."""
    account = (await system.account("deploy"))["id"]
    old, new = system.keys.vault, new_key()
    machine.backend.dies = "after"
    task = await system.reset(account, password=FIRST)
    await machine.dies()
    machine.backend.dies = None
    system.keys.uses_vault_key(new, old)
    await system.end("scheduler")
    system.begin_scheduler()
    assert await system.scheduler.resealing.sweep() == 1
    machine.start()
    assert (await system.task_ends(task["id"]))["state"] == "done"
    assert await opened_by(system, account, new) == [FIRST.encode()]


async def test_what_no_key_opens_is_left_as_it_is(system: Whole, machine: Machine) -> None:
    account = (await system.account("deploy"))["id"]
    await sets(system, account, FIRST)
    old, new = system.keys.vault, new_key()
    system.keys.uses_vault_key(new, new_key())
    await system.end("scheduler")
    system.begin_scheduler()
    assert await system.scheduler.resealing.sweep() == 1
    assert await opened_by(system, account, old) == [FIRST.encode()]
    assert machine.live() == FIRST.encode()


@pytest.mark.parametrize("key", ["in use", "before"])
async def test_a_password_typed_for_either_key_is_taken(system: Whole, machine: Machine, key: str) -> None:
    """A gateway that was not restarted yet seals to the key before."""
    account = (await system.account("deploy"))["id"]
    old, new = system.keys.vault, new_key()
    system.keys.uses_vault_key(*((new, old) if key == "before" else (old, new)))
    await system.end("scheduler")
    system.begin_scheduler()
    await sets(system, account, FIRST)
    assert machine.live() == FIRST.encode()
