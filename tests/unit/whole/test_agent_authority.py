"""The agent authority is rolled over, and back from each phase: agents renew at once, one that slept renews later."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from cryptography.x509 import load_pem_x509_certificate

from agent.transport import wall_clock
from libs.pki.check import AgentAuthorities, issued_by
from libs.pki.issue import Authority, Use, make_authority
from libs.store.certificates import Certificates
from libs.store.jobs import Jobs, JobState
from tests.unit.whole.test_keys import DAY, goes_by, kept, resets, until
from tests.unit.whole.world import Machine, Whole


async def trusted(
    system: Whole, machine: Machine, in_use: Authority, *, beside: tuple[Authority, ...] = (), retired: Any = ()
) -> None:
    """Every process is restarted with these authorities; the machine too, if it ran."""
    running = machine._life is not None
    await machine.stop()
    for name in ("gateway", "scheduler", "bundler"):
        await system.end(name)
    system.gateway.close()
    system.keys.agents = in_use
    system.keys.known = AgentAuthorities(
        in_use.certificate, tuple(each.certificate for each in beside), tuple(each.certificate for each in retired)
    )
    system.begin_gateway()
    system.begin_scheduler()
    system.begin_bundler()
    system.person._transport = httpx.ASGITransport(system.gateway.app)
    if running:
        machine.start()


async def of(system: Whole, machine: Machine, authority: Authority) -> None:
    """The agent's newest certificate is of this authority, and it is in use."""
    async with asyncio.timeout(60):
        while True:
            newest = await Certificates(system.server.store()).active(kept(machine)["agent"])
            assert newest is not None
            if (
                issued_by(load_pem_x509_certificate(newest.pem), authority.certificate)
                and kept(machine)["next"] is None
            ):
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def sweeping(system: Whole) -> AsyncIterator[None]:
    """The scheduler sweeps, and a minute goes by between two sweeps."""

    async def sweep() -> None:
        while True:
            await system.scheduler.sweeper.sweep()
            system.clock.ahead += 60_000
            await asyncio.sleep(0.5)

    task = asyncio.ensure_future(sweep())
    try:
        yield
    finally:
        task.cancel()
        for ended in await asyncio.gather(task, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


def another() -> Authority:
    return make_authority(Use.AGENTS, now=wall_clock())


async def test_forth_and_back_from_each_phase(system: Whole, machine: Machine) -> None:
    await resets(system, machine)
    old, new = system.keys.agents, another()
    await trusted(system, machine, old, beside=(new,))  # announced
    await resets(system, machine)
    await of(system, machine, old)
    await trusted(system, machine, new, beside=(old,))  # in use
    await of(system, machine, new)
    await resets(system, machine)
    await trusted(system, machine, old, beside=(new,))  # back
    await of(system, machine, old)
    await resets(system, machine)
    await trusted(system, machine, new, beside=(old,))
    await of(system, machine, new)
    await trusted(system, machine, new, retired=(old,))  # retired
    await resets(system, machine)
    await trusted(system, machine, old, beside=(new,))  # and back from there
    await of(system, machine, old)
    await resets(system, machine)
    shown = (await system.person.get("/v1/agents")).json()["items"]
    assert [each["state"] for each in shown] == ["active"]


async def test_an_agent_that_slept_renews_by_its_bound_key_and_a_reset_waits_for_it(
    system: Whole, machine: Machine
) -> None:
    account = await system.account("deploy")
    old, new = system.keys.agents, another()
    await machine.stop()
    await goes_by(system, 200 * DAY)
    await trusted(system, machine, new, retired=(old,))
    task = await system.reset(account["id"], password="Not-sealed-to-a-retired-certificate-1")
    await system.until("the queue", f"/v1/tasks/{task['id']}", lambda seen: seen["state"] == "queued")
    assert await Jobs(system.server.store()).in_state(JobState.WAITING, system.clock.now() + 1) == []
    machine.start()
    await of(system, machine, new)
    async with sweeping(system):  # until the agent's next request shows that it goes by the new one
        assert (await system.task_ends(task["id"]))["state"] == "done"
    assert machine.live() == b"Not-sealed-to-a-retired-certificate-1"


async def test_a_retired_certificate_is_good_for_renewing_alone(system: Whole, machine: Machine) -> None:
    await resets(system, machine)
    old, new = system.keys.agents, another()
    await trusted(system, machine, new, retired=(old,))
    system.stores["bundler"].faults.away = True
    try:
        await until(lambda: "bundler" in (machine.folder / "status.json").read_text())
        assert kept(machine)["pair"] == 0
    finally:
        system.stores["bundler"].faults.away = False
    await of(system, machine, new)
    await resets(system, machine)


async def test_an_authority_that_nobody_trusts_is_nobodys(system: Whole, machine: Machine) -> None:
    """The gateway was restarted without the old authority's file: it says so, and the agent stays what it is."""
    await resets(system, machine)
    old, new = system.keys.agents, another()
    await trusted(system, machine, new)
    await until(lambda: "agent_unknown" in (machine.folder / "status.json").read_text())
    assert kept(machine)["pair"] == 0
    await trusted(system, machine, new, retired=(old,))
    await of(system, machine, new)
    await resets(system, machine)


@pytest.mark.parametrize("phase", ["in use", "retired"])
async def test_a_bundler_that_was_not_restarted_makes_no_certificate_after_another(
    system: Whole, machine: Machine, phase: str
) -> None:
    """The scheduler follows sixteen renewals: an agent that renews in a circle is one that nobody seals to any more."""
    await resets(system, machine)
    old, new = system.keys.agents, another()
    agent = kept(machine)["agent"]
    beside, retired = ((old,), ()) if phase == "in use" else ((), (old,))
    await machine.stop()
    for name in ("gateway", "scheduler"):
        await system.end(name)
    system.gateway.close()
    system.keys.agents, before = new, system.keys.known
    system.keys.known = AgentAuthorities(
        new.certificate, tuple(e.certificate for e in beside), tuple(e.certificate for e in retired)
    )
    system.begin_gateway()
    system.begin_scheduler()  # and it follows the one that the bundler makes
    machine.start()
    await asyncio.sleep(2.0)
    assert len(await Certificates(system.server.store()).line(agent)) <= 2
    assert system.keys.known != before
    await system.end("bundler")
    system.begin_bundler()
    await machine.stop()
    machine.start()  # another session, as there is one every ten minutes
    await of(system, machine, new)
    await resets(system, machine)
