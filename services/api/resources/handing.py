"""Handing a resource over: its owner or an administrator names the new one, and the scheduler writes it."""

from libs.store.resources import Resource
from libs.store.shares import Level
from libs.store.users import Users
from libs.wire.events import HandOverAsked
from libs.wire.requests import HandedOver, HandOverContent
from services.api.access import Access, Caller, confirmed
from services.api.audit.recording import Recorder
from services.api.calls import Calls
from services.api.errors import AwayError, InvalidError, NotAllowedError
from services.api.resources.schemas import HandOverBody

_SECONDS = 10.0


class HandingOver:
    """Asks for another owner."""

    def __init__(self, access: Access, users: Users, calls: Calls, recorder: Recorder) -> None:
        self._access, self._users, self._calls, self._recorder = access, users, calls, recorder

    async def allowed(self, caller: Caller, key: str) -> Resource:
        """The resource, where the person may hand it over.

        Raises:
            NotThereError: it is not there, or somebody else's.
            NotAllowedError: the person manages it at most, and neither owns it nor administers.
        """
        resource = await self._access.resource(caller, key, Level.MANAGE)
        if resource.owner != caller.id and not caller.is_administrator:
            raise NotAllowedError(f"Only its owner, {resource.owner_name}, or an administrator may hand it over.")
        return resource

    async def hand_over(self, caller: Caller, key: str, body: HandOverBody) -> None:
        """The resource is the other person's when this returns.

        Raises:
            NotThereError, NotAllowedError: as `allowed` does.
            ConfirmFirstError: as `access.confirmed` does.
            InvalidError: `user_name_unknown`.
            AwayError: `scheduler_away`.
            DeclinedError: the scheduler said no: `resource_name_taken`.
        """
        resource = await self.allowed(caller, key)
        confirmed(caller)
        owner = await self._users.named(body.user_name)
        if owner is None or owner.disabled:
            sentence = f"There is no user named {body.user_name} who may sign in."
            raise InvalidError("user_name", sentence, "user_name_unknown")
        await self._recorder.record(
            "resource.hand_over_requested",
            caller.to_person(),
            resource=resource.id,
            detail={"owner": owner.id, "owner_name": owner.name, "owner_before": resource.owner_name},
        )
        await self._calls.ask(
            HandOverAsked,
            HandOverContent(resource=resource.id, owner=owner.id, owner_name=owner.name),
            HandedOver,
            person=caller.to_person(),
            seconds=_SECONDS,
            away=AwayError("The scheduler does not answer, so nothing can be handed over now.", "scheduler_away"),
            resource=resource.id,
        )
