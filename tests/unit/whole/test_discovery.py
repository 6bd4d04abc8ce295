"""Looking again: because somebody asked, because a day is over; and what an observation could not hold is said."""

import asyncio

from agent.watch import DAY_SECONDS, Watch
from tests.unit.whole.test_revocation import revoke
from tests.unit.whole.test_tokens import managed
from tests.unit.whole.world import Whole


async def test_a_person_has_a_polling_agent_look_at_once(system: Whole) -> None:
    machine, _ = await managed(system)
    (resource,) = (await system.person.get("/v1/resources")).json()["items"]
    before, path = resource["observed_at"], f"/v1/resources/{resource['id']}"
    assert before is not None
    await asyncio.sleep(0.002)  # moments are milliseconds
    asked = await system.person.post(f"{path}/discover")
    assert (asked.status_code, asked.json()["id"]) == (202, resource["id"])
    seen = await system.until("the look", path, lambda s: s["observed_at"] > before)
    assert seen["cut"] is False
    await machine.stop()

    # Asked while it is away, it looks at its next contact, though nothing of its accounts changed.
    assert (await system.person.post(f"{path}/discover")).status_code == 202
    machine.start()
    await system.until("the look", path, lambda s: s["observed_at"] > seen["observed_at"])
    await machine.stop()


async def test_an_account_that_vanishes_is_kept_and_marked_and_an_agent_that_is_out_is_not_asked(system: Whole) -> None:
    machine, account = await managed(system)
    (resource,) = (await system.person.get("/v1/resources")).json()["items"]
    path = f"/v1/resources/{resource['id']}"
    kept = machine.backend._kept.pop("deploy")
    assert (await system.person.post(f"{path}/discover")).status_code == 202
    seen = await system.until("the mark", f"/v1/accounts/{account}", lambda s: s["vanished_at"])
    assert seen["name"] == "deploy"
    assert [each["name"] for each in (await system.person.get(f"{path}/accounts")).json()["items"]] == ["deploy"]
    machine.backend._kept["deploy"] = kept
    assert (await system.person.post(f"{path}/discover")).status_code == 202
    await system.until("its return", f"/v1/accounts/{account}", lambda s: s["vanished_at"] is None)
    await revoke(system, resource["agent"]["id"])
    refused = await system.person.post(f"{path}/discover")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_agent")
    await machine.stop()


async def test_a_day_after_the_last_look_one_is_due(system: Whole) -> None:
    machine, _ = await managed(system)
    await machine.stop()
    watch = Watch(machine.backend, None, None)  # type: ignore[arg-type]  # this question needs neither
    assert not watch.due(5.0)
    assert not watch.due(5.0 + DAY_SECONDS - 1)
    assert watch.due(5.0 + DAY_SECONDS)
