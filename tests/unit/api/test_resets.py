"""Asking for resets: what is written, what is refused at once, and that a typed password is nowhere."""

import io
from base64 import b64encode
from typing import Any

import pytest

from libs.domain.state import Flight, Generation, Kind, Rotation, Status
from libs.store.certificates import Certificates, CertificateState
from libs.store.memory.faults import Effect
from libs.store.outbox import Outbox
from libs.store.requests import Requests
from libs.store.schema import Service
from libs.store.tasks import Task, Tasks, TaskState
from libs.store.users import User, Users
from libs.telemetry import logging
from libs.wire.ids import Noun, derived_id
from libs.wire.reasons import Reason
from libs.wire.requests import CancelContent, Person, Request, ResetContent
from libs.wire.sign import Prefix, verify
from services.api.tasks.warnings import SENTENCES, Warned
from tests.unit.api.world import NOW, World, in_sync

CANARY = "canary-Zq7-password"
TASK = derived_id(Noun.TASK, "other")
GENERATION = Generation(1_764_000_000, 2)


@pytest.fixture
async def ben(world: World, people: dict[str, dict[str, str]]) -> User:
    assert "ben" in people
    found = await Users(world.admin).named("ben")
    assert found is not None
    return found


async def put(world: World, owner: User, rotation: Rotation | None = None) -> str:
    resource, _ = await world.machine(owner)
    return (await world.account(resource, rotation=rotation)).id


async def test_a_reset_is_one_signed_request_with_its_event(
    world: World, people: dict[str, dict[str, str]], ben: User
) -> None:
    account = await put(world, ben)
    answer = await world.client.post(f"/v1/accounts/{account}/reset", json={"note": "why not"}, headers=people["ben"])
    task = answer.json()["task"]
    assert (answer.status_code, task["state"], task["open"], task["kind"]) == (202, "requested", True, "reset")
    document = await Requests(world.admin).get(task["id"])
    assert document is not None
    raw = verify(document.signed, Prefix.REQUEST, world.keys.request.public_key())
    request = Request.model_validate_json(raw)
    assert (request.id, request.person) == (task["id"], Person(id=ben.id, name="ben", address="192.0.2.7"))
    assert isinstance(request.content, ResetContent)
    assert (request.content.account, request.content.typed, request.content.note) == (account, None, "why not")
    waiting = await Outbox(world.admin, Service.GATEWAY).waiting()
    assert [(each.envelope.type, each.envelope.body) for each in waiting] == [("task.requested", {"task": task["id"]})]
    assert (await world.client.get(f"/v1/tasks/{task['id']}", headers=people["ben"])).json() == task


async def test_a_typed_password_is_nowhere_but_in_its_box(
    world: World, people: dict[str, dict[str, str]], ben: User
) -> None:
    log = io.StringIO()
    logging.set_up("gateway", "debug", log)
    account = await put(world, ben)
    answer = await world.client.post(f"/v1/accounts/{account}/reset", json={"password": CANARY}, headers=people["ben"])
    assert answer.status_code == 202
    document = await Requests(world.admin).get(answer.json()["task"]["id"])
    assert document is not None
    request = Request.model_validate_json(document.signed.payload)
    assert isinstance(request.content, ResetContent)
    assert request.content.typed is not None
    messages = [each.envelope.model_dump_json() for each in await Outbox(world.admin, Service.GATEWAY).waiting()]
    places = {"store": world.documents(), "signed": document.signed.payload.decode(), "broker": "".join(messages)}
    places |= {"log": log.getvalue(), "answer": answer.text, "metrics": world.parts.metrics.page().decode()}
    shapes = [CANARY, b64encode(CANARY.encode()).decode(), CANARY.encode("utf-16-le").hex(), CANARY.encode().hex()]
    seen = [(place, shape) for place, text in places.items() for shape in shapes if shape in text]
    assert seen == []
    assert account in places["signed"]


async def test_a_password_beyond_ascii_is_taken_with_a_warning(
    world: World, people: dict[str, dict[str, str]], ben: User
) -> None:
    account = await put(world, ben)
    answer = await world.client.post(f"/v1/accounts/{account}/reset", json={"password": "grün"}, headers=people["ben"])
    assert answer.status_code == 202
    assert "beyond ASCII" in answer.json()["warnings"][0]


@pytest.mark.parametrize("action", ["reset", "adopt"])
@pytest.mark.parametrize("name", ["root", "dmz-web-01"])
async def test_a_password_that_would_be_guessed_is_taken_with_a_warning(
    world: World, people: dict[str, dict[str, str]], ben: User, action: str, name: str
) -> None:
    account, names = await put(world, ben), f"{name}-{name}-2026"
    for password, said in ((names, [SENTENCES[Warned.GUESSABLE]]), ("kept hare amber oven", [])):
        path, headers = f"/v1/accounts/{account}/{action}", people["ben"]
        answer = await world.client.post(path, json={"password": password}, headers=headers)
        assert (answer.status_code, answer.json()["warnings"]) == (202, said)
        assert password not in answer.text


async def test_a_generated_password_is_warned_of_by_nobody(
    world: World, people: dict[str, dict[str, str]], ben: User
) -> None:
    account = await put(world, ben)
    answer = await world.client.post(f"/v1/accounts/{account}/reset", json={}, headers=people["ben"])
    assert (answer.status_code, answer.json()["warnings"]) == (202, [])


async def test_a_password_and_a_policy_exclude_each_other(
    world: World, people: dict[str, dict[str, str]], ben: User
) -> None:
    account = await put(world, ben)
    body = {"password": "x", "policy": {"length": 20}}
    answer = await world.client.post(f"/v1/accounts/{account}/reset", json=body, headers=people["ben"])
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "policy")


BUSY = Rotation(
    status=Status.PENDING,
    newest=GENERATION,
    flight=Flight(TASK, Kind.RESET, GENERATION, "a" * 26, NOW - 60_000, NOW + 60_000),
)


@pytest.mark.parametrize(
    ("verb", "rotation", "code"),
    [
        ("reset", BUSY, "account_busy"),
        ("verify", BUSY, "account_busy"),
        ("reset", Rotation(status=Status.UNCERTAIN), "account_uncertain"),
        ("reset", Rotation(status=Status.QUARANTINED), "account_quarantined"),
        ("verify", Rotation(status=Status.QUARANTINED), "account_quarantined"),
        ("verify", Rotation(), "nothing_to_verify"),
        ("adopt", BUSY, "account_busy"),
        ("adopt", Rotation(status=Status.UNCERTAIN), "account_uncertain"),
        ("adopt", Rotation(status=Status.IN_SYNC), "password_known"),
    ],
)
async def test_what_the_document_already_tells_is_refused_at_once(  # noqa: PLR0917 - a table's columns
    world: World, people: dict[str, dict[str, str]], ben: User, verb: str, rotation: Rotation, code: str
) -> None:
    account = await put(world, ben, rotation)
    body = {"password": "Is-live-now-1"} if verb == "adopt" else None
    answer = await world.client.post(f"/v1/accounts/{account}/{verb}", json=body, headers=people["ben"])
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert answer.json()["detail"]
    assert await Requests(world.admin).waiting(NOW * 2) == []


async def test_a_busy_account_tells_whose_task_it_is(
    world: World, people: dict[str, dict[str, str]], ben: User
) -> None:
    account = await put(world, ben, BUSY)
    await Tasks(world.admin).insert(_task(account, ben))
    answer = await world.client.post(f"/v1/accounts/{account}/reset", headers=people["ada"])
    assert answer.json()["detail"].startswith("ben is changing this account since 04:12 UTC.")
    assert answer.json()["task"] == TASK
    shown = (await world.client.get(f"/v1/accounts/{account}", headers=people["ben"])).json()
    assert shown["flight"]["requester"] == {"id": ben.id, "name": "ben"}
    assert shown["next_step"] == "wait"


async def test_a_resource_without_a_valid_agent_is_told(
    world: World, people: dict[str, dict[str, str]], ben: User
) -> None:
    resource, agent = await world.machine(ben)
    account = await world.account(resource)
    await revoke(world, agent.id)
    answer = await world.client.post(f"/v1/accounts/{account.id}/reset", headers=people["ben"])
    assert (answer.status_code, answer.json()["code"]) == (409, "no_agent")


async def revoke(world: World, agent: str) -> None:
    from dataclasses import replace

    certificates = Certificates(world.admin)
    (before,) = await certificates.of_agent(agent)
    assert await certificates.save(before, replace(before, state=CertificateState.REVOKED, rev=before.rev + 1))


@pytest.mark.parametrize("effect", Effect)
async def test_wherever_the_store_fails_the_request_is_there_with_its_event_or_not_at_all(
    world: World, people: dict[str, dict[str, str]], ben: User, effect: Effect
) -> None:
    account = await put(world, ben)
    faults = world.parts.store.faults  # type: ignore[attr-defined]
    outcomes: set[tuple[int, int]] = set()
    for n in range(1, 30):
        at = faults.operations + n
        faults.fail_at(n, effect)
        answer = await world.client.post(
            f"/v1/accounts/{account}/reset", json={"password": CANARY}, headers=people["ben"]
        )
        requests = await Requests(world.admin).waiting(NOW * 2)
        events = await Outbox(world.admin, Service.GATEWAY).waiting()
        assert [each.envelope.body["task"] for each in events] == [each.id for each in requests]
        assert len(requests) == (answer.status_code == 202)
        assert answer.status_code in {202, 503}
        outcomes.add((answer.status_code, len(requests)))
        for each in requests:
            world.server.shelf(Requests(world.admin)._collection._name).delete(each.id, {})  # type: ignore[attr-defined]
        if faults.operations < at:
            break
    else:
        pytest.fail("the request never got through")
    assert outcomes == {(202, 1), (503, 0)}


async def test_a_cancel_is_asked_for_while_no_agent_has_the_task(
    world: World, people: dict[str, dict[str, str]], ben: User
) -> None:
    account = await put(world, ben, BUSY)
    tasks = Tasks(world.admin)
    task = _task(account, ben)
    await tasks.insert(task)
    answer = await world.client.post(f"/v1/tasks/{TASK}/cancel", headers=people["ben"])
    assert (answer.status_code, answer.json()["id"]) == (202, TASK)
    (request,) = await Requests(world.admin).waiting(NOW * 2)
    content = Request.model_validate_json(request.signed.payload).content
    assert content == CancelContent(task=TASK)
    (event,) = await Outbox(world.admin, Service.GATEWAY).waiting()
    assert (event.envelope.type, event.envelope.body) == ("task.cancel_requested", {"request": request.id})
    for state, code in ((TaskState.OFFERED, "already_at_agent"), (TaskState.DONE, "task_ended")):
        after = _turned(task, state=state)
        assert await tasks.save(task, after)
        task = after
        refused = await world.client.post(f"/v1/tasks/{TASK}/cancel", headers=people["ben"])
        assert (refused.status_code, refused.json()["code"]) == (409, code)


async def test_the_bell_counts_the_persons_own_actions(
    world: World, people: dict[str, dict[str, str]], ben: User
) -> None:
    account = await put(world, ben, in_sync())
    await world.client.post(f"/v1/accounts/{account}/reset", headers=people["ben"])
    await world.client.post(f"/v1/accounts/{account}/verify", headers=people["ada"])
    done = _turned(_task(account, ben), state=TaskState.REFUSED, reason=Reason.DISK_FULL, ended_at=NOW)
    await Tasks(world.admin).insert(done)
    bell = (await world.client.get("/v1/notifications", headers=people["ben"])).json()
    assert {key: bell[key] for key in ("resets", "verifies", "waiting")} == {"resets": 2, "verifies": 0, "waiting": 1}
    assert [each["state"] for each in bell["items"]] == ["requested", "refused"]
    assert bell["items"][1]["reason"]["next"].startswith("Free some space")
    assert (await world.client.get("/v1/notifications", headers=people["eve"])).json()["items"] == []


async def test_each_change_is_in_the_audit_with_who_and_what(
    world: World, people: dict[str, dict[str, str]], ben: User
) -> None:
    account = await put(world, ben)
    headers = {**people["ben"], "x-keyturn-client": "command"}
    await world.client.post(f"/v1/accounts/{account}/reset", json={"password": CANARY}, headers=headers)
    found = await world.client.get("/v1/audit", params={"account": account}, headers=people["ada"])
    (record,) = found.json()["items"]
    assert (record["what"], record["who"], record["service"]) == (
        "reset.requested",
        {"id": ben.id, "name": "ben"},
        "gateway",
    )
    assert record["extra"] == {"typed": True, "unlock": False, "note": "", "via": "command"}
    page = (await world.client.get("/v1/audit", params={"limit": 2}, headers=people["ada"])).json()
    assert len(page["items"]) == 2
    assert page["next"]


def _task(account: str, requester: User) -> Task:
    return Task(
        id=TASK,
        kind=Kind.RESET,
        account=account,
        resource=derived_id(Noun.RESOURCE, "r"),
        requester=Person(id=requester.id, name=requester.name),
        state=TaskState.QUEUED,
        created_at=NOW - 60_000,
    )


def _turned(task: Task, **changes: Any) -> Task:
    from dataclasses import replace

    return replace(task, **changes, rev=task.rev + 1)
