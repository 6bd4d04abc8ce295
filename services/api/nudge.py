"""Telling the relay that a document has an event now, so that it goes within milliseconds and not at the next sweep."""

from collections.abc import Callable

from libs.store.schema import CollectionName

Nudge = Callable[[CollectionName, str], None]
"""Called with the collection and the identifier, after the write."""
