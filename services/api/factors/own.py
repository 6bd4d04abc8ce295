"""What people do with their second factor, each time after saying again who they are."""

from libs.store.users import Users
from services.api.access import Caller, administrator, confirmed
from services.api.errors import ConflictError, NotThereError
from services.api.factors.schemas import BeginBody, BegunView, FirstCodeBody, RecoveryView, SecondFactorView
from services.api.factors.service import Factors
from services.api.sessions.service import Sessions


class OwnFactor:
    """Begins, confirms and ends."""

    def __init__(self, factors: Factors, sessions: Sessions, users: Users) -> None:
        self._factors, self._sessions, self._users = factors, sessions, users

    async def show(self, caller: Caller) -> SecondFactorView:
        """The person's own."""
        return await self._factors.of(caller.id)

    async def begin(self, caller: Caller, body: BeginBody) -> BegunView:
        """A fresh secret, to be confirmed.

        Raises:
            InvalidError: it is not the person's password, or not a code of the factor that they have.
            SlowDownError: too many were wrong.
        """
        await self._sessions.confirm(caller, body.password, body.code)
        return await self._factors.begin(caller)

    async def begun(self, caller: Caller) -> BegunView | None:
        """What waits for its first code."""
        return await self._factors.begun(caller)

    async def confirm(self, caller: Caller, body: FirstCodeBody) -> RecoveryView:
        """It counts from now on, and the person's other sessions end.

        Raises:
            InvalidError, ConflictError, SlowDownError: as `Factors.confirm` does.
        """
        codes = await self._factors.confirm(caller, body.code)
        await self._sessions.only_this(caller, strong=True)
        return codes

    async def remove(self, caller: Caller, body: BeginBody) -> None:
        """The person has none any more, and no other session.

        Raises:
            ConflictError: `second_factor_required`.
            InvalidError: it is not the person's password, or not their code.
            SlowDownError: too many were wrong.
        """
        if self._factors.required:
            sentence = "This server wants everybody to have a second factor. Begin another one in its place."
            raise ConflictError(sentence, "second_factor_required")
        await self._sessions.confirm(caller, body.password, body.code)
        await self._factors.remove(caller.id, caller.to_person())
        await self._sessions.only_this(caller, strong=False)

    async def take_away(self, caller: Caller, key: str) -> None:
        """Another person has none any more, and is signed out everywhere.

        Raises:
            NotAllowedError: not an administrator.
            ConfirmFirstError: as `access.confirmed` does.
            NotThereError: there is no such user.
            ConflictError: `not_yourself`.
        """
        administrator(caller)
        confirmed(caller)
        if key == caller.id:
            raise ConflictError("Your own second factor ends under My account, by its code.", "not_yourself")
        if await self._users.get(key) is None:
            raise NotThereError("user")
        await self._factors.remove(key, caller.to_person())
        await self._sessions.end_of(key)
