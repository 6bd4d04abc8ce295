"""The errors of the rules.

KeyturnError                retryable or permanent: that alone decides acknowledgement and back-off
  RuleError                 permanent; carries the reason code that people see
    BusyError               another task holds the account; carries whose
    NotNowError             the account's status does not allow it
    StaleAnswerError        an answer that does not count (invariant I9)
    AlreadyAtAgentError     a cancel that came after the fetch
"""

from typing import ClassVar

from libs.wire.reasons import Reason


class KeyturnError(Exception):
    """The root of every error that Keyturn raises on purpose."""

    retryable: ClassVar[bool] = False


class RuleError(KeyturnError):
    """The rules say no. `reason` is the stable code."""

    def __init__(self, reason: Reason, sentence: str = "") -> None:
        super().__init__(sentence or reason.value)
        self.reason = reason


class BusyError(RuleError):
    """Another task is in flight on the account."""

    def __init__(self, task: str) -> None:
        super().__init__(Reason.ACCOUNT_BUSY, f"{task} is in flight")
        self.task = task


class NotNowError(RuleError):
    """The account's status does not allow this request."""


class AlreadyAtAgentError(RuleError):
    """The agent has the task; a cancel changes nothing."""

    def __init__(self) -> None:
        super().__init__(Reason.ALREADY_AT_AGENT)


class StaleAnswerError(KeyturnError):
    """The answer is of another flight, generation, nonce or fence: it is kept aside and changes nothing."""
