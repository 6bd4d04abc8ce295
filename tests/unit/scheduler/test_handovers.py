"""Another owner: by the gateway's word alone, in time, and never with a name that the new owner has already."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.store.resources import Resource, Resources
from libs.store.schema import CollectionName
from libs.wire.events import Answered, HandOverAsked
from libs.wire.ids import Noun, derived_id
from libs.wire.requests import HandOverContent, Request
from tests.unit.scheduler.world import GATEWAY, World

EVE = derived_id(Noun.USER, "eve")


def request_for(here: World, key: str, **changes: Any) -> Request:
    content = HandOverContent(resource=key, owner=EVE, owner_name="eve")
    return here.request(content, lifetime=8_000).model_copy(update={"resource": key, **changes})


async def ask(here: World, request: Request, key: Ed25519PrivateKey = GATEWAY) -> Answered:
    envelope = HandOverAsked(signed=here.signed(request, key=key)).envelope(here.clock.now())
    return Answered.read(await here.graph.handovers.asked(envelope))


async def resource_of(here: World, key: str) -> Resource:
    found = await Resources(here.admin).get(key)
    assert found is not None
    return found


async def test_a_resource_gets_its_new_owner_once(here: World) -> None:
    host = await here.machine()
    before = await resource_of(here, host.resource)
    for _ in range(2):
        answered = await ask(here, request_for(here, host.resource))
        assert answered.answer == {"resource": host.resource, "owner": EVE}
    after = await resource_of(here, host.resource)
    assert (after.owner, after.owner_name, after.rev) == (EVE, "eve", before.rev + 1)
    records = here.server.shelf(CollectionName.AUDIT_SCHEDULER)._documents.values()
    told = [each["extra"] for each in records if each["what"] == "resource.handed_over"]
    assert [(each["owner"], each["owner_before"]) for each in told] == [("eve", before.owner_name)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"deadline": 1}, "request_too_late"),
        ({"person": None}, "request_not_trusted"),
        ({"resource": derived_id(Noun.RESOURCE, "another")}, "request_not_trusted"),
    ],
)
async def test_a_request_that_does_not_count_changes_nothing(here: World, changes: dict[str, Any], code: str) -> None:
    host = await here.machine()
    before = await resource_of(here, host.resource)
    answered = await ask(here, request_for(here, host.resource, **changes))
    assert answered.declined is not None
    assert answered.declined["code"] == code
    assert await resource_of(here, host.resource) == before


async def test_nobody_but_the_gateway_is_believed_and_no_name_is_given_twice(here: World) -> None:
    first, second = await here.machine(), await here.machine()
    forged = await ask(here, request_for(here, first.resource), Ed25519PrivateKey.generate())
    assert forged.declined is not None
    assert (await ask(here, request_for(here, first.resource))).declined is None
    one, other = await resource_of(here, first.resource), await resource_of(here, second.resource)
    answered = await ask(here, request_for(here, second.resource))
    if one.name == other.name:
        assert answered.declined is not None
        assert answered.declined["code"] == "resource_name_taken"
    else:
        assert answered.declined is None
    gone = await ask(here, request_for(here, derived_id(Noun.RESOURCE, "nowhere")))
    assert gone.declined is not None
    assert gone.declined["code"] == "not_there"
