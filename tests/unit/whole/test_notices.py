"""Notices, whole: agents that run follow, agents that were off follow later, and a reset works in each phase."""

import asyncio
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from libs.store.presence import Presences
from libs.wire.notice import Notice, Notices, SignedNotice, sign_notice
from tests.unit.whole.test_keys import kept, until
from tests.unit.whole.test_revocation import ends, revoke
from tests.unit.whole.test_tokens import managed
from tests.unit.whole.world import Machine, Whole

Key = Ed25519PrivateKey


def raw(*keys: Key) -> tuple[bytes, ...]:
    return tuple(key.public_key().public_bytes_raw() for key in keys)


def says(system: Whole, serial: int, *tasks: Key, by: tuple[Key, ...] = ()) -> SignedNotice:
    """A notice with these task keys, signed by them and by `by`."""
    keys = system.keys
    notice = Notice(
        serial=serial,
        issued_at=system.clock.now(),
        server_authorities=(keys.servers.certificate.public_bytes(Encoding.DER),),
        task_keys=raw(*tasks),
        configuration_keys=raw(keys.configuration),
        release_keys=(),
        vault_keys=(keys.vault.public_key().public_bytes_raw(),),
        recovery_keys=(keys.recovery.public_key().public_bytes_raw(),),
    )
    return sign_notice(notice, (*tasks, *by, keys.configuration))


def hang(system: Whole, *notices: SignedNotice) -> None:
    """The file of notices, as the gateway has it."""
    (system.folder / "notices.json").write_bytes(Notices(notices=notices).to_bytes())
    system.gateway.board.look()


async def scheduler_signs_by(system: Whole, key: Key) -> None:
    await system.end("scheduler")
    system.keys.task = key
    system.begin_scheduler()


async def follows(system: Whole, machine: Machine, serial: int, seconds: float = 60.0) -> None:
    """The server has heard from the agent itself that it follows."""
    agent = kept(machine)["agent"]
    async with asyncio.timeout(seconds):
        while True:
            presence = await Presences(system.server.store()).get(agent)
            if presence is not None and presence.notice == serial:
                return
            await asyncio.sleep(0.01)


async def resets(system: Whole, machine: Machine, account: dict[str, Any], password: str) -> None:
    ended = await system.task_ends((await system.reset(account["id"], password=password))["id"])
    assert ended["state"] == "done", ended
    assert machine.live() == password.encode()


async def poll_ends(system: Whole, machine: Machine) -> None:
    """The poll that is held ends, as it does within fifty seconds."""
    await until(lambda: system.gateway.mailroom.waiting > 0)
    system.gateway.mailroom.dismiss(kept(machine)["agent"])


async def test_the_task_key_is_rolled_over_and_back_while_the_agent_runs(system: Whole, machine: Machine) -> None:
    account = await system.account("deploy")
    old, new = system.keys.task, Ed25519PrivateKey.generate()
    await resets(system, machine, account, "Before-everything-1")
    chain = [says(system, 1, old, new)]
    hang(system, *chain)
    await poll_ends(system, machine)
    await follows(system, machine, 1)
    await resets(system, machine, account, "Announced-and-signed-by-the-old-2")
    await scheduler_signs_by(system, new)
    await resets(system, machine, account, "In-use-3")
    await scheduler_signs_by(system, old)
    await resets(system, machine, account, "Back-in-the-middle-4")
    await scheduler_signs_by(system, new)
    chain.append(says(system, 2, new, by=(old,)))
    hang(system, *chain)
    await poll_ends(system, machine)
    await follows(system, machine, 2)
    await resets(system, machine, account, "Retired-5")
    await scheduler_signs_by(system, old)  # and back, by a notice that the retired key could not have brought alone
    chain.append(says(system, 3, old, new))
    hang(system, *chain)
    await poll_ends(system, machine)
    await follows(system, machine, 3)
    await resets(system, machine, account, "Back-from-the-end-6")


async def test_an_agent_that_was_off_for_all_of_it_follows_before_its_first_job(
    system: Whole, machine: Machine
) -> None:
    account = await system.account("deploy")
    old, middle, new = system.keys.task, Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    await machine.stop()
    hang(
        system,
        says(system, 1, old, middle),
        says(system, 2, middle),
        says(system, 3, middle, new),
        says(system, 4, new),
    )
    await scheduler_signs_by(system, new)
    task = await system.reset(account["id"], password="Signed-by-a-key-it-never-heard-of-1")
    await system.until("the queue", f"/v1/tasks/{task['id']}", lambda seen: seen["state"] == "queued")
    machine.start()
    assert (await system.task_ends(task["id"]))["state"] == "done"
    assert machine.live() == b"Signed-by-a-key-it-never-heard-of-1"
    await follows(system, machine, 4)


async def test_a_job_by_a_retired_key_is_not_carried_out(system: Whole, machine: Machine) -> None:
    account = await system.account("deploy")
    old, new = system.keys.task, Ed25519PrivateKey.generate()
    hang(system, says(system, 1, old, new), says(system, 2, new))
    await poll_ends(system, machine)
    await follows(system, machine, 2)
    before = machine.live()
    await system.reset(account["id"], password="By-whoever-has-the-old-key-1")
    await until(lambda: "job_not_trusted" in (machine.folder / "status.json").read_text())
    assert machine.live() == before


async def test_a_notice_of_nobody_changes_nothing_and_strands_nobody(system: Whole, machine: Machine) -> None:
    account = await system.account("deploy")
    thief = Ed25519PrivateKey.generate()
    hang(system, says(system, 7, thief))
    await poll_ends(system, machine)
    await until(lambda: system.gateway.mailroom.waiting > 0)
    await resets(system, machine, account, "As-if-nothing-had-been-1")
    await follows(system, machine, 0)


async def test_a_notice_that_could_not_be_taken_is_asked_for_again_within_the_interval(
    system: Whole, machine: Machine
) -> None:
    """One answer that was lost kept an agent from following for as long as its session lasted."""
    await system.account("deploy")
    held = system.gateway.mailroom
    hang(system, says(system, 7, Ed25519PrivateKey.generate()))
    await poll_ends(system, machine)
    await until(lambda: held.waiting == 0)
    await until(lambda: held.waiting > 0)
    hang(system, says(system, 7, system.keys.task, Ed25519PrivateKey.generate()))
    await follows(system, machine, 7, 30.0)  # the interval is five here, and a session lasts longer


async def test_a_revocation_by_a_task_key_that_it_never_heard_of_is_believed_once_it_followed(system: Whole) -> None:
    """It was off while the key was rolled over, and is told nothing by a session, because it gets none."""
    machine, _ = await managed(system)
    old, new = system.keys.task, Ed25519PrivateKey.generate()
    agent = kept(machine)["agent"]
    await machine.stop()
    hang(system, says(system, 1, old, new), says(system, 2, new))
    await scheduler_signs_by(system, new)
    assert (await revoke(system, agent)).json()["state"] == "revoked"
    machine.start()
    assert "agent_revoked" in await ends(machine)
