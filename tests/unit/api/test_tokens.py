"""Tokens, machines that wait, and incidents: who sees them, who decides, and what the bundler is asked then."""

from typing import Any

import pytest

from libs.broker.topology import QueueName
from libs.store.enrolments import EnrolmentState
from libs.store.tokens import TokenState
from libs.store.users import User, Users
from libs.wire.ids import Noun, new_id
from libs.wire.requests import (
    ComposeContent,
    Declined,
    Request,
    RevokeTokenContent,
    SettleContent,
    Settled,
    TokenRevoked,
)
from tests.unit.api.test_packages import composed, publish
from tests.unit.api.world import NOW, World

People = dict[str, dict[str, str]]
WHO = ("ben", "eve", "ada")


async def user(world: World, name: str) -> User:
    found = await Users(world.admin).named(name)
    assert found is not None
    return found


def settled(request: Request) -> Settled:
    assert isinstance(request.content, SettleContent)
    return Settled(enrolment=request.content.enrolment, approved=request.content.approve)


def revoked(request: Request) -> TokenRevoked:
    assert isinstance(request.content, RevokeTokenContent)
    return TokenRevoked(token=request.content.token)


async def test_tokens_are_seen_by_who_made_them_and_never_in_the_plain(world: World, people: People) -> None:
    ben = await user(world, "ben")
    await world.token(ben, host_pattern="dmz-*", networks=("192.0.2.0/24",), uses=3, uses_left=2)
    await world.token(ben, expires=NOW - 1)
    await world.token(ben, state=TokenState.SPENT, uses_left=0, expires=NOW - 1)
    await world.token(ben, state=TokenState.REVOKED)
    seen = {who: (await world.client.get("/v1/tokens", headers=people[who])).json()["items"] for who in WHO}
    assert seen["eve"] == []
    assert seen["ben"] == seen["ada"]
    assert [each["state"] for each in seen["ben"]] == ["revoked", "spent", "expired", "active"]
    last = seen["ben"][-1]
    assert (last["uses"], last["uses_left"], last["host_pattern"], last["networks"]) == (
        3,
        2,
        "dmz-*",
        ["192.0.2.0/24"],
    )
    assert not any("sha256" in each for each in last)


async def test_a_token_is_revoked_by_who_made_it(world: World, people: People) -> None:
    token = await world.token(await user(world, "ben"))
    async with world.answering(QueueName.DECISIONS, revoked) as heard:
        answer = await world.client.post(f"/v1/tokens/{token.id}/revoke", headers=people["ben"])
        assert (await world.client.post(f"/v1/tokens/{token.id}/revoke", headers=people["eve"])).status_code == 404
        nowhere = f"/v1/tokens/{new_id(Noun.TOKEN)}/revoke"
        assert (await world.client.post(nowhere, headers=people["ada"])).status_code == 404
    assert (answer.status_code, answer.json()["state"]) == (200, "revoked")
    (request,) = heard
    assert request.person is not None
    assert (request.person.name, request.content) == ("ben", RevokeTokenContent(token=token.id))


@pytest.mark.parametrize(("verb", "approve"), [("approve", True), ("deny", False)])
async def test_a_decision_names_the_key_that_the_person_saw(
    world: World, people: People, verb: str, *, approve: bool
) -> None:
    found = await world.waiting(await user(world, "ben"))
    (seen,) = (await world.client.get("/v1/enrolments", headers=people["ben"])).json()["items"]
    assert (seen["state"], seen["key"], seen["for_resource"]) == ("waiting", found.key_hash, None)
    assert "dmz-web-09" in seen["sentence"]
    assert "192.0.2.9" in seen["sentence"]
    async with world.answering(QueueName.DECISIONS, settled) as heard:
        answer = await world.client.post(f"/v1/enrolments/{found.id}/{verb}", headers=people["ben"])
    assert answer.status_code == 200
    (request,) = heard
    assert request.content == SettleContent(
        enrolment=found.id, approve=approve, resource=found.resource, key_hash=found.key_hash
    )


async def test_who_does_not_own_the_known_resource_does_not_decide(world: World, people: People) -> None:
    """The package's maker may have lost the resource since."""
    ben, eve = await user(world, "ben"), await user(world, "eve")
    resource, _ = await world.machine(eve, "dmz-web-01")
    found = await world.waiting(ben, known=True, resource=resource.id)
    async with world.answering(QueueName.DECISIONS, settled) as heard:
        answer = await world.client.post(f"/v1/enrolments/{found.id}/approve", headers=people["ben"])
        assert answer.status_code == 404
        assert heard == []
        assert (await world.client.post(f"/v1/enrolments/{found.id}/approve", headers=people["ada"])).status_code == 200
    (seen,) = (await world.client.get("/v1/enrolments", headers=people["ada"])).json()["items"]
    assert seen["for_resource"] == {"id": resource.id, "name": "dmz-web-01"}
    assert "every password of dmz-web-01" in seen["sentence"]


async def test_what_waits_is_listed_by_state(world: World, people: People) -> None:
    ben = await user(world, "ben")
    await world.waiting(ben)
    await world.waiting(
        ben, state=EnrolmentState.DENIED, decided_at=NOW, decided_by=ben.id, decided_by_name="ben", resource_name="x"
    )
    counts = {}
    for state in (None, "waiting", "denied", "approved"):
        answer = await world.client.get(
            "/v1/enrolments", params={"state": state} if state else {}, headers=people["ben"]
        )
        counts[state] = len(answer.json()["items"])
    assert counts == {None: 2, "waiting": 1, "denied": 1, "approved": 0}
    assert (await world.client.get("/v1/enrolments", headers=people["eve"])).json()["items"] == []


async def test_a_refusal_of_the_bundler_keeps_its_code(world: World, people: People) -> None:
    found = await world.waiting(await user(world, "ben"))
    no = Declined(code="enrolment_settled", sentence="ada denied it already.")
    async with world.answering(QueueName.DECISIONS, lambda _: no):
        answer = await world.client.post(f"/v1/enrolments/{found.id}/approve", headers=people["ben"])
    assert (answer.status_code, answer.json()["code"]) == (409, "enrolment_settled")


async def test_an_incident_says_what_happened_and_what_to_do(world: World, people: People) -> None:
    await world.incident(await user(world, "ben"))
    seen = {who: (await world.client.get("/v1/incidents", headers=people[who])).json()["items"] for who in WHO}
    assert seen["eve"] == []
    (incident,) = seen["ben"]
    assert seen["ada"] == [incident]
    assert incident["kind"] == "token_used_by_another_key"
    assert "copy" in incident["sentence"]
    assert "203.0.113.9" in incident["sentence"]
    assert incident["next"]
    assert incident["closed"] is None


async def test_an_incident_is_closed_once_with_who_and_why_and_stays_on_record(world: World, people: People) -> None:
    incident = await world.incident(await user(world, "ben"))
    path = f"/v1/incidents/{incident.id}/close"
    assert (await world.client.post(path, json={"reason": ""}, headers=people["ben"])).status_code == 422
    for who, why in (("ben", "our own test"), ("ada", "another reason")):
        answer = await world.client.post(path, json={"reason": why}, headers=people[who])
        assert answer.status_code == 200
        closed = answer.json()["closed"]
        assert (closed["by"]["name"], closed["reason"]) == ("ben", "our own test")
    (shown,) = (await world.client.get("/v1/incidents", headers=people["ada"])).json()["items"]
    assert shown["closed"] == closed
    trail = (await world.client.get("/v1/audit", headers=people["ada"])).json()["items"]
    records = [each for each in trail if each["what"] == "incident.close"]
    assert [(each["who"]["name"], each["reason"]) for each in records] == [("ben", "our own test")]
    nowhere = f"/v1/incidents/{new_id(Noun.INCIDENT)}/close"
    assert (await world.client.post(nowhere, json={"reason": "x"}, headers=people["ada"])).status_code == 404


async def test_a_packages_bounds_reach_the_bundler(world: World, people: People) -> None:
    await publish(world)
    body = {
        "platform": "linux",
        "user_name": "ben",
        "user_names": ["eve"],
        "uses": 50,
        "host_pattern": "dmz-*",
        "networks": ["10.20.0.0/16"],
        "approval": True,
    }
    async with world.answering(QueueName.PACKAGES, composed) as heard:
        assert (await world.client.post("/v1/packages", json=body, headers=people["ada"])).status_code == 200
        mine = await world.client.post("/v1/packages", json=body, headers=people["ben"])
        assert (mine.status_code, mine.json()["code"]) == (403, "not_allowed")  # for eve as well
    (request,) = heard
    assert isinstance(request.content, ComposeContent)
    bounds = request.content.bounds
    assert (bounds.user_names, bounds.uses, bounds.approval) == (("ben", "eve"), 50, True)
    assert (bounds.host_pattern, bounds.networks) == ("dmz-*", ("10.20.0.0/16",))


@pytest.mark.parametrize(
    ("field", "value"),
    [("networks", ["10.0.0.5/8"]), ("networks", ["here"]), ("host_pattern", "a b"), ("for_resource", "dmz-web-01")],
)
async def test_a_bound_that_is_none_is_named(world: World, people: People, field: str, value: Any) -> None:
    body = {"platform": "linux", "user_name": "ben", field: value}
    answer = await world.client.post("/v1/packages", json=body, headers=people["ben"])
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"][0]["field"].startswith(field)


@pytest.mark.parametrize(
    ("who", "changes", "status", "field"),
    [
        ("ben", {}, 200, None),
        ("ada", {}, 200, None),
        ("eve", {"user_name": "eve"}, 404, None),
        ("ben", {"uses": 2}, 422, "uses"),
        ("ada", {"user_name": "ada"}, 422, "user_name"),
        ("ada", {"user_names": ["eve"]}, 422, "user_name"),
        ("ben", {"platform": "windows"}, 422, "platform"),
    ],
)
async def test_a_package_for_a_known_resource(  # noqa: PLR0917 - a table's columns
    world: World, people: People, who: str, changes: dict[str, Any], status: int, field: str | None
) -> None:
    await publish(world)
    resource, _ = await world.machine(await user(world, "ben"))
    body = {"platform": "linux", "user_name": "ben", "for_resource": resource.id, **changes}
    async with world.answering(QueueName.PACKAGES, composed) as heard:
        answer = await world.client.post("/v1/packages", json=body, headers=people[who])
    assert answer.status_code == status
    if status == 200:
        assert isinstance(heard[0].content, ComposeContent)
        assert heard[0].content.bounds.resource == resource.id
    else:
        assert heard == []
    if field is not None:
        assert answer.json()["errors"][0]["field"] == field


async def test_a_waiting_agent_is_told_to_come_again(world: World, people: People) -> None:
    del people
    body = {
        "token": "t" * 43,
        "user_name": "ben",
        "resource_name": "dmz-web-09",
        "platform": "linux",
        "csr": "MA==",
        "host": {"hostname": "dmz-web-09", "system": "Debian"},
    }
    waits = Declined(code="approval_pending", sentence="This machine waits.", retryable=True)
    async with world.answering(QueueName.ENROLMENTS, lambda _: waits):
        answer = await world.client.post("/agent/v1/enrol", json=body)
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (409, "approval_pending", "10")
    assert world.documents().count("dmz-web-09") == 0
