"""Who may see and use what: an administrator everything, anybody else the resources that they own.

Somebody else's thing answers exactly as if it were not there, so that no identifier can be tried out.
"""

from dataclasses import dataclass
from typing import Literal

from libs.domain.accounts import Account
from libs.store.accounts import Accounts
from libs.store.resources import Resource, Resources
from libs.store.users import Role
from libs.wire.requests import Person
from services.api.errors import NotAllowedError, NotThereError

Via = Literal["page", "api", "command"]


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in person, and by which session."""

    id: str
    name: str
    role: Role
    session: str
    address: str
    via: Via

    @property
    def is_administrator(self) -> bool:
        return self.role is Role.ADMINISTRATOR

    def to_person(self) -> Person:
        """Who asked, for a signed request and for the audit."""
        return Person(id=self.id, name=self.name, via=self.via, address=self.address)


def administrator(caller: Caller) -> None:
    """Returns for an administrator.

    Raises:
        NotAllowedError: the person is none.
    """
    if not caller.is_administrator:
        raise NotAllowedError("Only an administrator may do this. Ask one of yours.")


class Access:
    """Reads things for people, as far as they may see them."""

    def __init__(self, resources: Resources, accounts: Accounts) -> None:
        self._resources, self._accounts = resources, accounts

    async def resource(self, caller: Caller, key: str) -> Resource:
        """The resource.

        Raises:
            NotThereError: it is not there, or somebody else's.
        """
        found = await self._resources.get(key)
        if found is None:
            raise NotThereError("resource")
        owned(caller, found.owner, "resource")
        return found

    async def account(self, caller: Caller, key: str) -> tuple[Account, Resource]:
        """The account, and the resource that it is on.

        Raises:
            NotThereError: it is not there, or on somebody else's resource.
        """
        found = await self._accounts.get(key)
        if found is None:
            raise NotThereError("account")
        resource = await self._resources.get(found.resource)
        if resource is None:
            raise NotThereError("account")
        owned(caller, resource.owner, "account")
        return found, resource

    async def may_see(self, caller: Caller, resource: str) -> bool:
        """Whether the person may see what is on a resource."""
        try:
            await self.resource(caller, resource)
        except NotThereError:
            return False
        return True


def owned(caller: Caller, owner: str, noun: str) -> None:
    """Returns where the person may see what `owner` owns.

    Raises:
        NotThereError: it is somebody else's.
    """
    if not caller.is_administrator and caller.id != owner:
        raise NotThereError(noun)
