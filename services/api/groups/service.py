"""Groups: administrators make them and say who is in them; owners share with them."""

from collections.abc import Callable

from libs.store.groups import MOST_GROUPS, Group, Members, Membership, membership_id
from libs.store.groups import Groups as StoredGroups
from libs.store.shares import Shares
from libs.store.users import Users
from libs.wire.ids import Entropy, Noun, new_id
from services.api.access import Caller, administrator, confirmed
from services.api.audit.recording import Recorder
from services.api.errors import ConflictError, InvalidError, NotThereError
from services.api.fields import Page, from_cursor, page_of
from services.api.groups.schemas import GroupView, MemberBody, MemberView, NewGroupBody

_EVER = 2**53
_BATCH = 200


class Groups:
    """Makes, shows and ends groups. `clock` in Unix milliseconds."""

    def __init__(
        self,
        groups: StoredGroups,
        members: Members,
        users: Users,
        shares: Shares,
        *,
        recorder: Recorder,
        clock: Callable[[], int],
        entropy: Entropy,
    ) -> None:
        self._groups, self._members, self._users, self._shares = groups, members, users, shares
        self._recorder, self._clock, self._entropy = recorder, clock, entropy

    async def page(self, caller: Caller, *, limit: int, cursor: str | None) -> Page[GroupView]:
        """Newest first; an administrator and an auditor see all, others those that they are in."""
        place = from_cursor(cursor, int)
        if caller.is_overseer:
            found = await self._groups.page(now=self._clock(), limit=limit + 1, after=place)
        else:
            own = await self._groups.get_many(caller.groups)
            own.sort(key=lambda each: (each.created_at, each.id), reverse=True)
            found = [each for each in own if place is None or (each.created_at, each.id) < place]
        return page_of(found, limit, _view, lambda group: (group.created_at, group.id))

    async def one(self, caller: Caller, key: str) -> GroupView:
        """The group.

        Raises:
            NotThereError: it is not there, or the person neither is in it nor sees all.
        """
        return _view(await self._seen(caller, key))

    async def members(self, caller: Caller, key: str, *, limit: int, cursor: str | None) -> Page[MemberView]:
        """Who is in it, by name.

        Raises:
            NotThereError: as `one` does.
        """
        await self._seen(caller, key)
        found = await self._members.of_group(key, limit=limit + 1, after=from_cursor(cursor, str))
        return page_of(found, limit, _member, lambda member: (member.name, member.id))

    async def add(self, caller: Caller, body: NewGroupBody) -> GroupView:
        """A new group, with nobody in it.

        Raises:
            NotAllowedError: not an administrator.
            ConflictError: `group_name_taken`.
        """
        administrator(caller)
        taken = ConflictError(f"There is a group named {body.name} already. Choose another name.", "group_name_taken")
        if await self._groups.named(body.name) is not None:
            raise taken
        group = Group(id=new_id(Noun.GROUP, self._entropy), name=body.name, created_at=self._clock())
        await self._recorder.record("group.added", caller.to_person(), detail={"group": group.id, "name": group.name})
        if not await self._groups.insert(group):
            raise taken
        return _view(group)

    async def remove(self, caller: Caller, key: str) -> None:
        """The group is no more: what was shared with it is not any longer. Shares go first, so none outlives it.

        Raises:
            NotAllowedError: not an administrator.
            ConfirmFirstError: as `access.confirmed` does.
            NotThereError: it is not there.
        """
        administrator(caller)
        confirmed(caller)
        group = await self._there(key)
        await self._recorder.record("group.removed", caller.to_person(), detail={"group": key, "name": group.name})
        for share in [each async for each in self._shares.given(key, now=self._clock(), until=_EVER)]:
            await self._shares.remove(share.id)
        while found := await self._members.of_group(key, limit=_BATCH):
            for each in found:
                await self._members.remove(each.id)
        await self._groups.remove(key)

    async def join(self, caller: Caller, key: str, body: MemberBody) -> MemberView:
        """A person is in the group; safe to repeat.

        Raises:
            NotAllowedError: not an administrator.
            ConfirmFirstError: as `access.confirmed` does.
            NotThereError: there is no such group.
            InvalidError: `user_name_unknown`.
            ConflictError: `too_many_groups`.
        """
        administrator(caller)
        confirmed(caller)
        group, user = await self._there(key), await self._users.named(body.user_name)
        if user is None:
            raise InvalidError("user_name", f"There is no user named {body.user_name}.", "user_name_unknown")
        before = await self._members.get(membership_id(key, user.id))
        if before is not None:
            return _member(before)
        if len(await self._members.of_user(user.id)) >= MOST_GROUPS:
            raise ConflictError(f"{user.name} is in {MOST_GROUPS} groups, which is the most.", "too_many_groups")
        member = Membership(
            id=membership_id(key, user.id), group=key, user=user.id, name=user.name, since=self._clock()
        )
        detail = {"group": key, "name": group.name, "user": user.id, "user_name": user.name}
        await self._recorder.record("group.joined", caller.to_person(), detail=detail)
        await self._members.insert(member)
        return _member(member)

    async def leave(self, caller: Caller, key: str, user: str) -> None:
        """A person is in the group no more.

        Raises:
            NotAllowedError: not an administrator.
            ConfirmFirstError: as `access.confirmed` does.
            NotThereError: there is no such group, or the person is not in it.
        """
        administrator(caller)
        confirmed(caller)
        group, member = await self._there(key), await self._members.get(membership_id(key, user))
        if member is None:
            raise NotThereError("member")
        detail = {"group": key, "name": group.name, "user": user, "user_name": member.name}
        await self._recorder.record("group.left", caller.to_person(), detail=detail)
        await self._members.remove(member.id)

    async def _there(self, key: str) -> Group:
        found = await self._groups.get(key)
        if found is None:
            raise NotThereError("group")
        return found

    async def _seen(self, caller: Caller, key: str) -> Group:
        if not caller.is_overseer and key not in caller.groups:
            raise NotThereError("group")
        return await self._there(key)


def _view(group: Group) -> GroupView:
    return GroupView(id=group.id, name=group.name, created_at=group.created_at)


def _member(member: Membership) -> MemberView:
    return MemberView(id=member.user, name=member.name, since=member.since)
