"""A vault key is rolled over: every version that the key in use does not open is sealed to it, and to the recovery key.

Only here are both keys at hand. A version is turned like anything else of its account, by compare-and-set, so whatever
goes on meanwhile goes on. What no key opens is left as it is and told: nothing is dropped.
"""

from dataclasses import dataclass, replace

import structlog

from libs.domain.accounts import Account
from libs.domain.state import Change, Version
from libs.store.accounts import Accounts
from libs.store.resources import Resources
from libs.vault.open import Opener
from libs.vault.seal import VaultKeys
from libs.wire.seal import CannotOpenError
from services.scheduler.ledger import Ledger

EVERY_SECONDS = 600.0
_PAGE = 200

log = structlog.get_logger()


@dataclass(frozen=True)
class Resealing:
    """Walks over the whole vault."""

    resources: Resources
    accounts: Accounts
    ledger: Ledger
    opener: Opener
    keys: VaultKeys

    @property
    def under_way(self) -> bool:
        """Whether there is more than one key, so that something may be sealed to another than the one in use."""
        return bool(self.opener.others)

    async def sweep(self) -> int:
        """Seals what is not sealed to the key in use; how many versions. A walk that was interrupted is done again.

        Raises:
            KeyturnError: the store is away.
        """
        sealed, after = 0, None
        while page := await self.resources.page(now=2**53, limit=_PAGE, after=after):
            for resource in page:
                sealed += await self._resource(resource.id)
            after = (page[-1].created_at, page[-1].id)
        if sealed:
            log.info("versions were sealed to the vault key in use", versions=sealed)
        return sealed

    async def _resource(self, resource: str) -> int:
        sealed = 0
        async for account in self.accounts.each_of_resource(resource):
            stale = sum(self._stale(version) for version in account.rotation.versions)
            if stale:
                await self.ledger.turn(account.id, self._turned)
            sealed += stale
        return sealed

    def _turned(self, account: Account) -> Change:
        versions = tuple(self._current(account.id, version) for version in account.rotation.versions)
        return Change(replace(account.rotation, versions=versions))

    def _stale(self, version: Version) -> bool:
        return version.sealed is not None and not self.keys.current(version.sealed)

    def _current(self, account: str, version: Version) -> Version:
        if version.sealed is None or self.keys.current(version.sealed):
            return version
        generation = str(version.generation)
        try:
            secret = self.opener.at_rest(version.sealed, account, generation)
        except CannotOpenError as error:
            log.error("a version does not open", account=account, generation=generation, why=str(error))
            return version
        return replace(version, sealed=self.keys.seal_at_rest(secret, account, generation))
