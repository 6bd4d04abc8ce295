"""Story 6: the vault key is rolled over, and back from each phase; every version stays readable all the while."""

import pytest

from deploy.admin.kinds import Kind
from deploy.local.errors import StartError
from libs.client import models
from tests.e2e.identity.rolling import restart, sets, steps
from tests.e2e.site import Site, until

pytestmark = [pytest.mark.real, pytest.mark.host]

BOTH = ("scheduler", "gateway")


def sealed_again(site: Site) -> None:
    def look() -> bool | None:
        return "All is sealed to the key in use." in steps(site, Kind.VAULT, "status") or None

    until(look, "the vault to be sealed")


def readable(site: Site, *accounts: tuple[models.Account, str]) -> None:
    for account, password in accounts:
        assert site.revealed(account)[0] == password.encode()


def test_forth_and_back_from_each_phase(rolled: Site) -> None:
    one, other = rolled.add_account("kept-one"), rolled.add_account("kept-other")
    sets(rolled, one, "Sealed-before-1")
    sets(rolled, other, "Sealed-before-2")
    kept = (one, "Sealed-before-1")

    steps(rolled, Kind.VAULT, "announce")
    restart(rolled, *BOTH)
    steps(rolled, Kind.VAULT, "back")  # from announced
    restart(rolled, *BOTH)
    readable(rolled, kept, (other, "Sealed-before-2"))

    steps(rolled, Kind.VAULT, "announce")
    restart(rolled, *BOTH)
    steps(rolled, Kind.VAULT, "use")
    with pytest.raises(StartError, match="versions are not sealed to the key in use yet"):
        steps(rolled, Kind.VAULT, "retire")
    restart(rolled, *BOTH)
    sealed_again(rolled)
    sets(rolled, other, "Sealed-to-the-new-3")
    readable(rolled, kept)
    steps(rolled, Kind.VAULT, "back")  # from in use
    with pytest.raises(StartError, match="versions are not sealed to the key in use yet"):
        steps(rolled, Kind.VAULT, "back")  # which would throw the new key away, with all that is sealed to it
    restart(rolled, *BOTH)
    sealed_again(rolled)
    readable(rolled, kept, (other, "Sealed-to-the-new-3"))

    steps(rolled, Kind.VAULT, "use")
    restart(rolled, *BOTH)
    sealed_again(rolled)
    steps(rolled, Kind.VAULT, "retire")
    restart(rolled, *BOTH)
    sets(rolled, other, "Retired-4")
    readable(rolled, kept)
    steps(rolled, Kind.VAULT, "back")  # from retired
    restart(rolled, *BOTH)
    sealed_again(rolled)
    readable(rolled, kept, (other, "Retired-4"))

    steps(rolled, Kind.VAULT, "use")
    restart(rolled, *BOTH)
    sealed_again(rolled)
    steps(rolled, Kind.VAULT, "retire", "end")
    restart(rolled, *BOTH)
    readable(rolled, kept, (other, "Retired-4"))
    sets(rolled, one, "At-the-end-5")
