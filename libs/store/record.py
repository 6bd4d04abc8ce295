"""Records: what a document means, as frozen typed values.

A record's `id` is the document's `_id`. A reader ignores fields that it does not know, and a writer sets only the
fields that changed, so that what a newer version appended survives an older one.
"""

import functools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Generic, Protocol, TypeVar

from pydantic import BeforeValidator, PlainSerializer, TypeAdapter, ValidationError

from libs.store.errors import UnreadableDocumentError
from libs.store.ports import Document
from libs.store.values import plain

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_date(millis: int) -> datetime:
    """Unix milliseconds as the store's date."""
    return _EPOCH + timedelta(milliseconds=millis)


def _to_millis(value: Any) -> Any:
    return (value - _EPOCH) // timedelta(milliseconds=1) if isinstance(value, datetime) else value


Expiry = Annotated[int, BeforeValidator(_to_millis), PlainSerializer(to_date, return_type=datetime)]
"""Unix milliseconds that lie in the store as a date, because only a date lets a document go by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A document's fields. Not for what travels: that is `libs.wire`."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised(Record):
    """A record that is changed by compare-and-set: what is saved has the next `rev`."""

    rev: int = 0


class Identified(Protocol):
    """Anything with an identifier: records, and the frozen values of the domain."""

    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Identified)


@functools.cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """One a kind: to build it takes milliseconds, and it keeps nothing of what it reads."""
    return TypeAdapter(kind)


class Codec(Generic[R]):
    """Turns records into documents and back."""

    def __init__(self, kind: type[R]) -> None:
        self._adapter: TypeAdapter[R] = _adapter(kind)
        self._name = kind.__name__

    def to_document(self, record: R) -> Document:
        fields: Document = plain(self._adapter.dump_python(record))
        return {"_id": fields.pop("id"), **fields}

    def from_document(self, document: Document) -> R:
        """The record.

        Raises:
            UnreadableDocumentError: it is none of this kind.
        """
        fields = {"id" if key == "_id" else key: value for key, value in document.items()}
        try:
            return self._adapter.validate_python(fields)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
            raise UnreadableDocumentError(f"{self._name} {document.get('_id')}: {where}") from error

    def changes(self, before: R, after: R) -> Document:
        """The top-level fields that differ."""
        old, new = self.to_document(before), self.to_document(after)
        return {field: value for field, value in new.items() if field not in old or old[field] != value}
