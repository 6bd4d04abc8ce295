"""Each noun's record comes back from each engine as it went in, and is turned by what changed alone."""

from dataclasses import fields, replace
from typing import Any

import pytest

from libs.domain.state import Rotation
from libs.store.accounts import Accounts
from libs.store.errors import UnreadableDocumentError
from libs.store.ports import Store
from libs.store.record import Codec
from libs.store.schema import CollectionName
from libs.wire.events import TaskRequested
from libs.wire.ids import Noun
from tests.contract.store.samples import ACCOUNT, NOW, RECORDS, some


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
async def test_a_record_comes_back_as_it_went_in(store: Store, record: Any) -> None:
    anywhere = store.collection(CollectionName.EPOCH)  # no index there knows its fields
    codec: Codec[Any] = Codec(type(record))
    assert await anywhere.insert(codec.to_document(record))
    found = await anywhere.get(record.id)
    assert found is not None
    back = codec.from_document(found)
    assert back == record
    for field in fields(record):
        assert type(getattr(back, field.name)) is type(getattr(record, field.name)), field.name


async def test_a_save_writes_what_differs_and_keeps_what_it_does_not_know(store: Store) -> None:
    accounts, raw = Accounts(store), store.collection(CollectionName.ACCOUNTS)
    await accounts.insert(ACCOUNT)
    await raw.update(ACCOUNT.id, set={"of_a_later_version": 1, "shell": "changed by another"})
    assert await accounts.save(ACCOUNT, replace(ACCOUNT, gid=5, rev=8))
    found = await raw.get(ACCOUNT.id)
    assert found is not None
    assert (found["gid"], found["rev"]) == (5, 8)
    assert (found["of_a_later_version"], found["shell"]) == (1, "changed by another")


async def test_a_save_loses_to_an_earlier_one(store: Store) -> None:
    accounts = Accounts(store)
    await accounts.insert(ACCOUNT)
    winner, loser = replace(ACCOUNT, gid=1, rev=8), replace(ACCOUNT, gid=2, rev=8)
    assert await accounts.save(ACCOUNT, winner)
    assert not await accounts.save(ACCOUNT, loser)
    assert await accounts.get(ACCOUNT.id) == winner


async def test_a_change_and_its_event_are_one_write(store: Store) -> None:
    accounts, raw = Accounts(store), store.collection(CollectionName.ACCOUNTS)
    event = TaskRequested(task=some(Noun.TASK)).envelope(NOW)
    await accounts.insert(ACCOUNT, event)
    assert not await accounts.save(replace(ACCOUNT, rev=3), replace(ACCOUNT, rev=4), event)
    after = replace(ACCOUNT, rotation=Rotation(), rev=8)
    assert await accounts.save(ACCOUNT, after, event)
    found = await raw.get(ACCOUNT.id)
    assert found is not None
    assert [entry["id"] for entry in found["outbox"]] == [event.id, event.id]
    assert await accounts.get(ACCOUNT.id) == after


@pytest.mark.parametrize("after", [replace(ACCOUNT, rev=7), replace(ACCOUNT, rev=9), replace(ACCOUNT, id="x", rev=8)])
async def test_only_the_next_revision_follows(store: Store, after: Any) -> None:
    with pytest.raises(ValueError, match="does not follow"):
        await Accounts(store).save(ACCOUNT, after)


async def test_a_document_of_another_shape_is_said_to_be_unreadable(store: Store) -> None:
    await store.collection(CollectionName.ACCOUNTS).insert({"_id": ACCOUNT.id, "rotation": "damaged"})
    with pytest.raises(UnreadableDocumentError) as error:
        await Accounts(store).get(ACCOUNT.id)
    assert not error.value.retryable
    assert "damaged" not in str(error.value)
