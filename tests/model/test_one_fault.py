"""One reset with one failing call: of the store or the broker, in gateway or scheduler, before or after its effect.

Whatever fails, the reset ends, once; the vault shows what is live; and nothing waits in an outbox for ever. What a lost
message left undone is found by the sweep, which this test calls with the clock put ahead of a message's patience.
"""

import asyncio
import contextlib
from pathlib import Path

import pytest

from agent.backends.ports import FoundAccount
from libs.broker.memory.faults import Effect as BrokerEffect
from libs.store.errors import OutcomeUnknownError, StoreAwayError
from libs.store.memory.faults import Effect
from libs.store.outbox import Outbox
from libs.store.schema import Service
from libs.wire.secret import Secret
from services.scheduler.sweeper import PATIENCE
from tests.unit.whole.world import Whole, whole

DEPLOY = FoundAccount("deploy", 1000, 1000, "/bin/bash")
STEPS = range(1, 25)
"""More calls than a service makes in one reset; a walk past the last one is a reset without a fault."""


async def ended(system: Whole, task: str) -> str:
    """How the task ended, with sweeps in between as time goes by."""
    for _ in range(40):
        answer = await system.person.get(f"/v1/tasks/{task}")
        # The planned failure may meet this question too; whoever asks then asks again.
        seen = answer.json() if answer.status_code == 200 else {"open": True}
        if not seen["open"]:
            return str(seen["state"])
        await asyncio.sleep(0.02)
        system.clock.ahead += PATIENCE // 4
        with contextlib.suppress(StoreAwayError, OutcomeUnknownError):  # the process sweeps again, and so does this
            await system.scheduler.sweeper.sweep()
    raise AssertionError(f"it never ended: {seen}")


async def nothing_waits(system: Whole) -> None:
    """Every event was sent, by the relay's own sweep at the latest."""
    async with asyncio.timeout(10):
        for owner in Service:
            while await Outbox(system.server.store(), owner).waiting():
                system.clock.ahead += 500
                await asyncio.sleep(0.05)


async def one_reset(folder: Path, part: str, service: str, step: int, effect: Effect) -> None:
    async with whole(folder) as system:
        machine = await system.machine("dmz-web-01", [(DEPLOY, Secret("what-it-was-before"))])
        machine.start()
        try:
            account = await system.account("deploy")
            if part == "store":
                system.stores[service].faults.fail_at(step, effect)
            else:
                system.brokers[service].faults.fail_at(step, BrokerEffect(effect.value))
            asked = await system.person.post(f"/v1/accounts/{account['id']}/reset", json={"password": "Set-once-1"})
            if asked.status_code != 202:
                # The person was told that it cannot be taken now, and asks again.
                assert asked.status_code == 503, asked.text
                asked = await system.person.post(f"/v1/accounts/{account['id']}/reset", json={"password": "Set-once-1"})
            assert asked.status_code == 202, asked.text
            assert await ended(system, asked.json()["task"]["id"]) == "done"
            assert await system.reveal(account["id"]) == [b"Set-once-1"]
            kept = machine.backend._kept["deploy"].password
            assert kept == Secret("Set-once-1")
            await nothing_waits(system)
        finally:
            await machine.stop()


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("service", ["gateway", "scheduler"])
@pytest.mark.parametrize("part", ["store", "broker"])
async def test_any_one_call_may_fail(tmp_path: Path, part: str, service: str, effect: Effect) -> None:
    for step in STEPS if part == "store" else range(1, 8):
        folder = tmp_path / str(step)
        folder.mkdir()
        await one_reset(folder, part, service, step, effect)
