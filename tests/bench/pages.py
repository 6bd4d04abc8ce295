"""What each page costs the gateway's process, on a real store: with few machines, and with as many as a large site has.

CPU of the whole process is counted, its threads with it: the driver works in some. The store is a process of its own,
so what it does is no part of it.
"""

import asyncio
import statistics
import time
from pathlib import Path

import httpx
import uvloop
from argon2 import PasswordHasher

from deploy.local.store import Store as EmbeddedStore
from deploy.local.store_environment import ensure_store
from libs.store.mongo.setup import set_up
from libs.store.mongo.store import open_store
from libs.store.users import Role, User, Users
from libs.wire.ids import Noun, new_id
from tests.bench.polled import gateway
from tests.bench.rows import Row, Table
from tests.bench.vault import Filled, fill

AIM_MS = 50
FEW, MANY = 100, 10_000
_TIMES, _WARM = 15, 3
_NAME, _PASSWORD = "ops", "a-quite-long-password"
_ORIGIN = "https://keyturn"


def measure(root: Path, folder: Path, *, machines: int = MANY) -> Table:
    """Milliseconds of CPU a page, at 100 machines and at `machines`, ten accounts each."""
    store = EmbeddedStore(ensure_store(root), folder / "store")
    try:
        store.start()
        asyncio.run(set_up(store.url, passwords={}))
        ops = _person(time.time_ns() // 1_000_000)
        costs = []
        for numbers in (range(FEW), range(FEW, machines)):
            filled = fill(store.url, numbers, ops, now=ops.created_at)
            costs.append(uvloop.run(_costs(store.url, folder, filled, ops)))
    finally:
        store.stop()
    few, many = costs
    rows = [
        Row(f"page_cpu_ms_{name}_at_{count}", round(cost[name], 1), f"{name}, {count} machines, ms")
        for name in few
        for count, cost in ((FEW, few), (machines, many))
    ]
    dearest = Row("page_cpu_ms_dearest", round(max(many.values()), 1), f"the dearest page, ms (aim {AIM_MS})")
    return Table("A page: CPU of the gateway's process, median", (*rows, dearest))


def _person(now: int) -> User:
    digest = PasswordHasher().hash(_PASSWORD)
    return User(id=new_id(Noun.USER), name=_NAME, role=Role.ADMINISTRATOR, password_hash=digest, created_at=now)


def pages_of(filled: Filled) -> dict[str, str]:
    """Every page that shows what grows, by its name in the report."""
    return {
        "resources": "/resources",
        "resources_search": "/resources?q=site-07",
        "resources_drift": "/resources?state=drift",
        "resources_in_sync": "/resources?state=in_sync",
        "passwords": f"/resources/{filled.machine}",
        "account": f"/accounts/{filled.account}",
        "change": f"/accounts/{filled.account}/change",
        "notifications": "/notifications",
        "agents": "/admin/agents",
        "audit": "/audit",
        "people": "/people",
        "me": "/me",
        "about": "/admin/about",
    }


async def _costs(url: str, folder: Path, filled: Filled, ops: User) -> dict[str, float]:
    """Median milliseconds of CPU by page."""
    store = open_store(url)
    await Users(store).insert(ops)
    ours = gateway(folder, store)
    transport = httpx.ASGITransport(app=ours.app)
    try:
        async with httpx.AsyncClient(transport=transport, base_url=_ORIGIN, headers={"origin": _ORIGIN}) as client:
            entered = await client.post("/sign-in", data={"name": _NAME, "password": _PASSWORD})
            if entered.status_code != httpx.codes.SEE_OTHER:
                raise ConnectionError(f"the sign-in answered {entered.status_code}")
            return {name: await _cost(client, path) for name, path in pages_of(filled).items()}
    finally:
        ours.close()
        await store.close()


async def _cost(client: httpx.AsyncClient, path: str) -> float:
    spent = []
    for _ in range(_WARM + _TIMES):
        before = time.process_time()
        answer = await client.get(path)
        spent.append((time.process_time() - before) * 1_000)
        if answer.status_code != httpx.codes.OK:
            raise ConnectionError(f"{path} answered {answer.status_code}")
    return statistics.median(spent[_WARM:])
