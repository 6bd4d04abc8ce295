"""One token, one key, one agent: whatever is lost, repeated, killed or tried in between."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.pki.check import check_agent_certificate
from libs.store.certificates import Certificates, CertificateState
from libs.store.memory.faults import Effect
from libs.store.outbox import Outbox, Waiting
from libs.store.schema import CollectionName, Service
from libs.store.tokens import EnrolmentToken, Tokens, TokenState
from libs.wire.events import AgentEnrolled
from libs.wire.ids import Noun, new_id
from libs.wire.requests import EnrolContent, Enrolled, Platform
from libs.wire.secret import Secret
from services.bundler.certificates import serial_of
from services.bundler.tokens import RETRY_MS, hashed, mint
from tests.unit.bundler.parts import AGENTS, OWNER, START, Host, Parts

STEPS = 10
"""The store's operations of one enrolment: token, its use, certificate, the end of the audit's chain (a process's first
record looks for it: four windows of time, and what follows), audit, certificate.
"""


async def add_token(parts: Parts, **changes: object) -> Secret:
    secret = mint()
    fields: dict[str, object] = {
        "id": new_id(Noun.TOKEN),
        "sha256": hashed(secret),
        "user_names": ("ops",),
        "uses_left": 1,
        "expires": START + 60_000,
        "created_at": START,
    }
    await Tokens(parts.store).insert(EnrolmentToken(**fields | changes))  # type: ignore[arg-type]
    return secret


async def waiting(parts: Parts) -> list[Waiting]:
    return await Outbox(parts.store, Service.BUNDLER).page(CollectionName.CERTIFICATES, since=0, until=2**53, limit=100)


async def enrolled(parts: Parts, content: EnrolContent) -> Enrolled:
    answered = await parts.ask(content, person=None)
    assert answered.declined is None, answered.declined
    return Enrolled.model_validate(answered.answer)


async def test_a_machine_becomes_an_agent() -> None:
    parts, host = Parts(), Host()
    found = await enrolled(parts, host.content(await add_token(parts)))
    identity = check_agent_certificate(found.certificate, AGENTS.certificate, now=START)
    assert (identity.agent, identity.resource) == (found.agent, found.resource)
    assert identity.public_key == host.signing.public_key()
    assert identity.sealing_key == host.sealing.public_key()
    (document,) = await Certificates(parts.store).of_agent(found.agent)
    assert (document.owner, document.owner_name, document.resource_name) == (OWNER, "ops", host.name)
    assert document.pem == found.certificate
    assert document.sealing_key == host.sealing.public_key().public_bytes_raw()
    assert document.serial == identity.serial
    (event,) = await waiting(parts)
    assert parts.nudged == [(CollectionName.CERTIFICATES, document.id)]
    assert AgentEnrolled.read(event.envelope).agent == found.agent
    (record,) = await parts.all_of(CollectionName.AUDIT_BUNDLER)
    assert (record["what"], record["outcome"], record["resource"]) == ("agent.enrol", "done", found.resource)


async def test_the_same_key_gets_the_same_certificate_again() -> None:
    parts, host = Parts(), Host()
    token = await add_token(parts)
    first = await enrolled(parts, host.content(token))
    (event,) = await waiting(parts)
    await Outbox(parts.store, Service.BUNDLER).published(event)
    parts.clock.at += RETRY_MS - 1
    assert await enrolled(parts, host.content(token)) == first  # A new request, signed anew, by the same key.
    assert len(await parts.all_of(CollectionName.CERTIFICATES)) == 1
    assert len(await parts.all_of(CollectionName.AUDIT_BUNDLER)) == 1
    assert await waiting(parts) == []
    parts.clock.at += 2
    assert await parts.code(host.content(token)) == "token_used"


async def test_another_key_is_an_incident() -> None:
    parts = Parts()
    token = await add_token(parts)
    await enrolled(parts, Host().content(token))
    thief = Host("copy")
    for _ in range(2):
        assert await parts.code(thief.content(token)) == "token_used"
    incidents = [each for each in await parts.all_of(CollectionName.AUDIT_BUNDLER) if each["outcome"] == "incident"]
    assert [each["reason"] for each in incidents] == ["token_used"]
    assert len(await parts.all_of(CollectionName.CERTIFICATES)) == 1


async def test_an_unknown_token_leaves_nothing() -> None:
    parts = Parts()
    assert await parts.code(Host().content(mint())) == "token_unknown"
    for name in (CollectionName.CERTIFICATES, CollectionName.AUDIT_BUNDLER, CollectionName.TOKENS):
        assert await parts.all_of(name) == []


@pytest.mark.parametrize(
    ("changes", "asked", "code"),
    [
        ({"expires": START - 1}, {}, "token_expired"),
        ({"state": TokenState.REVOKED}, {}, "token_revoked"),
        ({"user_names": ("anna", "berta")}, {}, "user_name_not_allowed"),
        ({}, {"csr": b"garbage"}, "csr_invalid"),
    ],
)
async def test_bounds_leave_the_token_as_it_was(
    changes: dict[str, object], asked: dict[str, object], code: str
) -> None:
    parts = Parts()
    token = await add_token(parts, **changes)
    before = await Tokens(parts.store).hashed(hashed(token))
    assert await parts.code(Host().content(token, **asked)) == code
    assert await Tokens(parts.store).hashed(hashed(token)) == before
    assert await parts.all_of(CollectionName.CERTIFICATES) == []


async def test_the_machine_must_be_what_the_package_is_for() -> None:
    parts = Parts()
    await parts.publish()
    content = parts.compose_content()
    await parts.ask(content)
    found = await Tokens(parts.store).get(content.token)
    assert found is not None
    asked = Host().content(Secret("another"), platform=Platform.WINDOWS).model_copy(update={"token": found.sha256})
    assert await parts.code(asked) == "platform_mismatch"


async def test_a_token_for_three() -> None:
    parts = Parts()
    token = await add_token(parts, uses_left=3)
    found = [await enrolled(parts, Host(f"h{n}").content(token)) for n in range(3)]
    assert len({each.agent for each in found}) == len({each.resource for each in found}) == 3
    assert await parts.code(Host("h4").content(token)) == "token_used"


async def test_the_same_key_by_another_token_is_another_agent_and_another_resource() -> None:
    """Enrolment never attaches to a resource that is there."""
    parts, host = Parts(), Host()
    one, other = [await enrolled(parts, host.content(await add_token(parts))) for _ in range(2)]
    assert one.agent != other.agent
    assert one.resource != other.resource


async def test_a_revoked_agent_gets_nothing_again() -> None:
    parts, host = Parts(), Host()
    token = await add_token(parts)
    found = await enrolled(parts, host.content(token))
    (document,) = await Certificates(parts.store).of_agent(found.agent)
    changed = parts.admin.collection(CollectionName.CERTIFICATES)
    assert await changed.update(document.id, set={"state": CertificateState.REVOKED.value})
    assert await parts.code(host.content(token)) == "agent_revoked"


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("fault", range(1, STEPS + 1))
async def test_a_crash_between_any_two_steps(fault: int, effect: Effect) -> None:
    """The n-th operation is the last that a process got through, for every n; another process takes the retry."""
    parts, host = Parts(), Host()
    token = await add_token(parts)
    parts.store.faults.fail_at(fault, effect)
    assert await parts.code(host.content(token)) == "bundler_busy"
    successor = Parts(parts.server, parts.clock)
    bound = await Tokens(successor.store).hashed(hashed(token))
    assert bound is not None
    if bound.uses_left == 0:
        assert await successor.code(Host("another").content(token)) == "token_used"
    found = await enrolled(successor, host.content(token))
    assert await enrolled(successor, host.content(token)) == found
    (document,) = await successor.all_of(CollectionName.CERTIFICATES)
    assert document["agent"] == found.agent
    assert len(await waiting(successor)) == 1
    done = [each for each in await successor.all_of(CollectionName.AUDIT_BUNDLER) if each["outcome"] == "done"]
    assert len(done) == 1


async def test_the_walk_above_meets_every_step() -> None:
    parts = Parts()
    token = await add_token(parts)
    before = parts.store.faults.operations
    await enrolled(parts, Host().content(token))
    assert parts.store.faults.operations - before == STEPS


async def test_one_key_twice_at_the_same_moment() -> None:
    parts, host = Parts(), Host()
    token = await add_token(parts, uses_left=5)
    found = await asyncio.gather(*(enrolled(parts, host.content(token)) for _ in range(8)))
    assert len(set(found)) == 1
    after = await Tokens(parts.store).hashed(hashed(token))
    assert after is not None
    assert (after.uses_left, len(after.used_by)) == (4, 1)


async def test_many_keys_at_the_same_moment_are_never_more_than_allowed() -> None:
    parts = Parts()
    token = await add_token(parts, uses_left=3)
    asked = await asyncio.gather(*(parts.ask(Host(f"h{n}").content(token), person=None) for n in range(8)))
    assert sum(each.declined is None for each in asked) == 3


@given(st.text(max_size=40), st.text(max_size=40))
def test_serials_fit_a_certificate(token: str, key_hash: str) -> None:
    serial = serial_of(token, key_hash)
    assert 0 < serial < 2**159
    assert serial == serial_of(token, key_hash)
