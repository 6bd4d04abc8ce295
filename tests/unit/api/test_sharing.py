"""Sharing: what each level lets somebody do, through a group as well, and what a list of shared machines costs."""

from typing import Any

import pytest

from libs.broker.topology import QueueName
from libs.store.memory.shelf import Shelf
from libs.store.resources import Resource
from libs.store.schema import CollectionName
from libs.store.users import Role, Users
from libs.wire.requests import Declined, HandedOver, HandOverContent, Request
from tests.unit.api.world import World, in_sync

People = dict[str, dict[str, str]]


async def bens(world: World, name: str = "dmz-web-01") -> Resource:
    ben = await Users(world.admin).named("ben")
    assert ben is not None
    return (await world.machine(ben, name))[0]


async def names(world: World, headers: dict[str, str], path: str, **query: Any) -> list[str]:
    """The names on a list, over all its pages."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        params = {**query, **({"cursor": cursor} if cursor else {})}
        page = (await world.client.get(path, params=params, headers=headers)).json()
        found += [each["name"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return found


async def share(world: World, headers: dict[str, str], **body: str) -> str:
    answer = await world.client.post("/v1/shares", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_one_account_is_shared_and_the_others_stay_unseen(world: World, people: People) -> None:
    resource = await bens(world)
    root = await world.account(resource, "root", rotation=in_sync())
    deploy = await world.account(resource, "deploy", rotation=in_sync())
    key = await share(world, people["ben"], account=deploy.id, person="eve", level="use")
    accounts = f"/v1/resources/{resource.id}/accounts"
    assert await names(world, people["eve"], accounts) == ["deploy"]
    assert await names(world, people["ben"], accounts) == ["deploy", "root"]
    shown = await world.client.get(f"/v1/accounts/{deploy.id}", headers=people["eve"])
    assert shown.json()["level"] == "use"
    assert (await world.client.get(f"/v1/accounts/{root.id}", headers=people["eve"])).status_code == 404
    assert (await world.client.post(f"/v1/accounts/{root.id}/verify", headers=people["eve"])).status_code == 404
    assert (await world.client.post(f"/v1/accounts/{deploy.id}/verify", headers=people["eve"])).status_code == 202
    assert (await world.client.delete(f"/v1/shares/{key}", headers=people["eve"])).status_code == 403
    assert (await world.client.delete(f"/v1/shares/{key}", headers=people["ben"])).status_code == 200
    assert (await world.client.get(f"/v1/resources/{resource.id}", headers=people["eve"])).status_code == 404


async def test_a_share_gets_another_level_and_says_whom_to_ask(world: World, people: People) -> None:
    resource = await bens(world)
    account = await world.account(resource, rotation=in_sync())
    first = await share(world, people["ben"], resource=resource.id, person="eve", level="see")
    refused = await world.client.post(f"/v1/accounts/{account.id}/verify", headers=people["eve"])
    assert (refused.status_code, "Ask its owner, ben" in refused.json()["detail"]) == (403, True)
    assert await share(world, people["ben"], resource=resource.id, person="eve", level="manage") == first
    await world.user("zoe")
    await share(world, people["eve"], account=account.id, person="zoe", level="see")
    listed = (await world.client.get("/v1/shares", params={"resource": resource.id}, headers=people["eve"])).json()
    told = {
        each["subject"]["name"]: (each["level"], each["account"] and each["account"]["name"])
        for each in listed["items"]
    }
    assert told == {"eve": ("manage", None), "zoe": ("see", "root")}
    owner = await world.client.post(
        f"/v1/resources/{resource.id}/owner", json={"user_name": "zoe"}, headers=people["eve"]
    )
    assert owner.status_code == 403


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"person": "nobody"}, 422, "user_name_unknown"),
        ({"group": "nobody"}, 422, "group_unknown"),
        ({"person": "eve", "group": "db-admins"}, 422, "invalid"),
        ({}, 422, "invalid"),
        ({"person": "ben"}, 409, "owns_already"),
        ({"person": "eve", "level": "own"}, 422, "invalid"),
        ({"person": "eve", "resource": None}, 422, "invalid"),
    ],
)
async def test_a_share_that_makes_no_sense_is_refused(
    world: World, people: People, body: dict[str, Any], status: int, code: str
) -> None:
    resource = await bens(world)
    given = {"resource": resource.id, "level": "see", **body}
    answer = await world.client.post("/v1/shares", json=given, headers=people["ben"])
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_group_gives_what_is_shared_with_it_for_as_long_as_one_is_in_it(world: World, people: People) -> None:
    resource = await bens(world)
    ada, eve = people["ada"], people["eve"]
    group = (await world.client.post("/v1/groups", json={"name": "db-admins"}, headers=ada)).json()["id"]
    again = await world.client.post("/v1/groups", json={"name": "db-admins"}, headers=ada)
    assert (again.status_code, again.json()["code"]) == (409, "group_name_taken")
    await share(world, people["ben"], resource=resource.id, group="db-admins", level="use")
    assert await names(world, eve, "/v1/resources") == []
    for _ in range(2):
        joined = await world.client.post(f"/v1/groups/{group}/members", json={"user_name": "eve"}, headers=ada)
        assert joined.status_code == 201
    assert await names(world, eve, "/v1/resources") == [resource.name]
    agents = (await world.client.get("/v1/agents", headers=eve)).json()["items"]
    assert [each["resource"]["name"] for each in agents] == [resource.name]
    assert await names(world, eve, "/v1/groups") == ["db-admins"]
    member = joined.json()["id"]
    assert (await world.client.delete(f"/v1/groups/{group}/members/{member}", headers=ada)).status_code == 204
    assert await names(world, eve, "/v1/resources") == []
    await world.client.post(f"/v1/groups/{group}/members", json={"user_name": "eve"}, headers=ada)
    assert (await world.client.delete(f"/v1/groups/{group}", headers=ada)).status_code == 204
    assert await names(world, eve, "/v1/resources") == []
    assert await names(world, people["ada"], "/v1/groups") == []
    shares = (await world.client.get("/v1/shares", params={"resource": resource.id}, headers=people["ben"])).json()
    assert shares["items"] == []


async def test_own_and_shared_machines_are_one_list_without_a_gap(world: World, people: People) -> None:
    eve = await Users(world.admin).named("eve")
    assert eve is not None
    group = (await world.client.post("/v1/groups", json={"name": "g"}, headers=people["ada"])).json()["id"]
    await world.client.post(f"/v1/groups/{group}/members", json={"user_name": "eve"}, headers=people["ada"])
    made = []
    for n in range(12):
        resource = (await world.machine(eve, f"host-{n}"))[0] if n % 3 == 0 else await bens(world, f"host-{n}")
        if n % 3 == 1:
            await share(world, people["ben"], resource=resource.id, person="eve", level="see")
            account = await world.account(resource)
            await share(world, people["ben"], account=account.id, person="eve", level="use")
        if n % 3 == 2 and n != 11:
            await share(world, people["ben"], resource=resource.id, group="g", level="see")
        if n != 11:
            made.append(resource.name)
    for limit in (1, 2, 5, 50):
        assert await names(world, people["eve"], "/v1/resources", limit=limit) == made[::-1]


async def test_a_page_of_shared_machines_reads_no_more_of_many(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in documents that leave the store, with a hundred machines shared and with thirty."""
    read: list[int] = []
    find = Shelf.find

    def counted(self: Shelf, *args: Any, **kwargs: Any) -> Any:
        found = find(self, *args, **kwargs)
        read.append(len(found))
        return found

    monkeypatch.setattr(Shelf, "find", counted)
    totals = []
    for n in range(300):
        resource = await bens(world, f"host-{n}")
        await share(world, people["ben"], resource=resource.id, person="eve", level="see")
        if n in {99, 299}:
            read.clear()
            await world.client.get("/v1/resources", params={"limit": 10}, headers=people["eve"])
            totals.append(sum(read))
    assert totals[1] <= totals[0] + 110  # one more batch of shares, however many machines there are


async def test_a_changed_role_counts_at_once_and_signs_the_person_out(world: World, people: People) -> None:
    resource = await bens(world)
    account = await world.account(resource, rotation=in_sync())
    eve = await Users(world.admin).named("eve")
    ada = await Users(world.admin).named("ada")
    assert eve is not None
    assert ada is not None
    path = f"/v1/users/{eve.id}"
    assert (await world.client.patch(path, json={}, headers=people["ada"])).json()["role"] == "user"
    changed = await world.client.patch(path, json={"role": "auditor"}, headers=people["ada"])
    assert (changed.status_code, changed.json()["role"]) == (200, "auditor")
    assert (await world.client.get("/v1/resources", headers=people["eve"])).status_code == 401
    again = await world.signed_in("eve")
    assert await names(world, again, "/v1/resources") == [resource.name]
    refused = await world.client.post(f"/v1/accounts/{account.id}/verify", headers=again)
    assert (refused.status_code, "auditor" in refused.json()["detail"]) == (403, True)
    out = await world.client.patch(path, json={"disabled": True}, headers=people["ada"])
    assert out.json()["disabled"] is True
    assert (await world.client.get("/v1/resources", headers=again)).status_code == 401
    mine = await world.client.patch(f"/v1/users/{ada.id}", json={"role": "user"}, headers=people["ada"])
    assert (mine.status_code, mine.json()["code"]) == (409, "not_yourself")


async def test_a_person_is_signed_out_everywhere_by_an_administrator(world: World, people: People) -> None:
    eve = await Users(world.admin).named("eve")
    assert eve is not None
    elsewhere = await world.signed_in("eve")
    path = f"/v1/users/{eve.id}/sessions"
    assert (await world.client.delete(path, headers=people["ben"])).status_code == 403
    assert (await world.client.delete(path, headers=people["ada"])).status_code == 204
    for headers in (people["eve"], elsewhere):
        assert (await world.client.get("/v1/resources", headers=headers)).status_code == 401
    assert (await world.client.get("/v1/resources", headers=await world.signed_in("eve"))).status_code == 200
    written = [each["what"] for each in (await world.client.get("/v1/audit", headers=people["ada"])).json()["items"]]
    assert "user.signed_out" in written


async def test_a_resource_is_handed_over_by_the_scheduler(world: World, people: People) -> None:
    resource = await bens(world)
    eve = await Users(world.admin).named("eve")
    assert eve is not None
    path = f"/v1/resources/{resource.id}/owner"

    def answer(request: Request) -> HandedOver | Declined:
        assert isinstance(request.content, HandOverContent)
        if request.content.owner_name == "ada":
            return Declined(code="resource_name_taken", sentence="ada has one.")
        return HandedOver(resource=request.content.resource, owner=request.content.owner)

    async with world.answering(QueueName.HANDOVERS, answer) as heard:
        for name, status, code in (("nobody", 422, "user_name_unknown"), ("ada", 409, "resource_name_taken")):
            refused = await world.client.post(path, json={"user_name": name}, headers=people["ben"])
            assert (refused.status_code, refused.json()["code"]) == (status, code)
        assert (await world.client.post(path, json={"user_name": "eve"}, headers=people["ben"])).status_code == 200
    assert heard[-1].resource == resource.id
    assert heard[-1].content == HandOverContent(resource=resource.id, owner=eve.id, owner_name="eve")
    written = [each["what"] for each in await _audit(world)]
    assert written.count("resource.hand_over_requested") == 2


async def _audit(world: World) -> list[dict[str, Any]]:
    shelf = world.server.shelf(CollectionName.AUDIT_GATEWAY)
    return list(shelf._documents.values())


async def test_an_operator_uses_every_machine_and_manages_none(world: World) -> None:
    resource = (await world.machine(await world.user("ben")))[0]
    account = await world.account(resource, rotation=in_sync())
    operator = await world.user("olga", Role.OPERATOR)
    headers = await world.signed_in(operator.name)
    assert (await world.client.post(f"/v1/accounts/{account.id}/verify", headers=headers)).status_code == 202
    body = {"resource": resource.id, "person": "eve", "level": "see"}
    refused = await world.client.post("/v1/shares", json=body, headers=headers)
    assert (refused.status_code, "You may use this resource" in refused.json()["detail"]) == (403, True)
    everybodys = await world.client.get("/v1/tasks", params={"mine": "false"}, headers=headers)
    assert everybodys.status_code == 200
