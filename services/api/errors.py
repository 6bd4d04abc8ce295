"""What the gateway refuses, without a word of HTTP: a stable code, and a sentence a person can act on.

GatewayError              permanent, unless said otherwise
  NotSignedInError        no token, or one that is past or unknown
  WrongSignInError        the name or the password is wrong; which of them is not said
  ConfirmFirstError       signed in, but it is too long ago that the person showed who they are
  WrongSetupCodeError     the set-up code is another one, or spent, or past
  NotAllowedError         the person's role does not allow it
    SecondFactorFirstError  a second factor is wanted first
  NotThereError           no such thing, or not for this person: the same answer
  InvalidError            a field breaks a rule; carries which
    BadCursorError        a cursor that no page of ours gave
  ConflictError           the present state does not allow it; carries a code of its own
  ChangedMeanwhileError   it is not any more what the caller has read
  SlowDownError           retryable: too many tries; carries seconds
    TooFastError          in pace.py: more requests than one person may send
  DeclinedError           scheduler or bundler said no; carries their code and sentence
  AwayError               retryable: a part behind the gateway does not answer; carries a code of its own
  AgentRefusedError       the agent's request does not count; carries a code of its own
  ApprovalPendingError    retryable: an enrolment waits until a person has decided
"""

from typing import Any, ClassVar

from libs.domain.errors import KeyturnError
from libs.wire.requests import Declined


class GatewayError(KeyturnError):
    """The root. `code` is stable; `sentence` is for people."""

    code: ClassVar[str] = "refused"

    def __init__(self, sentence: str, code: str | None = None, **extra: Any) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.stable = code or self.code
        self.extra = extra


class NotSignedInError(GatewayError):
    code = "not_signed_in"

    def __init__(self, sentence: str = "Sign in: this needs a token that is still good.") -> None:
        super().__init__(sentence)


class WrongSignInError(GatewayError):
    code = "wrong_sign_in"

    def __init__(self, sentence: str = "The name or the password is not right.") -> None:
        super().__init__(sentence)


class ConfirmFirstError(GatewayError):
    """What is asked for wants a person who showed just now who they are."""

    code = "confirm_first"

    def __init__(self) -> None:
        super().__init__("Say again who you are first: this may be done within five minutes of that. Nothing was done.")


class WrongSetupCodeError(GatewayError):
    code = "wrong_setup_code"


class NotAllowedError(GatewayError):
    code = "not_allowed"


class SecondFactorFirstError(NotAllowedError):
    """Signed in, but without the second factor that this server wants everybody to have."""

    code = "second_factor_required"

    def __init__(self) -> None:
        super().__init__("This server wants everybody to have a second factor. Begin yours, then go on.")


class NotThereError(GatewayError):
    code = "not_there"

    def __init__(self, noun: str) -> None:
        super().__init__(f"There is no such {noun}, or it is not yours to see.")


class InvalidError(GatewayError):
    """One field, and what would be right."""

    code = "invalid"

    def __init__(self, field: str, sentence: str, code: str | None = None) -> None:
        super().__init__(sentence, code, errors=[{"field": field, "problem": sentence}])


class BadCursorError(InvalidError):
    def __init__(self) -> None:
        super().__init__("cursor", "This cursor is none of ours: give back `next` of the page before, unchanged.")


class ConflictError(GatewayError):
    code = "conflict"


class ChangedMeanwhileError(GatewayError):
    """The thing is not any more what the caller has read."""

    code = "account_changed"


class SlowDownError(GatewayError):
    code = "slow_down"
    retryable = True

    def __init__(self, seconds: int, sentence: str | None = None) -> None:
        super().__init__(sentence or f"Too many tries. Wait {seconds} s, then try again.", retry_after=seconds)


class DeclinedError(GatewayError):
    """What scheduler or bundler said."""

    def __init__(self, declined: Declined) -> None:
        super().__init__(declined.sentence, declined.code)
        self.again = declined.retryable


class AwayError(GatewayError):
    code = "unavailable"
    retryable = True

    def __init__(self, sentence: str, code: str | None = None, *, seconds: int = 2) -> None:
        super().__init__(sentence, code, retry_after=seconds)


class AgentRefusedError(GatewayError):
    code = "agent_refused"


class ApprovalPendingError(GatewayError):
    code = "approval_pending"
    retryable = True

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, retry_after=10)
