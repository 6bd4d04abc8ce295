"""Why the bundler does not do what it was asked.

KeyturnError
  DeclinedError        permanent: an answer with a stable code and a sentence
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
    USER_NAME_NOT_ALLOWED = "user_name_not_allowed"
    PLATFORM_MISMATCH = "platform_mismatch"
    CSR_INVALID = "csr_invalid"
    NAME_INVALID = "name_invalid"
    AGENT_REVOKED = "agent_revoked"
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


class ContendedError(KeyturnError):
    """Others wrote the same document at the same moment; asking again helps."""

    retryable = True


def declined(error: KeyturnError) -> Declined:
    """The answer for any error that was raised on purpose."""
    if isinstance(error, DeclinedError):
        return Declined(code=error.code, sentence=error.sentence)
    if error.retryable:
        sentence = "The bundler cannot do this at the moment. Ask again soon."
        return Declined(code=Code.BUNDLER_BUSY, sentence=sentence, retryable=True)
    return Declined(code=Code.BUNDLER_FAULT, sentence="The bundler could not do this; its log says why.")
