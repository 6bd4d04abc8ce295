"""An agent's keys over the years: renewed in time, renewed after months off, and no reset stranded by it."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from agent.identity import Identity
from libs.store.certificates import Certificates
from tests.unit.whole.composition import PERSON, PERSONS_PASSWORD
from tests.unit.whole.world import Machine, Whole

DAY, HOUR = 86_400_000, 3_600_000


def kept(machine: Machine) -> dict[str, Any]:
    """What the agent's disk says of its identity."""
    return dict(json.loads((machine.folder / "state" / "identity.json").read_text()))


def state(machine: Machine) -> Identity:
    """The identity as a process reads it that begins now."""
    return Identity(machine.folder / "state")


async def goes_by(system: Whole, millis: int) -> None:
    """Time goes by on the server, and the person signs in again."""
    system.clock.ahead += millis
    answer = await system.person.post("/v1/sessions", json={"name": PERSON, "password": PERSONS_PASSWORD})
    assert answer.status_code == 201, answer.text
    system.person.headers["authorization"] = f"Bearer {answer.json()['token']}"


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what a file says gives no event
            await asyncio.sleep(0.01)


async def off_for(machine: Machine, days: int) -> None:
    """The machine sleeps. Its own clock does not notice, so it is behind by all that time."""
    await machine.stop()
    await goes_by(machine.whole, days * DAY)
    machine.start()


async def renewed(machine: Machine, times: int) -> None:
    await until(lambda: kept(machine)["pair"] == times and kept(machine)["next"] is None)


async def resets(system: Whole, machine: Machine) -> None:
    account = await system.account("deploy")
    assert (await system.task_ends((await system.reset(account["id"]))["id"]))["state"] == "done"
    assert (await system.reveal(account["id"]))[0] == machine.live()


async def test_it_renews_at_two_thirds_and_not_before(system: Whole, machine: Machine) -> None:
    await resets(system, machine)
    await off_for(machine, 19)
    await resets(system, machine)
    assert kept(machine)["pair"] == 0
    await off_for(machine, 2)
    await renewed(machine, 1)
    await resets(system, machine)
    line = await Certificates(system.server.store()).line(kept(machine)["agent"])
    assert len(line) == 2
    shown = (await system.person.get("/v1/agents")).json()["items"]
    assert [each["state"] for each in shown] == ["active"]


async def test_it_renews_again_and_again(system: Whole, machine: Machine) -> None:
    await system.account("deploy")
    for times in range(1, 5):
        await off_for(machine, 21)
        await renewed(machine, times)
    await resets(system, machine)
    assert kept(machine)["retired"] == [3]


async def test_after_months_off_the_bound_key_renews_and_a_reset_that_waited_is_carried_out(
    system: Whole, machine: Machine
) -> None:
    """The job was sealed to the key whose certificate expired meanwhile."""
    account = await system.account("deploy")
    machine.backend.dies = "before"  # with the job fetched, its intent journalled, and nothing set
    task = await system.reset(account["id"], password="Asked-for-before-the-winter-1")
    await machine.dies()
    machine.backend.dies = None
    await goes_by(system, 200 * DAY)
    await system.scheduler.sweeper.sweep()
    machine.start()
    await renewed(machine, 1)
    path = f"/v1/accounts/{account['id']}"
    settled = ("in_sync", "unmanaged", "drift")
    await system.until("a settled account", path, lambda seen: seen["status"] in settled and seen["flight"] is None)
    assert not (await system.person.get(f"/v1/tasks/{task['id']}")).json()["open"]
    await resets(system, machine)


async def test_a_job_sealed_to_the_key_before_is_opened_after_the_renewal(system: Whole, machine: Machine) -> None:
    account = await system.account("deploy")
    await machine.stop()
    await goes_by(system, 30 * DAY - HOUR)
    task = await system.reset(account["id"], password="Sealed-to-the-first-key-1")
    await system.until("the job", f"/v1/tasks/{task['id']}", lambda seen: seen["state"] == "queued")
    await goes_by(system, 2 * HOUR)  # its certificate expires while the task is open
    machine.start()
    assert (await system.task_ends(task["id"]))["state"] == "done"
    assert machine.live() == b"Sealed-to-the-first-key-1"
    assert (kept(machine)["pair"], kept(machine)["retired"]) == (1, [0])


async def test_an_expired_key_may_renew_and_nothing_else(system: Whole, machine: Machine) -> None:
    """While the bundler's store is away nothing goes, and when it is back the agent goes on by itself."""
    await system.account("deploy")
    system.stores["bundler"].faults.away = True
    await off_for(machine, 31)
    await until(lambda: "bundler_busy" in (machine.folder / "status.json").read_text())
    assert (kept(machine)["pair"], kept(machine)["next"]) == (0, 1)
    system.stores["bundler"].faults.away = False
    await renewed(machine, 1)
    await resets(system, machine)


async def test_a_server_that_lost_the_renewal_takes_the_old_key(system: Whole, machine: Machine) -> None:
    """As where its store was put back: the key before is still there, and asks again."""
    await system.account("deploy")
    identity = state(machine)
    identity.prepare()
    await machine.stop()
    identity.certified(b"of a renewal that the store has lost")
    machine.start()
    await until(lambda: state(machine).successor is None)
    await resets(system, machine)
