"""What can go wrong at the store. The one question a caller asks is `retryable`.

    StoreError                a KeyturnError
    ├── StoreAwayError        retryable: nobody answered, and nothing was written
    ├── OutcomeUnknownError   retryable: a write was sent and its answer was lost; read again before repeating it
    ├── StoreDeniedError      permanent: this service has no right to do that, or its password is wrong
    ├── StoreRefusedError     permanent: the store will never take this: wrong value, wrong path, too large
    └── UnreadableDocumentError  permanent: a document of another shape than this version knows

A unique key that is taken and a guard that does not hold are no errors: `insert` and `update` answer False.
"""

from libs.domain.errors import KeyturnError


class StoreError(KeyturnError):
    """The base of the tree."""


class StoreAwayError(StoreError):
    """The store did not answer in time; nothing was written."""

    retryable = True


class OutcomeUnknownError(StoreError):
    """A write may or may not have happened. The caller reads the document again and decides by what it finds."""

    retryable = True


class StoreDeniedError(StoreError):
    """The store knows this service and forbids the action, or does not know it."""

    retryable = False


class StoreRefusedError(StoreError):
    """The operation itself is wrong, and stays wrong when repeated."""

    retryable = False


class UnreadableDocumentError(StoreError):
    """The store holds a document that this version cannot read: damaged, or written by a later one."""

    retryable = False
