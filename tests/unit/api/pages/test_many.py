"""*Resources* and *Agents* among more machines than are read whole: everything is looked through, by indexes."""

import re
from dataclasses import replace

import pytest

from libs.domain.state import Status
from libs.store.accounts import Accounts
from libs.store.presence import Presence, Presences
from libs.store.resources import Resource, Resources
from libs.store.shares import Level, Share, Shares, share_id
from libs.store.users import User
from libs.wire.ids import Noun, new_id
from services.api.agents.words import SILENT_AFTER
from services.api.pages import agents
from services.api.resources import finding
from tests.unit.api.pages.browser import Browser
from tests.unit.api.world import NOW, World, in_sync

MACHINES = 60
WHOLE = "Among this many machines, search finds a machine by the beginning of its name"


@pytest.fixture
async def machines(world: World, users: dict[str, User]) -> list[Resource]:
    """Ben's, oldest first, and each with a root; that of the oldest is in drift."""
    first, _ = await world.machine(users["ben"], "host-00")
    made = [first]
    for n in range(1, MACHINES):
        one = replace(
            first, id=new_id(Noun.RESOURCE), agent=new_id(Noun.AGENT), name=f"host-{n:02}", created_at=NOW + n
        )
        assert await Resources(world.admin).insert(one)
        made.append(one)
    for each in made:
        status = Status.DRIFT if each is first else Status.IN_SYNC
        await world.account(each, rotation=replace(in_sync(), status=status))
        await Presences(world.admin).contact(Presence(id=each.agent, last_seen=NOW, version="1.4.2"))
    return made


def shown(text: str) -> list[str]:
    """The machines of a page, in their order."""
    return re.findall(r'<a class="host"[^>]*>([^<]+)</a>', text)


def following(text: str) -> str:
    found = re.search(r'<a href="([^"]+)">Further machines</a>', text)
    assert found is not None
    return found[1].replace("&amp;", "&")


async def test_what_needs_attention_comes_first_from_wherever_it_is(
    browsers: dict[str, Browser], machines: list[Resource]
) -> None:
    text = (await browsers["ada"].get("/resources")).text
    assert shown(text)[0] == "host-00"
    assert shown(text)[1:] == [each.name for each in machines[:-51:-1]]
    assert f"{MACHINES} machines." in text
    assert "1 account needs attention." in text
    assert re.search(rf"In sync <b>{MACHINES - 1}</b>", text)
    rest = (await browsers["ada"].get(following(text))).text
    assert sorted(shown(text)[1:] + shown(rest)) == [each.name for each in machines]
    assert "Further machines" not in rest


async def test_a_filter_looks_through_all(browsers: dict[str, Browser], machines: list[Resource]) -> None:
    assert shown((await browsers["ada"].get("/resources?state=drift")).text) == [machines[0].name]
    assert "No machine has an account in this state." in (await browsers["ada"].get("/resources?state=pending")).text
    first = (await browsers["ada"].get("/resources?state=in_sync")).text
    rest = (await browsers["ada"].get(following(first))).text
    assert sorted(shown(first) + shown(rest)) == [each.name for each in machines[1:]]
    assert len(shown(first)) == finding.PAGE
    of_another_question = following(first).replace("state=in_sync&", "")
    assert (await browsers["ada"].get(of_another_question)).status_code == 422


async def test_a_search_says_how_it_finds(
    world: World, browsers: dict[str, Browser], users: dict[str, User], machines: list[Resource]
) -> None:
    eves, _ = await world.machine(users["eve"], "Branch-7")
    await world.account(eves, "deploy", in_sync())
    for q, found in (
        ("host-1", [each.name for each in machines[10:20]]),
        ("ost-1", []),
        ("Branch", ["Branch-7"]),
        ("DEPLOY", ["Branch-7"]),
        ("deplo", []),
        ("eve", ["Branch-7"]),
    ):
        text = (await browsers["ada"].get(f"/resources?q={q}")).text
        assert (q, sorted(shown(text))) == (q, found)
        assert WHOLE in text
        assert "type more of the name" not in text
    many = (await browsers["ada"].get("/resources?q=root")).text
    assert (len(shown(many)), "type more of the name" in many) == (finding.PAGE, True)
    assert shown((await browsers["ada"].get("/resources?q=host-0&state=drift")).text) == [machines[0].name]


async def test_somebody_who_sees_many_but_not_all_is_shown_their_own(
    world: World, browsers: dict[str, Browser], users: dict[str, User], machines: list[Resource]
) -> None:
    eves, _ = await world.machine(users["eve"], "host-of-eve")
    await world.account(eves, "root", replace(in_sync(), status=Status.QUARANTINED))
    text = (await browsers["ben"].get("/resources")).text
    assert shown(text)[0] == machines[0].name
    assert "More machines than are shown at once." in text
    for path in ("/resources", "/resources?q=host-of", "/resources?q=eve", "/resources?state=quarantined"):
        assert "host-of-eve" not in (await browsers["ben"].get(path)).text
    assert shown((await browsers["eve"].get("/resources")).text) == ["host-of-eve"]


async def test_whose_share_is_one_account_of_each_is_shown_nothing_of_the_others(
    world: World, browsers: dict[str, Browser], users: dict[str, User], machines: list[Resource]
) -> None:
    """Neither by counts, nor by a state, nor by a name that is searched for: among few machines and among many."""
    for n, each in enumerate(machines):
        root = (await Accounts(world.admin).named(each.id, "root"))[0]
        await world.account(each, "payroll", replace(in_sync(), status=Status.QUARANTINED))
        await given(world, users["eve"], each, root.id)
        if n in {0, len(machines) - 1}:
            for path in ("/resources", "/resources?q=payroll", "/resources?state=quarantined"):
                text = (await browsers["eve"].get(path)).text
                assert len(shown(text)) == (min(n + 1, finding.PAGE + 1) if path == "/resources" else 0), (n, path)
                assert "/accounts/" not in text.replace(f"/accounts/{root.id}", ""), (n, path)
    assert len(shown((await browsers["eve"].get("/resources?q=root")).text)) == finding.PAGE


async def given(world: World, to: User, on: Resource, account: str) -> None:
    """One account of a machine is shared with somebody."""
    share = Share(
        id=share_id(to.id, on.id, account),
        subject=to.id,
        subject_name=to.name,
        kind="person",
        resource=on.id,
        resource_at=on.created_at,
        account=account,
        level=Level.USE,
        created_at=NOW,
        by=on.owner,
        by_name=on.owner_name,
    )
    assert await Shares(world.admin).insert(share)


async def test_counts_are_taken_once_a_minute(
    world: World, browsers: dict[str, Browser], machines: list[Resource]
) -> None:
    assert "1 account needs attention." in (await browsers["ada"].get("/resources")).text
    await world.account(machines[5], "deploy", replace(in_sync(), status=Status.UNCERTAIN))
    text = (await browsers["ada"].get("/resources")).text
    assert (shown(text)[1], "1 account needs attention." in text) == (machines[5].name, True)
    await world.clock.advance(60)
    assert "2 accounts need attention." in (await browsers["ada"].get("/resources")).text


async def test_agents_in_trouble_come_first_from_wherever_they_are(
    world: World, browsers: dict[str, Browser], machines: list[Resource]
) -> None:
    silent = Presence(id=machines[0].agent, last_seen=NOW - SILENT_AFTER - 1, version="1.4.2")
    await Presences(world.admin).contact(silent)
    gone = Presence(id=new_id(Noun.AGENT), last_seen=NOW - SILENT_AFTER - 1, version="1.4.2")
    await Presences(world.admin).contact(gone)
    for each in machines[1:]:
        await world.certify(each)
    for name in ("ada", "ben"):
        text = (await browsers[name].get("/admin/agents")).text
        assert shown(text)[0] == machines[0].name
        assert "1 in trouble." in text
        assert sorted(shown(text)[1:]) == sorted(each.name for each in machines[: -agents.AT_ONCE - 1 : -1])
        rest = (await browsers[name].get(following(text))).text
        assert sorted({*shown(text), *shown(rest)}) == sorted(each.name for each in machines)


async def test_a_silent_agent_comes_before_the_others_from_wherever_it_is(
    world: World, browsers: dict[str, Browser], machines: list[Resource]
) -> None:
    for n in (1, 2):
        long_ago = Presence(id=machines[n].agent, last_seen=NOW - SILENT_AFTER - n, version="1.4.2")
        await Presences(world.admin).contact(long_ago)
    for each in machines[1:]:
        await world.certify(each)
    text = (await browsers["ada"].get("/resources")).text
    assert shown(text)[:3] == [machines[0].name, machines[1].name, machines[2].name]  # in drift, then the silent ones
    rest = (await browsers["ada"].get(following(text))).text
    assert sorted({*shown(text), *shown(rest)}) == [each.name for each in machines]
    assert not set(shown(text)[:3]) & set(shown(text)[3:])  # once each
    # Nobody is told of machines that are not theirs, silent or not.
    assert shown((await browsers["eve"].get("/resources")).text) == []
