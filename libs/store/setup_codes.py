"""The first-run set-up code: one document, one use, few tries."""

from dataclasses import dataclass, field, replace

from libs.store.ports import Store
from libs.store.record import Revised
from libs.store.schema import CollectionName
from libs.store.table import TurningTable

_ONLY = "setup"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupCode(Revised):
    """The code by its hash. Kept after use, so that it is never good again."""

    id: str = _ONLY
    sha256: str = field(repr=False)
    tries_left: int
    expires: int  # Unix milliseconds
    used: bool = False

    def good(self, now: int) -> bool:
        """Whether it may still be tried."""
        return not self.used and self.tries_left > 0 and now < self.expires


class SetupCodes(TurningTable[SetupCode]):
    """The one code."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.SETUP, SetupCode)

    async def current(self) -> SetupCode | None:
        """The code that was made last."""
        return await self.get(_ONLY)

    async def renew(self, code: SetupCode) -> bool:
        """Puts `code` in the place of one that was never used; False when one was, or somebody else renewed at once."""
        before = await self.current()
        if before is None:
            return await self.insert(replace(code, rev=0))
        if before.used:
            return False
        return await self.save(before, replace(code, rev=before.rev + 1))

    async def attempt(self, now: int) -> SetupCode | None:
        """Spends one try and gives the code to compare with; None when there is nothing to try."""
        while True:
            before = await self.current()
            if before is None or not before.good(now):
                return None
            after = replace(before, tries_left=before.tries_left - 1, rev=before.rev + 1)
            if await self.save(before, after):
                return after

    async def use(self, code: SetupCode) -> bool:
        """The code was right: True for the one who used it first."""
        if code.used:
            return False
        return await self.save(code, replace(code, used=True, rev=code.rev + 1))
