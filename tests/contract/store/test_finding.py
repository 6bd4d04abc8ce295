"""What is found among many: by state, by name, page by page in the order of machines, and counted up to a limit."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from libs.domain.accounts import Account
from libs.domain.state import Status
from libs.store.accounts import Accounts, Standing
from libs.store.errors import UnreadableDocumentError
from libs.store.ports import Store
from libs.store.resources import Resource, Resources
from libs.store.schema import CollectionName
from libs.wire.ids import Noun
from tests.contract.store.samples import ACCOUNT, NOW, RECORDS, some

MACHINES = 20


def on_machines() -> Iterator[Account]:
    """Two accounts on each machine: root is in drift everywhere, deploy on every fourth and else in sync."""
    for n in range(MACHINES):
        deploy = Status.IN_SYNC if n % 4 else Status.DRIFT
        for name, status in (("root", Status.DRIFT), ("deploy", deploy)):
            yield replace(
                ACCOUNT,
                id=some(Noun.ACCOUNT, f"{n} {name}"),
                resource=some(Noun.RESOURCE, n),
                name=name,
                rotation=replace(ACCOUNT.rotation, status=status),
            )


def in_short(of: Account) -> Standing:
    return Standing(of.id, of.resource, of.name, of.rotation.status)


@pytest.fixture
async def accounts(store: Store) -> Accounts:
    found = Accounts(store)
    for each in on_machines():
        assert await found.insert(each)
    return found


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_the_accounts_in_a_state_come_once_in_the_order_of_their_machines(accounts: Accounts, size: int) -> None:
    joined: list[Standing] = []
    after = None
    while page := await accounts.in_state(Status.DRIFT, limit=size, after=after):
        joined += page
        after = (page[-1].resource, page[-1].id)
    drifted = [in_short(each) for each in on_machines() if each.rotation.status is Status.DRIFT]
    assert joined == sorted(drifted, key=lambda each: (each.resource, each.id))
    assert await accounts.in_state(Status.QUARANTINED, limit=size) == []


async def test_a_page_may_begin_after_all_of_a_machine(accounts: Accounts) -> None:
    whole = await accounts.in_state(Status.DRIFT, limit=100)
    place = (whole[0].resource, "~")
    assert await accounts.in_state(Status.DRIFT, limit=100, after=place) == [
        each for each in whole if each.resource != whole[0].resource
    ]
    assert await accounts.in_state(Status.DRIFT, limit=100, after=("no identifier at all", "x")) != []


async def test_counts_are_exact_up_to_their_limit(accounts: Accounts) -> None:
    for _ in range(2):  # the second time it is known how wide to ask
        assert await accounts.count_in_state(Status.DRIFT, limit=100) == 25
        assert await accounts.count_in_state(Status.DRIFT, limit=5) == 5
        assert await accounts.count_in_state(Status.UNMANAGED, limit=5) == 0


async def test_accounts_are_found_by_the_whole_of_their_name(accounts: Accounts) -> None:
    assert {each.name for each in await accounts.called("deploy", limit=100)} == {"deploy"}
    assert len(await accounts.called("root", limit=100)) == MACHINES
    assert len(await accounts.called("root", limit=3)) == 3
    assert await accounts.called("roo", limit=100) == []


async def test_a_machines_accounts_are_told_in_short(store: Store, accounts: Accounts) -> None:
    root, deploy = (in_short(each) for each in list(on_machines())[:2])
    assert await accounts.standings(root.resource, limit=5) == [deploy, root]
    await store.collection(CollectionName.ACCOUNTS).insert({"_id": "acc_x", "resource": "res_x", "name": "x"})
    with pytest.raises(UnreadableDocumentError):
        await accounts.standings("res_x", limit=5)


async def test_machines_are_found_by_the_beginning_of_their_name(store: Store) -> None:
    resources = Resources(store)
    one: Resource = next(each for each in RECORDS if isinstance(each, Resource))
    names = ("dmz-web-02", "dmz-web-01", "dmz", "branch-01", "dmzé")
    for n, name in enumerate(names):
        await resources.insert(replace(one, id=some(Noun.RESOURCE, n), name=name, created_at=NOW + n))
    assert [each.name for each in await resources.beginning("dmz-", limit=9)] == ["dmz-web-01", "dmz-web-02"]
    assert [each.name for each in await resources.beginning("dmz", limit=9)] == [
        "dmz", "dmz-web-01", "dmz-web-02", "dmzé",
    ]  # fmt: skip
    assert [each.name for each in await resources.beginning("dmz", limit=2)] == ["dmz", "dmz-web-01"]
    assert await resources.beginning("web", limit=9) == []
    assert (await resources.count(limit=9), await resources.count(limit=3)) == (5, 3)
