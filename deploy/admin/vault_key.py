"""How far the vault is sealed to the key in use: no other one is deleted or retired before all of it is."""

from pathlib import Path

from deploy.admin import layout
from deploy.admin.errors import AdminError
from deploy.admin.layout import STORE_PASSWORD
from deploy.admin.rolls import Phase, Step
from deploy.admin.store_setup import read_password
from libs.store.accounts import Accounts
from libs.store.mongo.store import open_store
from libs.store.ports import Store
from libs.store.resources import Resources
from libs.store.schema import ADMINISTRATOR
from libs.vault.seal import VaultKeys

_PAGE = 200
_FORGETS = {(Step.RETIRE, Phase.IN_USE), (Step.END, Phase.RETIRED), (Step.BACK, Phase.ANNOUNCED)}


def forgets(step: Step, phase: Phase) -> bool:
    """Whether after this step something that is not sealed to the key in use may be read no more."""
    return (step, phase) in _FORGETS


async def not_sealed_again(keys: Path, url: str, *, private: Path) -> int:
    """How many versions the vault's key in use does not open.

    Args:
        keys: The folder that `init` made.
        url: `mongodb://HOST:PORT/`, without credentials.
        private: The administrator's folder.

    Raises:
        AdminError: a key or the administrator's password cannot be read.
        StoreError: as `libs.store.errors` lists.
    """
    try:
        in_use = VaultKeys.load(keys / layout.PUBLIC)
    except (OSError, ValueError) as error:
        raise AdminError(str(error)) from error
    store = open_store(url, ADMINISTRATOR, read_password(private / STORE_PASSWORD))
    try:
        return await _count(store, in_use)
    finally:
        await store.close()


async def _count(store: Store, in_use: VaultKeys) -> int:
    resources, accounts, found, after = Resources(store), Accounts(store), 0, None
    while page := await resources.page(now=2**53, limit=_PAGE, after=after):
        for resource in page:
            last = None
            while some := await accounts.of_resource_after(resource.id, limit=_PAGE, after=last):
                versions = (version for account in some for version in account.rotation.versions)
                found += sum(each.sealed is not None and not in_use.current(each.sealed) for each in versions)
                last = (some[-1].name, some[-1].id)
        after = (page[-1].created_at, page[-1].id)
    return found
