"""Who may see, use and manage what: the one place where the page, the interface and the command have it decided.

An administrator does everything. An operator sees and uses every machine. An auditor sees everything, reads the audit
and changes nothing, whatever is shared with them. Anybody else has what they own, and what was shared with them or
with a group that they are in: a resource with all its accounts, or one account, to see, to use or to manage.

Somebody else's thing answers exactly as if it were not there, so that no identifier can be tried out. A thing that
somebody may see and no more says so.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from libs.domain.accounts import Account
from libs.store.access_tokens import Scope
from libs.store.accounts import Accounts
from libs.store.ports import After
from libs.store.resources import Resource, Resources
from libs.store.shares import Level, Shares
from libs.store.users import Role
from libs.wire.requests import Person
from services.api.errors import ConfirmFirstError, NotAllowedError, NotThereError

Via = Literal["page", "api", "command"]

OF_ROLE: Mapping[Role, Level] = MappingProxyType(
    {Role.ADMINISTRATOR: Level.MANAGE, Role.OPERATOR: Level.USE, Role.AUDITOR: Level.SEE}
)
"""What a role gives on every resource; a user's gives nothing."""

AT_MOST: Mapping[Role, Level] = MappingProxyType({Role.AUDITOR: Level.SEE})
"""What a role bounds, whatever its person owns or was given."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in person, by which session, and the groups that they are in."""

    id: str
    name: str
    role: Role
    session: str
    address: str
    via: Via
    groups: tuple[str, ...] = ()
    scopes: frozenset[Scope] | None = None  # of an access token; None: a session, which is for everything
    strong: bool = False  # signed in with a second factor
    incomplete: bool = False  # this server wants one, and there is none yet
    confirmed: bool = False  # showed within the last minutes who they are

    @property
    def is_administrator(self) -> bool:
        return self.role is Role.ADMINISTRATOR

    @property
    def is_overseer(self) -> bool:
        """Whether the person reads the audit, and sees who may sign in."""
        return self.role in {Role.ADMINISTRATOR, Role.AUDITOR}

    @property
    def sees_all(self) -> bool:
        """Whether the person sees every machine, whoever owns it."""
        return self.role in OF_ROLE

    def to_person(self) -> Person:
        """Who asked, for a signed request and for the audit."""
        return Person(id=self.id, name=self.name, via=self.via, address=self.address)


@dataclass(frozen=True, slots=True)
class Rights:
    """What a person may do with one resource: with all of it, and beyond that with single accounts."""

    whole: Level | None = None
    accounts: Mapping[str, Level] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.whole is not None or bool(self.accounts)

    def on(self, account: str) -> Level | None:
        """On one account."""
        return _more(self.whole, self.accounts.get(account))


def may(caller: Caller, need: Level) -> None:
    """Returns where nothing about the person themselves forbids `need`.

    Raises:
        NotAllowedError: their role, or the scopes of their token, are for less.
    """
    if caller.scopes is not None and not _reaches(_widest(caller.scopes), need):
        raise NotAllowedError(f"This access token has not the scope {need}.", "scope_missing")
    if not _reaches(AT_MOST.get(caller.role, Level.MANAGE), need):
        raise NotAllowedError("An auditor sees everything and changes nothing. Ask an operator or the owner.")


def administrator(caller: Caller) -> None:
    """Returns for an administrator.

    Raises:
        NotAllowedError: the person is none, or comes with a token that has not this scope.
    """
    _scoped(caller, Scope.ADMINISTER)
    if not caller.is_administrator:
        raise NotAllowedError("Only an administrator may do this. Ask one of yours.")


def overseer(caller: Caller) -> None:
    """Returns for an administrator or an auditor.

    Raises:
        NotAllowedError: the person is neither, or comes with a token that has not the scope `administer`.
    """
    _scoped(caller, Scope.ADMINISTER)
    if not caller.is_overseer:
        raise NotAllowedError("Only an administrator or an auditor may see this.")


def reveals(caller: Caller) -> None:
    """Returns for a person who showed just now who they are, and for a token that was made for this.

    Raises:
        NotAllowedError: it was not.
        ConfirmFirstError: the person did not.
    """
    _scoped(caller, Scope.REVEAL)
    confirmed(caller)


def confirmed(caller: Caller) -> None:
    """Returns for a person who showed just now who they are: before a reveal, and before what changes who may do what.

    Whoever finds a terminal or a browser left open can then do neither. A token's maker said who they are when they
    made it, and chose its scopes; nobody is there to ask when it is used.

    Raises:
        ConfirmFirstError: it was longer ago.
    """
    if caller.scopes is None and not caller.confirmed:
        raise ConfirmFirstError


def owned(caller: Caller, owner: str, noun: str, *, changes: bool = False) -> None:
    """Returns where the person may see what `owner` made; with `changes`, where they may end it or decide on it.

    Raises:
        NotThereError: it is somebody else's.
        NotAllowedError: it is seen by role alone, and is for its owner or an administrator to change.
    """
    if caller.id != owner and not caller.sees_all:
        raise NotThereError(noun)
    if changes:
        may(caller, Level.MANAGE)
        if caller.id != owner and not caller.is_administrator:
            raise NotAllowedError(f"Only the {noun}'s owner or an administrator may do this.")


class Access:
    """Reads things for people, as far as they may see them."""

    def __init__(self, resources: Resources, accounts: Accounts, shares: Shares) -> None:
        self._resources, self._accounts, self._shares = resources, accounts, shares

    async def resource(self, caller: Caller, key: str, need: Level = Level.SEE) -> Resource:
        """The resource. Whoever may see one of its accounts sees what it is and who owns it.

        Raises:
            NotThereError: it is not there, or somebody else's.
            NotAllowedError: the person may see it, and `need` is more.
        """
        found = await self._resources.get(key)
        if found is None:
            raise NotThereError("resource")
        rights = await self.rights(caller, found)
        if not rights:
            raise NotThereError("resource")
        _enough(caller, rights.whole or Level.SEE, need, "resource", found)
        return found

    async def account(self, caller: Caller, key: str, need: Level = Level.SEE) -> tuple[Account, Resource]:
        """The account, and the resource that it is on.

        Raises:
            NotThereError: it is not there, or on somebody else's resource.
            NotAllowedError: the person may see it, and `need` is more.
        """
        found = await self._accounts.get(key)
        resource = None if found is None else await self._resources.get(found.resource)
        if found is None or resource is None:
            raise NotThereError("account")
        level = (await self.rights(caller, resource)).on(key)
        if level is None:
            raise NotThereError("account")
        _enough(caller, level, need, "account", resource)
        return found, resource

    async def rights(self, caller: Caller, resource: Resource) -> Rights:
        """What the person may do with a resource. An owner's and a role's take no read."""
        whole = Level.MANAGE if caller.id == resource.owner else OF_ROLE.get(caller.role)
        if whole is Level.MANAGE or caller.role in AT_MOST:
            return Rights(_less(whole, AT_MOST.get(caller.role)))
        subjects = {caller.id, *caller.groups}
        accounts: dict[str, Level] = {}
        for share in await self._shares.on(resource.id):
            if share.subject not in subjects:
                continue
            if share.account is None:
                whole = _more(whole, share.level)
            else:
                accounts[share.account] = _more(accounts.get(share.account), share.level) or share.level
        return Rights(whole, accounts)

    async def resources(self, caller: Caller, *, now: int, limit: int, after: After | None) -> list[Resource]:
        """Those that the person may see, newest first; `after` is the (created_at, id) where the page before ended.

        Their own come from the owners' index and what was shared from that of the shares, a page of each: what it costs
        does not grow with the number of machines.
        """
        owner = None if caller.sees_all else caller.id
        found = await self._resources.page(now=now, limit=limit, after=after, owner=owner)
        if owner is None:
            return found
        keys: set[str] = set()
        for subject in (caller.id, *caller.groups):
            keys |= await self._given(subject, now=now, limit=limit, after=after)
        shared = await self._resources.get_many(keys) if keys else []
        everything = {each.id: each for each in (*found, *shared)}
        return sorted(everything.values(), key=lambda each: (each.created_at, each.id), reverse=True)[:limit]

    async def _given(self, subject: str, *, now: int, limit: int, after: After | None) -> set[str]:
        """The newest of the resources that somebody was given, behind a place."""
        keys: set[str] = set()
        until = 2**53 if after is None else after[0]
        last = until
        async with aclosing(self._shares.given(subject, now=now, until=until)) as given:
            async for share in given:
                # Several machines may share the moment at which the page ends, so that moment is read to its end.
                if len(keys) >= limit and share.resource_at < last:
                    break
                last = share.resource_at
                if after is None or (share.resource_at, share.resource) < after:
                    keys.add(share.resource)
        return keys

    async def visible(self, caller: Caller, found: Iterable[Resource]) -> list[tuple[Resource, Rights]]:
        """Those of `found` that the person may see, with what they may do; who sees all of them costs no read."""
        wanted = list(found)
        rights = await asyncio.gather(*(self.rights(caller, each) for each in wanted))
        return [(each, right) for each, right in zip(wanted, rights, strict=True) if right]

    async def may_see(self, caller: Caller, resource: str, account: str | None = None) -> bool:
        """Whether the person may see a resource, or one account of it."""
        found = await self._resources.get(resource)
        if found is None:
            return False
        rights = await self.rights(caller, found)
        return bool(rights) if account is None else rights.on(account) is not None


def _enough(caller: Caller, level: Level, need: Level, noun: str, resource: Resource) -> None:
    may(caller, need)
    if _reaches(level, need):
        return
    raise NotAllowedError(
        f"You may {level} this {noun}, not {need} it. Ask its owner, {resource.owner_name}, to share it with you."
    )


def _scoped(caller: Caller, scope: Scope) -> None:
    if caller.scopes is not None and scope not in caller.scopes:
        raise NotAllowedError(f"This access token has not the scope {scope}.", "scope_missing")


def _widest(scopes: frozenset[Scope]) -> Level:
    """The most that a token's scopes allow on a resource; each lets see."""
    of = {Scope.MANAGE: Level.MANAGE, Scope.USE: Level.USE}
    return next((level for scope, level in of.items() if scope in scopes), Level.SEE)


def _reaches(level: Level, need: Level) -> bool:
    return level.rank >= need.rank


def _more(one: Level | None, other: Level | None) -> Level | None:
    return max((each for each in (one, other) if each is not None), key=lambda each: each.rank, default=None)


def _less(one: Level | None, other: Level | None) -> Level | None:
    if one is None or other is None:
        return one
    return min(one, other, key=lambda each: each.rank)
