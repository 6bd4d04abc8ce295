"""What the driver raises, as the port's errors.

A write that was handed to a connection may have happened whatever became of the connection; only an operation for which
no server was found surely did not.
"""

from typing import TypeGuard

from bson.errors import BSONError
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WTimeoutError,
)

from libs.store.errors import OutcomeUnknownError, StoreAwayError, StoreDeniedError, StoreError, StoreRefusedError

_DENIED = frozenset({13, 18})  # Unauthorized, AuthenticationFailed
_PASSING = frozenset(
    {6, 7, 50, 64, 89, 91, 112, 189, 262, 9001, 10107, 11600, 11601, 11602, 13435, 13436}
)  # server/common/error_codes.yml: host and network, time limits, shutdown, write conflict, change of primary


def mapped(error: PyMongoError | BSONError, *, writes: bool) -> StoreError:
    """The port's error for the driver's."""
    if isinstance(error, BulkWriteError):
        return _bulk(error)
    if isinstance(error, ServerSelectionTimeoutError | WaitQueueTimeoutError | InvalidOperation):
        return StoreAwayError(_sentence(error))
    if isinstance(error, DocumentTooLarge | DuplicateKeyError | ConfigurationError | BSONError):
        return StoreRefusedError(_sentence(error))
    if _answered(error):
        return (StoreDeniedError if error.code in _DENIED else StoreRefusedError)(_sentence(error))
    return OutcomeUnknownError(_sentence(error)) if writes else StoreAwayError(_sentence(error))


def _answered(error: Exception) -> TypeGuard[OperationFailure]:
    """Whether the server said no for good."""
    if not isinstance(error, OperationFailure) or isinstance(error, ExecutionTimeout | WTimeoutError):
        return False
    return error.code not in _PASSING


def _bulk(error: BulkWriteError) -> StoreError:
    details = error.details or {}
    if any(each.get("code") in _DENIED for each in details.get("writeErrors", [])):
        return StoreDeniedError("a bulk write that this service may not do")
    return OutcomeUnknownError("a bulk write that was done in part")


def _sentence(error: Exception) -> str:
    """The server's own words where it answered, one line and bounded: a driver's message goes on with its topology."""
    details = error.details if isinstance(error, OperationFailure) else None
    words = str((details or {}).get("errmsg") or error)
    return f"{type(error).__name__}: {words.partition(chr(10))[0]}"[:300]
