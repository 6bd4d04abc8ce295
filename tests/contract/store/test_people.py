"""What the nouns of people promise: names given once, sessions and codes that end, groups, shares."""

import asyncio
from dataclasses import replace
from typing import Any

from libs.store.groups import Group, Groups, Members, Membership, membership_id
from libs.store.ports import Store
from libs.store.sessions import Session, Sessions
from libs.store.setup_codes import SetupCode, SetupCodes
from libs.store.shares import Share, Shares
from libs.store.users import Role, User, Users
from libs.wire.ids import Noun
from tests.contract.store.samples import NOW, RECORDS, some

HOUR = 3_600_000


def sample(kind: type[Any]) -> Any:
    return next(record for record in RECORDS if type(record) is kind)


async def test_a_user_is_found_by_name_and_a_name_is_given_once(store: Store) -> None:
    users = Users(store)
    assert not await users.any()
    ada = User(id="usr_a", name="ada", role=Role.USER, password_hash="x", created_at=NOW)
    assert await users.insert(ada)
    assert not await users.insert(replace(ada, id="usr_b"))
    assert await users.any()
    assert await users.named("ada") == ada
    assert await users.named("bob") is None
    assert "password_hash" not in repr(ada)


async def test_a_group_has_one_name_and_its_members_by_name(store: Store) -> None:
    groups, members = Groups(store), Members(store)
    group: Group = sample(Group)
    assert await groups.insert(group)
    assert not await groups.insert(replace(group, id=some(Noun.GROUP, 2)))
    assert await groups.named("db-admins") == group
    assert await groups.page(now=NOW, limit=10) == [group]
    for name in ("eve", "ada", "ben"):
        one = Membership(id=membership_id(group.id, name), group=group.id, user=f"usr_{name}", name=name, since=NOW)
        assert await members.insert(one)
        assert not await members.insert(one)
    found = await members.of_group(group.id, limit=2)
    assert [each.name for each in found] == ["ada", "ben"]
    after = (found[-1].name, found[-1].id)
    assert [each.name for each in await members.of_group(group.id, limit=2, after=after)] == ["eve"]
    assert [each.group for each in await members.of_user("usr_ben")] == [group.id]
    assert await members.remove(membership_id(group.id, "ben"))
    assert not await members.remove(membership_id(group.id, "ben"))
    assert await members.of_user("usr_ben") == []
    assert await groups.remove(group.id)
    assert await groups.named("db-admins") is None


async def test_shares_are_found_by_the_thing_and_by_whom_it_was_given_to(store: Store) -> None:
    shares = Shares(store)
    share: Share = sample(Share)
    for n in range(5):
        one = replace(share, id=some(Noun.SHARE, n), resource=f"res_{n}", resource_at=NOW + n, created_at=NOW - n)
        assert await shares.insert(one)
    await shares.insert(replace(share, id=some(Noun.SHARE, 9), subject="grp_x", resource="res_1", created_at=NOW))
    assert [each.subject for each in await shares.on("res_1")] == [share.subject, "grp_x"]
    given = [each.resource async for each in shares.given(share.subject, now=NOW, until=NOW + 3)]
    assert given == ["res_3", "res_2", "res_1", "res_0"]
    assert [each.resource async for each in shares.given("grp_x", now=NOW, until=2**53)] == ["res_1"]
    assert await shares.remove(some(Noun.SHARE, 9))
    assert [each async for each in shares.given("grp_x", now=NOW, until=2**53)] == []


async def test_a_session_ends_at_its_time_whenever_the_store_takes_it_away(store: Store) -> None:
    sessions = Sessions(store)
    one = Session(id="a" * 64, user="usr_a", created_at=NOW, last_used_at=NOW, expires=NOW + 10)
    await sessions.insert(one)
    await sessions.insert(replace(one, id="b" * 64))
    assert await sessions.live(one.id, NOW + 9) == one
    assert await sessions.live(one.id, NOW + 10) is None
    await sessions.touch(one.id, NOW + 5)
    assert await sessions.live(one.id, NOW) == replace(one, last_used_at=NOW + 5)
    assert await sessions.end(one.id)
    assert not await sessions.end(one.id)
    assert await sessions.end_all("usr_a") == 1
    assert await sessions.live("b" * 64, NOW) is None


async def test_a_setup_code_has_five_tries_whoever_races_and_one_use(store: Store) -> None:
    codes = SetupCodes(store)
    assert await codes.attempt(NOW) is None
    fresh = SetupCode(sha256="a" * 64, tries_left=5, expires=NOW + 10)
    assert await codes.renew(fresh)
    assert await codes.attempt(NOW + 10) is None
    tried = await asyncio.gather(*(codes.attempt(NOW) for _ in range(8)))
    assert sum(each is not None for each in tried) == 5
    assert await codes.renew(fresh)
    first, second = await codes.attempt(NOW), await codes.current()
    assert first is not None
    assert first == second
    assert sorted(await asyncio.gather(codes.use(first), codes.use(first))) == [False, True]
    assert await codes.attempt(NOW) is None
    assert not await codes.renew(fresh)
