"""Second factors: begun, confirmed by a first right code, asked for at each sign-in, and ended.

A code counts once. Wrong ones are counted by person, and only who knows the person's password comes as far as to be
counted, so nobody locks a colleague out by it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from libs.store.factors import SecondFactor, SecondFactors
from libs.wire.ids import Entropy
from libs.wire.requests import Person
from libs.wire.secret import Secret
from services.api.access import Caller
from services.api.audit.recording import Recorder
from services.api.errors import ConflictError, InvalidError, WrongSignInError
from services.api.factors.codes import FactorKeys, address, kept, new_recovery, period, shown, text_of
from services.api.factors.schemas import BegunView, RecoveryView, SecondFactorView
from services.api.sessions.slowdown import Slowdown

_ANYWHERE = "second factor"


class CodeNeededError(WrongSignInError):
    """The password is right, and a code is missing."""

    code: ClassVar[str] = "code_needed"
    ticket = ""
    """What a browser carries to the second step; an answer to a program never has it."""

    def __init__(self) -> None:
        super().__init__("Type the code of your second factor, or a recovery code.")


class WrongCodeError(WrongSignInError):
    code: ClassVar[str] = "wrong_code"

    def __init__(self) -> None:
        super().__init__("This code is not right, or was used already. Type the one that is shown now.")


class Factors:
    """Everybody's second factor. `clock` in Unix milliseconds; `required`: whether everybody must have one."""

    def __init__(
        self,
        factors: SecondFactors,
        keys: FactorKeys,
        slowdown: Slowdown,
        recorder: Recorder,
        *,
        required: bool,
        clock: Callable[[], int],
        entropy: Entropy,
    ) -> None:
        self._factors, self._keys, self._slowdown, self._recorder = factors, keys, slowdown, recorder
        self.required, self._clock, self._entropy = required, clock, entropy

    async def of(self, user: str) -> SecondFactorView:
        """A person's, without its secret."""
        found = await self._factors.get(user)
        return SecondFactorView(
            on=found is not None and found.on,
            since=None if found is None else found.since,
            recovery_left=0 if found is None else len(found.recovery),
            required=self.required,
        )

    async def check(self, person: Person, code: Secret | None) -> bool:
        """Whether the person has a second factor, whose code this is; False where they have none.

        Raises:
            CodeNeededError: they have one, and no code came.
            WrongCodeError: it is none, or was used already.
            SlowDownError: too many were wrong.
        """
        found = await self._factors.get(person.id)
        if found is None or found.sealed is None:
            return False
        if code is None or not text_of(code):
            raise CodeNeededError
        self._slowdown.check(_ANYWHERE, person.id)
        after = self._after(found, found.sealed, text_of(code))
        if after is None or not await self._factors.save(found, after):
            self._slowdown.failed_at(_ANYWHERE, person.id)
            await self._recorder.record("second_factor.refused", person, outcome="refused")
            raise WrongCodeError
        self._slowdown.succeeded(_ANYWHERE, person.id)
        if len(after.recovery) < len(found.recovery):
            await self._recorder.record("second_factor.recovered", person, detail={"left": len(after.recovery)})
        return True

    def _after(self, found: SecondFactor, sealed: bytes, text: str) -> SecondFactor | None:
        """What is left of a factor when the code has counted; None where it is none."""
        opened = self._keys.open(sealed, found.id)
        step = None if opened is None else period(opened.secret, text, self._clock(), found.step)
        if opened is not None and step is not None:
            again = sealed if opened.current else self._keys.seal(opened.secret, found.id)
            return replace(found, step=step, sealed=again, rev=found.rev + 1)
        if kept(text) in found.recovery:
            left = tuple(each for each in found.recovery if each != kept(text))
            return replace(found, recovery=left, rev=found.rev + 1)
        return None

    async def begin(self, caller: Caller) -> BegunView:
        """A fresh secret, for a person who has just said again who they are. The old one counts until it is confirmed.

        Raises:
            ConflictError: `second_factor_busy`.
        """
        before, secret = await self._factors.get(caller.id), self._keys.new()
        pending = self._keys.seal(secret, caller.id)
        if before is None:
            after = SecondFactor(id=caller.id, pending=pending)
        else:
            after = replace(before, pending=pending, rev=before.rev + 1)
        if not await self._factors.put(before, after):
            raise _busy()
        return BegunView(secret=shown(secret), address=address(secret, caller.name))

    async def begun(self, caller: Caller) -> BegunView | None:
        """What was begun and not confirmed yet: a form that is shown again shows the same one."""
        found = await self._factors.get(caller.id)
        opened = None if found is None or found.pending is None else self._keys.open(found.pending, caller.id)
        if opened is None:
            return None
        return BegunView(secret=shown(opened.secret), address=address(opened.secret, caller.name))

    async def confirm(self, caller: Caller, code: Secret) -> RecoveryView:
        """The factor counts from now on.

        Raises:
            InvalidError: it is not the code of what was begun.
            ConflictError: `second_factor_not_begun`, `second_factor_busy`.
            SlowDownError: too many were wrong.
        """
        before = await self._factors.get(caller.id)
        opened = None if before is None or before.pending is None else self._keys.open(before.pending, caller.id)
        if before is None or opened is None:
            raise ConflictError("There is no second factor to confirm. Begin anew.", "second_factor_not_begun")
        self._slowdown.check(_ANYWHERE, caller.id)
        step = period(opened.secret, text_of(code), self._clock(), 0)
        if step is None:
            self._slowdown.failed_at(_ANYWHERE, caller.id)
            raise InvalidError("code", "This is not the code that the app shows now. Look whether its clock is right.")
        codes = new_recovery(self._entropy)
        after = replace(
            before,
            sealed=self._keys.seal(opened.secret, caller.id),
            pending=None,
            since=self._clock(),
            step=step,
            recovery=tuple(kept(each) for each in codes),
            rev=before.rev + 1,
        )
        await self._recorder.record("second_factor.begun", caller.to_person())
        if not await self._factors.save(before, after):
            raise _busy()
        return RecoveryView(recovery_codes=codes)

    async def remove(self, user: str, person: Person) -> None:
        """The person has none any more: one's own, or another's whose phone and codes are lost."""
        await self._recorder.record("second_factor.ended", person, detail={"user": user})
        await self._factors.remove(user)


def _busy() -> ConflictError:
    return ConflictError("Your second factor was changed at this very moment. Try again.", "second_factor_busy")
