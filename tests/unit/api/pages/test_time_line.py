"""An account's time line, and what is offered of an account that was just asked something."""

from dataclasses import replace

from libs.domain.accounts import Account
from libs.domain.state import Kind
from libs.store.audit import Audit, AuditRecord, Who
from libs.store.resources import Resource
from libs.store.schema import Service
from libs.store.tasks import Task, Tasks, TaskState
from libs.store.users import User
from libs.wire.ids import Noun, new_id
from libs.wire.requests import Person
from tests.unit.api.pages.browser import Browser, forms
from tests.unit.api.world import NOW, World


def reveal(account: Account, at: int, reason: str, **extra: str) -> AuditRecord:
    """What the scheduler writes before it answers."""
    return AuditRecord(
        id=new_id(Noun.AUDIT),
        at=at,
        who=Who(id=new_id(Noun.USER), name="carla"),
        what="account.reveal",
        account=account.id,
        outcome="revealed",
        reason=reason,
        extra={"generations": "1.2, 1.1", "sealed_to": "the person", **extra},
    )


def task(account: Account, machine: Resource, ben: User, at: int) -> Task:
    """A verify that went well."""
    return Task(
        id=new_id(Noun.TASK),
        kind=Kind.VERIFY,
        account=account.id,
        resource=machine.id,
        account_name=account.name,
        resource_name=machine.name,
        requester=Person(id=ben.id, name="ben"),
        note=f"asked at {at}",
        state=TaskState.DONE,
        opens=True,
        created_at=at,
        ended_at=at,
        rev=1,
    )


async def test_who_revealed_it_stands_among_what_was_asked(
    world: World, browsers: dict[str, Browser], users: dict[str, User], machine: Resource, account: Account
) -> None:
    audit = Audit(world.server.store(Service.SCHEDULER), Service.SCHEDULER)
    await Tasks(world.admin).insert(task(account, machine, users["ben"], NOW - 3_000))
    await audit.append(reveal(account, NOW - 2_000, "<b>ticket</b>"))
    await audit.append(replace(reveal(account, NOW - 1_000, "later", sealed_to="the gateway"), outcome="declined"))
    await audit.append(replace(reveal(account, NOW, "elsewhere"), account=new_id(Noun.ACCOUNT)))
    text = (await browsers["ben"].get(f"/accounts/{account.id}")).text
    line = text[text.index("Time line") :]
    places = [line.index(each) for each in ("carla asked to reveal", "carla revealed 2 passwords", "ben asked for a")]
    assert places == sorted(places)
    assert "The server opened it, for a browser without scripts." in line
    assert "&lt;b&gt;ticket&lt;/b&gt;" in line
    assert "elsewhere" not in line


async def test_each_page_of_the_time_line_has_the_reveals_of_its_own_time(
    world: World, browsers: dict[str, Browser], users: dict[str, User], machine: Resource, account: Account
) -> None:
    audit = Audit(world.server.store(Service.SCHEDULER), Service.SCHEDULER)
    for n in range(25):
        await Tasks(world.admin).insert(task(account, machine, users["ben"], NOW - 10_000 * n))
        await audit.append(reveal(account, NOW - 10_000 * n - 5_000, f"reveal-{n}."))
    first = (await browsers["ben"].get(f"/accounts/{account.id}")).text
    following = first[first.index("?cursor=") :].split("#")[0]
    second = (await browsers["ben"].get(f"/accounts/{account.id}{following}")).text
    shown = [[n for n in range(25) if f"reveal-{n}." in text] for text in (first, second)]
    assert shown == [list(range(19)), list(range(19, 25))]


async def test_what_is_asked_already_is_not_offered_again_before_the_scheduler_took_it(
    browsers: dict[str, Browser], machine: Resource, account: Account
) -> None:
    ben, page = browsers["ben"], f"/accounts/{account.id}"
    for path in (page, f"/resources/{machine.id}"):
        assert f'href="{page}/change"' in (await ben.get(path)).text
    assert (await ben.fill(f"{page}/change")).status_code == 303
    for name, path in (("ben", page), ("ben", f"/resources/{machine.id}"), ("ada", page)):
        text = (await browsers[name].get(path)).text
        assert "ben asked already, just now" in text
        for action in ("change", "verify", "adopt"):
            assert f'href="{page}/{action}"' not in text
        assert f'href="{page}/reveal"' in text
    (cancel,) = [each for each in forms(await ben.get(page)) if each.endswith("/cancel")]
    assert (await ben.fill(page, cancel)).status_code == 303
