"""One simulation from its seed: people work, faults strike, faults end, everything comes to rest and is true."""

import asyncio
import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import structlog

from tests.model.sim.adapters import shared
from tests.model.sim.chance import Seed, machine_of
from tests.model.sim.faults import Faults, some_kinds
from tests.model.sim.loop import SimLoop
from tests.model.sim.people import Person
from tests.model.sim.rest import all_is_true, comes_to_rest
from tests.model.sim.site import SERVICES, Site, logs_to
from tests.model.sim.trace import Trace
from tests.model.sim.weather import Weather

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
LEASES = (2_000, 6_000, 30_000)

Change = Callable[[Site], None]
"""What a test plants in a site before it begins."""


def run(seed: int, plant: Change | None = None) -> Trace:
    """What happened; the same for the same seed."""
    trace, source = Trace(seed), Seed(seed)
    log = structlog.get_config()
    logs_to(trace)
    try:
        with (
            machine_of(source),
            shared(),
            tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder,
            asyncio.Runner(loop_factory=SimLoop) as runner,
        ):
            loop = runner.get_loop()
            assert isinstance(loop, SimLoop)
            trace.clock = loop.time
            runner.run(_one(source, loop, Path(folder), trace, plant))
            trace.simulated = loop.now
    finally:
        structlog.configure(**log)
    return trace


async def _one(seed: Seed, loop: SimLoop, folder: Path, trace: Trace, plant: Change | None) -> None:
    plan = seed.stream("plan")
    site = Site(seed, loop, folder, trace, lease=plan.choice(LEASES))
    if plant is not None:
        plant(site)
    for name in SERVICES:
        site.begin(name)
    person = Person(site, seed.stream("person"), Weather(trace, seed.stream("weather/person")))
    await asyncio.sleep(1)
    await person.sets_up()
    for number in range(plan.choice((1, 1, 2))):
        (await site.host(f"host-{number + 1}", plan.choice((1, 2, 3)))).begin()
    faults = Faults(site, person, seed.stream("faults"), some_kinds(plan), plan.choice((0.25, 0.5, 1.0)))
    trace.say("plan", f"lease {site.lease} ms, {', '.join(faults.kinds) or 'no faults'}")
    site.restart_s = lambda: plan.expovariate(1 / 3)
    if plan.random() < 0.7:
        await asyncio.sleep(5)  # enrolled in peace; the others enrol among faults
    faults.begin()
    works = loop.create_task(person.works(plan.choice((1.0, 2.0, 5.0))))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(plan.uniform(15, 45)):
            await trace.first_violation.wait()
    works.cancel()
    await faults.end()
    site.restart_s = lambda: 1.0
    if await comes_to_rest(site):
        await all_is_true(site, person)
