"""Enrolments that wait for a person: nothing is certified before the decision, and the decision is about one key."""

from typing import Any

import pytest

from libs.store.certificates import Certificates, CertificateState
from libs.store.enrolments import EnrolmentDocument, Enrolments, EnrolmentState
from libs.store.memory.faults import Effect
from libs.store.schema import CollectionName
from libs.store.tokens import Tokens, TokenState
from libs.wire.events import Answered
from libs.wire.ids import Noun, new_id
from libs.wire.requests import (
    Declined,
    EnrolContent,
    Enrolled,
    Person,
    Request,
    RevokeTokenContent,
    SettleContent,
)
from libs.wire.sign import Prefix, verify
from services.bundler.tokens import RETRY_MS, hashed
from tests.unit.bundler.parts import GATEWAY, OWNER, PERSON, Asking, Host, Parts
from tests.unit.bundler.test_enrolment import add_token, enrolled, waiting

RESOURCE = new_id(Noun.RESOURCE)


async def again(parts: Parts, content: Asking, person: Person | None = None) -> Answered:
    """The answer, asked for once more where the store failed."""
    answered = await parts.ask(content, person=person)
    if answered.declined is not None and answered.declined["code"] == "bundler_busy":
        return await parts.ask(content, person=person)
    return answered


async def asks(parts: Parts, content: EnrolContent) -> EnrolmentDocument:
    """An enrolment that waits."""
    declined = Declined.model_validate((await again(parts, content)).declined)
    assert (declined.code, declined.retryable) == ("approval_pending", True)
    (found,) = [
        each for each in await Enrolments(parts.admin).page(now=parts.clock(), limit=10) if each.id in declined.sentence
    ]
    return found


def decision(found: EnrolmentDocument, *, approve: bool, **changes: Any) -> SettleContent:
    whole = {"enrolment": found.id, "approve": approve, "resource": found.resource, "key_hash": found.key_hash}
    return SettleContent.model_validate(whole | changes)


async def test_a_machine_waits_and_is_let_in() -> None:
    parts, host = Parts(), Host()
    token = await add_token(parts, approval=True, created_by=OWNER)
    found = await asks(parts, host.content(token, address="192.0.2.9"))
    assert (found.state, found.approver, found.known) == (EnrolmentState.WAITING, OWNER, False)
    assert (found.host.hostname, found.address) == (host.name, "192.0.2.9")
    assert await asks(parts, host.content(token)) == found  # It asks again, and waits as before.
    assert await parts.all_of(CollectionName.CERTIFICATES) == []
    assert await waiting(parts) == []
    for _ in range(2):
        answered = await parts.ask(decision(found, approve=True))
        assert answered.answer == {"enrolment": found.id, "approved": True}
    # What the person saw is certified, whatever the machine says by then.
    admitted = await enrolled(parts, host.content(token, resource_name="renamed", owner_name="ops"))
    assert (admitted.agent, admitted.resource) == (found.agent, found.resource)
    (certificate,) = await Certificates(parts.store).of_agent(admitted.agent)
    assert certificate.resource_name == host.name
    assert await enrolled(parts, host.content(token)) == admitted
    records = [(each["what"], each["outcome"]) for each in await parts.all_of(CollectionName.AUDIT_BUNDLER)]
    assert sorted(records) == [
        ("agent.enrol", "done"),
        ("enrolment.ask", "waiting"),
        ("enrolment.settle", "approved"),
    ]


async def test_a_denied_machine_gets_nothing_and_the_use_goes_back() -> None:
    parts, host, right = Parts(), Host("wrong"), Host("right")
    token = await add_token(parts, approval=True)
    found = await asks(parts, host.content(token))
    assert await parts.code(right.content(token)) == "token_used"
    for _ in range(2):
        assert (await parts.ask(decision(found, approve=False))).answer == {"enrolment": found.id, "approved": False}
    left = await Tokens(parts.store).hashed(hashed(token))
    assert left is not None
    assert (left.uses_left, left.state) == (1, TokenState.ACTIVE)
    assert await parts.code(host.content(token)) == "approval_denied"
    other = await asks(parts, right.content(token))
    await parts.ask(decision(other, approve=True))
    assert (await enrolled(parts, right.content(token))).agent == other.agent
    assert await parts.code(host.content(token)) == "approval_denied"


async def test_a_decision_stands() -> None:
    parts, host = Parts(), Host()
    found = await asks(parts, host.content(await add_token(parts, approval=True)))
    await parts.ask(decision(found, approve=True))
    assert await parts.code(decision(found, approve=False)) == "enrolment_settled"


async def test_a_decision_is_about_this_key_this_resource_and_by_a_person() -> None:
    parts, host = Parts(), Host()
    found = await asks(parts, host.content(await add_token(parts, approval=True)))
    assert await parts.code(decision(found, approve=True, key_hash="0" * 64)) == "request_not_trusted"
    assert await parts.code(decision(found, approve=True, resource=RESOURCE)) == "request_not_trusted"
    assert await parts.code(decision(found, approve=True), person=None) == "request_not_trusted"
    nowhere = decision(found, approve=True, enrolment=new_id(Noun.ENROLMENT))
    assert await parts.code(nowhere) == "enrolment_unknown"
    assert (await Enrolments(parts.store).get(found.id)) == found


async def test_waiting_outlives_the_token_but_not_for_ever() -> None:
    parts, host = Parts(), Host()
    token = await add_token(parts, approval=True)
    found = await asks(parts, host.content(token))
    parts.clock.at += RETRY_MS - 1  # long after the token's own end
    await parts.ask(decision(found, approve=True))
    parts.clock.at += RETRY_MS - 1  # the machine was off when it was let in
    assert (await enrolled(parts, host.content(token))).agent == found.agent
    late = await asks(parts, Host().content(await add_token(parts, approval=True, expires=parts.clock() + 1)))
    parts.clock.at += RETRY_MS + 1
    assert await parts.code(decision(late, approve=True)) == "enrolment_too_old"
    assert (await parts.ask(decision(late, approve=False))).answer is not None


async def test_a_revoked_token_lets_in_nobody_who_waits() -> None:
    parts, host = Parts(), Host()
    token = await add_token(parts, approval=True)
    found = await asks(parts, host.content(token))
    await parts.ask(RevokeTokenContent(token=found.token))
    await parts.ask(decision(found, approve=True))
    assert await parts.code(host.content(token)) == "token_revoked"
    assert await parts.all_of(CollectionName.CERTIFICATES) == []


async def test_a_known_resource_gets_its_new_agent_with_the_approval_beside_the_certificate() -> None:
    parts, old, new = Parts(), Host(), Host()
    before = await enrolled(parts, old.content(await add_token(parts)))
    token = await add_token(parts, resource=before.resource, created_by=new_id(Noun.USER))
    found = await asks(parts, new.content(token))
    # Who owns the resource decides, whoever built the package.
    assert (found.known, found.resource, found.approver) == (True, before.resource, OWNER)
    (untouched,) = await Certificates(parts.store).of_resource(before.resource)
    assert untouched.state is CertificateState.ACTIVE
    await parts.ask(decision(found, approve=True))
    after = await enrolled(parts, new.content(token))
    assert (after.resource, after.agent != before.agent) == (before.resource, True)
    certificates = {each.agent: each for each in await Certificates(parts.store).of_resource(before.resource)}
    assert certificates[before.agent].state is CertificateState.SUPERSEDED
    fresh = certificates[after.agent]
    assert fresh.state is CertificateState.ACTIVE
    assert fresh.approval is not None
    approval = Request.model_validate_json(verify(fresh.approval, Prefix.REQUEST, GATEWAY.public_key()))
    assert (approval.content, approval.person) == (decision(found, approve=True), PERSON)


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("approve", [True, False])
async def test_whatever_call_fails_a_repeat_completes_it(effect: Effect, *, approve: bool) -> None:
    """Each of the store's operations of waiting, deciding and letting in fails once, before or after its effect."""
    for n in range(1, 25):
        parts, host, old = Parts(), Host(), Host()
        known = await enrolled(parts, old.content(await add_token(parts)))
        token = await add_token(parts, resource=known.resource)
        content = host.content(token)
        parts.store.faults.fail_at(n, effect)
        found = await asks(parts, content)
        settled = await again(parts, decision(found, approve=approve), PERSON)
        assert settled.answer == {"enrolment": found.id, "approved": approve}
        last = await again(parts, content)
        if approve:
            admitted = Enrolled.model_validate(last.answer)
            certificates = await Certificates(parts.admin).of_resource(known.resource)
            active = [each.agent for each in certificates if each.state is CertificateState.ACTIVE]
            assert active == [admitted.agent]
        else:
            assert Declined.model_validate(last.declined).code == "approval_denied"
            left = await Tokens(parts.admin).hashed(hashed(token))
            assert left is not None
            assert left.uses_left == 1
