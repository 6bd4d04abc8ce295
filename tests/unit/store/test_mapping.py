"""Whether an operation may be repeated, and whether it may have happened, hangs on how the driver's errors are read."""

import pytest
from bson.errors import InvalidDocument
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
    WTimeoutError,
)

from libs.store.errors import OutcomeUnknownError, StoreAwayError, StoreDeniedError, StoreRefusedError
from libs.store.mongo.mapping import mapped

LOST = [
    AutoReconnect("connection closed"),
    NetworkTimeout("timed out"),
    NotPrimaryError("not primary", {"code": 10107}),
    ExecutionTimeout("exceeded time limit", 50),
    WTimeoutError("waiting for replication", 64),
    WriteConcernError("shutdown in progress", 91),
    OperationFailure("interrupted at shutdown", 11600),
    OperationFailure("write conflict", 112),
]


@pytest.mark.parametrize("error", LOST, ids=repr)
def test_a_write_that_was_sent_may_have_happened(error: PyMongoError) -> None:
    assert type(mapped(error, writes=True)) is OutcomeUnknownError
    assert type(mapped(error, writes=False)) is StoreAwayError


@pytest.mark.parametrize("error", [ServerSelectionTimeoutError("none"), WaitQueueTimeoutError("none free")], ids=repr)
def test_what_was_never_sent_did_not_happen(error: PyMongoError) -> None:
    assert type(mapped(error, writes=True)) is StoreAwayError


@pytest.mark.parametrize("code", [13, 18])
def test_a_missing_right_is_denied_for_good(code: int) -> None:
    found = mapped(OperationFailure("no", code, {"errmsg": "not authorized"}), writes=True)
    assert type(found) is StoreDeniedError
    assert not found.retryable


@pytest.mark.parametrize(
    "error",
    [
        DocumentTooLarge("17 MB"),
        DuplicateKeyError("E11000", 11000),
        InvalidDocument("cannot encode"),
        OperationFailure("cannot create field in element", 28),
    ],
    ids=repr,
)
def test_what_is_wrong_stays_wrong(error: PyMongoError) -> None:
    found = mapped(error, writes=True)
    assert type(found) is StoreRefusedError
    assert not found.retryable


def test_a_bulk_write_is_denied_or_done_in_part() -> None:
    denied = BulkWriteError({"writeErrors": [{"code": 13}]})
    raced = BulkWriteError({"writeErrors": [{"code": 11000}]})
    assert type(mapped(denied, writes=True)) is StoreDeniedError
    assert type(mapped(raced, writes=True)) is OutcomeUnknownError


def test_the_sentence_is_one_bounded_line_of_the_servers_words() -> None:
    error = OperationFailure("long, full error: {...}", 28, {"errmsg": "cannot create field\nand more" + "x" * 900})
    assert str(mapped(error, writes=True)) == "OperationFailure: cannot create field"
    assert len(str(mapped(AutoReconnect("x" * 900), writes=True))) == 300
