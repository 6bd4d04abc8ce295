"""What the administrator made: each collection with each index that the schema lists."""

from typing import Any

import pytest

from libs.store.schema import INDEXES, CollectionName, Index
from tests.contract.store.engine import RealStore, driver


def _index(found: dict[str, Any]) -> Index:
    return Index(
        tuple(field for field, _ in found["key"]),
        unique=bool(found.get("unique")),
        ttl=found.get("expireAfterSeconds") == 0,
    )


@pytest.mark.real
def test_every_index_of_the_schema_is_there_and_no_other(set_up_store: RealStore) -> None:
    with driver(set_up_store.url) as client:
        for name in CollectionName:
            there = client[set_up_store.prefix + name.database][name.collection].index_information()
            found = {_index(index) for key, index in there.items() if key != "_id_"}
            assert found == set(INDEXES[name]), name
