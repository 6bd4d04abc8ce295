"""Sharing: who manages a resource or an account says who else may see, use or manage it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, NamedTuple

from libs.domain.accounts import Account
from libs.store.groups import Groups
from libs.store.resources import Resource, Resources
from libs.store.shares import MOST_SHARES, Level, Share, share_id
from libs.store.shares import Shares as StoredShares
from libs.store.users import Users
from services.api.access import Access, Caller, confirmed
from services.api.audit.recording import Recorder
from services.api.errors import ConflictError, InvalidError, NotThereError
from services.api.fields import Page, Ref
from services.api.shares.schemas import ShareBody, ShareView


class _Subject(NamedTuple):
    id: str
    name: str
    kind: Literal["person", "group"]


class Shares:
    """Makes, shows and ends shares. `clock` in Unix milliseconds."""

    def __init__(
        self,
        shares: StoredShares,
        resources: Resources,
        users: Users,
        groups: Groups,
        *,
        access: Access,
        recorder: Recorder,
        clock: Callable[[], int],
    ) -> None:
        self._shares, self._resources, self._users, self._groups = shares, resources, users, groups
        self._access, self._recorder, self._clock = access, recorder, clock

    async def of_resource(self, caller: Caller, key: str) -> Page[ShareView]:
        """Every share of a resource and of its accounts, oldest first: who manages it sees them, and an auditor.

        Raises:
            NotThereError, NotAllowedError: as `Access.resource` does.
        """
        resource = await self._access.resource(caller, key, _reading(caller))
        return Page(items=tuple(_view(each, resource.name) for each in await self._shares.on(key)))

    async def of_account(self, caller: Caller, key: str) -> Page[ShareView]:
        """The shares of one account alone.

        Raises:
            NotThereError, NotAllowedError: as `Access.account` does.
        """
        _, resource = await self._access.account(caller, key, _reading(caller))
        found = [each for each in await self._shares.on(resource.id) if each.account == key]
        return Page(items=tuple(_view(each, resource.name) for each in found))

    async def give(self, caller: Caller, body: ShareBody) -> ShareView:
        """The share; one that was there gets the level.

        Raises:
            NotThereError, NotAllowedError: the person does not manage it.
            ConfirmFirstError: as `access.confirmed` does.
            InvalidError: `user_name_unknown`, `group_unknown`.
            ConflictError: `owns_already`, `too_many_shares`, `share_busy`.
        """
        account, resource = await self._managed(caller, body.resource, body.account)
        confirmed(caller)
        subject = await self._subject(body)
        if subject.id == resource.owner:
            raise ConflictError(f"{subject.name} owns {resource.name} already.", "owns_already")
        key = share_id(subject.id, resource.id, body.account)
        before = await self._shares.get(key)
        if before is None and len(await self._shares.on(resource.id)) >= MOST_SHARES:
            raise ConflictError(
                f"{resource.name} has {MOST_SHARES} shares, which is the most. Share it with a group.",
                "too_many_shares",
            )
        share = Share(
            id=key,
            subject=subject.id,
            subject_name=subject.name,
            kind=subject.kind,
            resource=resource.id,
            resource_at=resource.created_at,
            account=body.account,
            account_name="" if account is None else account.name,
            level=body.level,
            created_at=self._clock(),
            by=caller.id,
            by_name=caller.name,
        )
        await self._record("share.given", caller, share)
        if before is None:
            written = await self._shares.insert(share)
        else:
            share = replace(share, created_at=before.created_at, rev=before.rev + 1)
            written = await self._shares.save(before, share)
        if not written:
            raise ConflictError(
                "This share was changed at this very moment. Look at it, and share again.", "share_busy"
            )
        return _view(share, resource.name)

    async def end(self, caller: Caller, key: str) -> ShareView:
        """The share that is no more; it is read with every request, so it counts from the next one on.

        Raises:
            NotThereError: it is not there, or of a thing that the person does not see.
            NotAllowedError: the person sees the thing and does not manage it.
            ConfirmFirstError: as `access.confirmed` does.
        """
        share = await self._shares.get(key)
        if share is None:
            raise NotThereError("share")
        try:
            whole = share.resource if share.account is None else None
            _, resource = await self._managed(caller, whole, share.account)
        except NotThereError:
            raise NotThereError("share") from None
        confirmed(caller)
        await self._record("share.ended", caller, share)
        await self._shares.remove(key)
        return _view(share, resource.name)

    async def _managed(
        self, caller: Caller, resource: str | None, account: str | None
    ) -> tuple[Account | None, Resource]:
        if account is not None:
            return await self._access.account(caller, account, Level.MANAGE)
        return None, await self._access.resource(caller, resource or "", Level.MANAGE)

    async def _subject(self, body: ShareBody) -> _Subject:
        if body.person is not None:
            user = await self._users.named(body.person)
            if user is None:
                raise InvalidError("person", f"There is no user named {body.person}.", "user_name_unknown")
            return _Subject(user.id, user.name, "person")
        group = await self._groups.named(body.group or "")
        if group is None:
            raise InvalidError("group", f"There is no group named {body.group}.", "group_unknown")
        return _Subject(group.id, group.name, "group")

    async def _record(self, what: str, caller: Caller, share: Share) -> None:
        detail = {"with": share.subject, "name": share.subject_name, "kind": share.kind, "level": share.level.value}
        await self._recorder.record(
            what, caller.to_person(), account=share.account, resource=share.resource, detail=detail
        )


def _reading(caller: Caller) -> Level:
    return Level.SEE if caller.is_overseer else Level.MANAGE


def _view(share: Share, resource: str) -> ShareView:
    return ShareView(
        id=share.id,
        resource=Ref(id=share.resource, name=resource),
        account=None if share.account is None else Ref(id=share.account, name=share.account_name),
        kind=share.kind,
        subject=Ref(id=share.subject, name=share.subject_name),
        level=share.level,
        shared_by=Ref(id=share.by, name=share.by_name),
        created_at=share.created_at,
    )
