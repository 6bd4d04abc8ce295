"""After the store was put back to an earlier copy: a new epoch, so that no generation's number is given twice."""

import time
from pathlib import Path

from deploy.admin.layout import STORE_PASSWORD
from deploy.admin.store_setup import read_password
from libs.store.epoch import EpochStore
from libs.store.mongo.store import open_store
from libs.store.schema import ADMINISTRATOR


async def begin_epoch(url: str, *, private: Path) -> int:
    """Begins a new epoch; the Unix second that names it. The scheduler tells every account of it.

    Raises:
        AdminError: the administrator's password cannot be read.
        StoreError: as `libs.store.errors` lists.
    """
    store = open_store(url, ADMINISTRATOR, read_password(private / STORE_PASSWORD))
    try:
        return (await EpochStore(store).begin(time.time_ns() // 1_000_000_000)).began
    finally:
        await store.close()
