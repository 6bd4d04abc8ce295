"""Why the bundler does not do what it was asked.

KeyturnError
  DeclinedError        permanent: an answer with a stable code and a sentence
    TokenCopiedError   another key used the token up: an incident
    PendingError       retryable: a person has not decided yet
  ContendedError       retryable: too many races lost
"""

from enum import StrEnum

from libs.domain.errors import KeyturnError
from libs.wire.requests import Declined


class Code(StrEnum):
    """Every code of this service, each used for one reason and never for another."""

    REQUEST_NOT_TRUSTED = "request_not_trusted"
    REQUEST_TOO_LATE = "request_too_late"
    REQUEST_REPEATED = "request_repeated"
    TOKEN_UNKNOWN = "token_unknown"  # noqa: S105 - a code
    TOKEN_USED = "token_used"  # noqa: S105 - a code
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a code
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - a code
    TOKEN_HOST_NOT_ALLOWED = "token_host_not_allowed"  # noqa: S105 - a code
    TOKEN_NETWORK_NOT_ALLOWED = "token_network_not_allowed"  # noqa: S105 - a code
    USER_NAME_NOT_ALLOWED = "user_name_not_allowed"
    PLATFORM_MISMATCH = "platform_mismatch"
    CSR_INVALID = "csr_invalid"
    NAME_INVALID = "name_invalid"
    AGENT_REVOKED = "agent_revoked"
    APPROVAL_PENDING = "approval_pending"
    APPROVAL_DENIED = "approval_denied"
    ENROLMENT_UNKNOWN = "enrolment_unknown"
    ENROLMENT_SETTLED = "enrolment_settled"
    ENROLMENT_TOO_OLD = "enrolment_too_old"
    RENEWAL_INVALID = "renewal_invalid"
    RECIPIENT_INVALID = "recipient_invalid"
    RUNTIME_MISSING = "runtime_missing"
    RUNTIME_NOT_TRUSTED = "runtime_not_trusted"
    PACKAGE_FILE_MISSING = "package_file_missing"
    BUNDLER_BUSY = "bundler_busy"
    BUNDLER_FAULT = "bundler_fault"


class DeclinedError(KeyturnError):
    """The request was not carried out, and nothing was changed by it."""

    def __init__(self, code: Code, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class TokenCopiedError(DeclinedError):
    """The token was used up by other keys than the one that asks."""

    def __init__(self) -> None:
        super().__init__(
            Code.TOKEN_USED,
            "This enrolment token was used by another machine. Download a new package for this one.",
        )


class PendingError(DeclinedError):
    """The enrolment waits for a person; the machine asks again by itself."""

    retryable = True

    def __init__(self, enrolment: str) -> None:
        super().__init__(
            Code.APPROVAL_PENDING,
            f"This machine waits until a person approves it: keyturn enrolments approve {enrolment}",
        )


class ContendedError(KeyturnError):
    """Others wrote the same document at the same moment; asking again helps."""

    retryable = True


def declined(error: KeyturnError) -> Declined:
    """The answer for any error that was raised on purpose."""
    if isinstance(error, DeclinedError):
        return Declined(code=error.code, sentence=error.sentence, retryable=error.retryable)
    if error.retryable:
        sentence = "The bundler cannot do this at the moment. Ask again soon."
        return Declined(code=Code.BUNDLER_BUSY, sentence=sentence, retryable=True)
    return Declined(code=Code.BUNDLER_FAULT, sentence="The bundler could not do this; its log says why.")
