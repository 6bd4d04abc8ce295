"""The approval queue: people see who asks, and decide; the bundler keeps the decision, and the scheduler checks it."""

from collections.abc import Callable, Sequence

from libs.store.enrolments import EnrolmentDocument, EnrolmentState
from libs.store.enrolments import Enrolments as StoredEnrolments
from libs.store.resources import Resources
from libs.store.shares import Level
from libs.wire.events import SettleAsked
from libs.wire.requests import SettleContent, Settled
from services.api.access import Access, Caller, owned
from services.api.audit.recording import Recorder
from services.api.calls import Calls
from services.api.enrolments.schemas import EnrolmentView
from services.api.enrolments.words import sentence
from services.api.errors import AwayError, NotThereError
from services.api.fields import Page, Ref, from_cursor, to_cursor

_SECONDS = 10.0


class Enrolments:
    """Lists and settles enrolments. `clock` in Unix milliseconds."""

    def __init__(
        self,
        enrolments: StoredEnrolments,
        resources: Resources,
        *,
        access: Access,
        calls: Calls,
        recorder: Recorder,
        clock: Callable[[], int],
    ) -> None:
        self._enrolments, self._resources, self._access = enrolments, resources, access
        self._calls, self._recorder, self._clock = calls, recorder, clock

    async def page(
        self, caller: Caller, *, state: EnrolmentState | None, limit: int, cursor: str | None
    ) -> Page[EnrolmentView]:
        """Who sees every machine sees all, others those that they may decide on; newest first."""
        approver = None if caller.sees_all else caller.id
        after = from_cursor(cursor, int)
        found = await self._enrolments.page(
            now=self._clock(), limit=limit + 1, after=after, approver=approver, state=state
        )
        shown = found[:limit]
        following = to_cursor((shown[-1].created_at, shown[-1].id)) if len(found) > limit else None
        return Page(items=tuple(await self._views(shown)), next=following)

    async def one(self, caller: Caller, key: str) -> EnrolmentView:
        """The enrolment.

        Raises:
            NotThereError: it is not there, or not this person's to decide.
        """
        (view,) = await self._views([await self._decidable(caller, key, Level.SEE)])
        return view

    async def settle(self, caller: Caller, key: str, *, approve: bool) -> EnrolmentView:
        """The enrolment after the person's decision; safe to repeat.

        Raises:
            NotThereError: it is not there, or not this person's to decide.
            NotAllowedError: this person sees it, and others decide.
            AwayError: `bundler_away`.
            DeclinedError: the bundler said no, as with `enrolment_settled`.
        """
        found = await self._decidable(caller, key, Level.MANAGE)
        await self._recorder.record(
            "enrolment.settle_requested",
            caller.to_person(),
            resource=found.resource,
            outcome="approve" if approve else "deny",
            detail={"enrolment": found.id, "host_name": found.host.hostname, "key_hash": found.key_hash},
        )
        await self._calls.ask(
            SettleAsked,
            SettleContent(enrolment=key, approve=approve, resource=found.resource, key_hash=found.key_hash),
            Settled,
            person=caller.to_person(),
            seconds=_SECONDS,
            away=AwayError("The bundler does not answer, so nothing can be decided now.", "bundler_away"),
        )
        after = await self._enrolments.get(key)
        (view,) = await self._views([after or found])
        return view

    async def _decidable(self, caller: Caller, key: str, need: Level) -> EnrolmentDocument:
        found = await self._enrolments.get(key)
        if found is None:
            raise NotThereError("enrolment")
        owned(caller, found.approver, "enrolment", changes=need is Level.MANAGE)
        if found.known:
            await self._access.resource(caller, found.resource, need)
        return found

    async def _views(self, found: Sequence[EnrolmentDocument]) -> list[EnrolmentView]:
        known = await self._resources.get_many({each.resource for each in found if each.known})
        names = {each.id: each.name for each in known}
        return [self._view(each, names) for each in found]

    def _view(self, found: EnrolmentDocument, names: dict[str, str]) -> EnrolmentView:
        known = Ref(id=found.resource, name=names.get(found.resource, found.resource)) if found.known else None
        decided = found.state is not EnrolmentState.WAITING
        return EnrolmentView(
            id=found.id,
            state=found.state,
            sentence=sentence(found, known.name if known else None, self._clock()),
            host_name=found.host.hostname,
            system=found.host.system,
            platform=found.platform,
            address=found.address,
            key=found.key_hash,
            resource_name=found.resource_name,
            for_resource=known,
            user_name=found.owner_name,
            package=found.package,
            asked_at=found.created_at,
            decided_at=found.decided_at,
            decided_by=Ref(id=found.decided_by, name=found.decided_by_name) if decided else None,
        )
