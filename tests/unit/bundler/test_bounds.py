"""Each bound of a token: its own code, a sentence that says what was seen, and nothing changed."""

import pytest

from libs.store.schema import CollectionName
from libs.store.tokens import Tokens
from libs.wire.ids import Noun, new_id
from libs.wire.observations import HostFacts
from libs.wire.requests import Declined, RevokeTokenContent, TokenBounds
from services.bundler.tokens import hashed, mint
from tests.unit.bundler.parts import OWNER, Host, Parts
from tests.unit.bundler.test_enrolment import add_token, enrolled


def called(name: str) -> dict[str, object]:
    return {"host": HostFacts(hostname=name, system="Debian GNU/Linux 12 (bookworm)")}


@pytest.mark.parametrize(
    ("pattern", "name", "good"),
    [
        ("dmz-*", "dmz-web-01", True),
        ("DMZ-*", "dmz-web-01", True),
        ("dmz-*", "DMZ-WEB-01", True),
        ("dmz-web-0[12]", "dmz-web-02", True),
        ("dmz-web-0[12]", "dmz-web-03", False),
        ("dmz-*", "web-dmz-01", False),
        ("dmz-?", "dmz-01", False),
    ],
)
async def test_the_name_that_a_machine_gives_itself(pattern: str, name: str, *, good: bool) -> None:
    parts = Parts()
    token = await add_token(parts, host_pattern=pattern)
    content = Host().content(token, **called(name))
    if good:
        assert (await enrolled(parts, content)).agent
        return
    declined = Declined.model_validate((await parts.ask(content)).declined)
    assert (declined.code, declined.retryable) == ("token_host_not_allowed", False)
    assert name in declined.sentence
    assert pattern in declined.sentence


@pytest.mark.parametrize(
    ("networks", "address", "good"),
    [
        (("192.0.2.0/24",), "192.0.2.7", True),
        (("198.51.100.0/24", "192.0.2.0/24"), "192.0.2.7", True),
        (("192.0.2.0/24",), "::ffff:192.0.2.7", True),
        (("2001:db8::/32",), "2001:db8::7", True),
        (("192.0.2.0/24",), "198.51.100.7", False),
        (("192.0.2.0/24",), "2001:db8::7", False),
        (("192.0.2.0/24",), "", False),
        (("192.0.2.0/24",), "somewhere", False),
    ],
)
async def test_the_address_that_the_gateway_saw(networks: tuple[str, ...], address: str, *, good: bool) -> None:
    parts = Parts()
    token = await add_token(parts, networks=networks)
    content = Host().content(token, address=address)
    if good:
        assert (await enrolled(parts, content)).agent
        return
    declined = Declined.model_validate((await parts.ask(content)).declined)
    assert declined.code == "token_network_not_allowed"
    assert networks[0] in declined.sentence
    assert address in declined.sentence


async def test_a_refusal_leaves_the_token_to_the_right_machine() -> None:
    parts, host = Parts(), Host()
    token = await add_token(parts, host_pattern="dmz-*", networks=("192.0.2.0/24",))
    assert await parts.code(Host("elsewhere").content(token, address="192.0.2.9")) == "token_host_not_allowed"
    assert await parts.code(host.content(token, address="198.51.100.9")) == "token_network_not_allowed"
    assert (await enrolled(parts, host.content(token, address="192.0.2.9"))).agent
    records = await parts.all_of(CollectionName.AUDIT_BUNDLER)
    assert sorted(str(each["outcome"]) for each in records) == ["done", "refused", "refused"]
    assert await parts.all_of(CollectionName.INCIDENTS) == []


async def test_an_admitted_machine_may_move_while_its_answer_is_lost() -> None:
    """A retry of the same key gives nothing new, so name and network are not asked again."""
    parts, host = Parts(), Host()
    token = await add_token(parts, host_pattern="dmz-*", networks=("192.0.2.0/24",))
    first = await enrolled(parts, host.content(token, address="192.0.2.9"))
    assert await enrolled(parts, host.content(token, address="198.51.100.9", **called("renamed"))) == first


async def test_another_key_at_a_used_token_is_seen_by_who_made_it() -> None:
    parts = Parts()
    token = await add_token(parts, created_by=OWNER)
    await enrolled(parts, Host().content(token))
    thief = Host("copy")
    for _ in range(2):
        assert await parts.code(thief.content(token, address="203.0.113.9")) == "token_used"
    (incident,) = await parts.all_of(CollectionName.INCIDENTS)
    assert (incident["kind"], incident["seen_by"]) == ("token_used_by_another_key", OWNER)
    assert (incident["host_name"], incident["address"]) == ("copy", "203.0.113.9")
    assert token.reveal().decode() not in repr(incident)


async def test_a_token_keeps_what_its_package_was_built_with() -> None:
    parts = Parts()
    await parts.publish()
    bounds = TokenBounds(
        user_names=("ops", "ada"), uses=5, host_pattern="dmz-*", networks=("192.0.2.0/24",), approval=True
    )
    content = parts.compose_content(bounds=bounds)
    assert (await parts.ask(content)).declined is None
    found = await Tokens(parts.store).get(content.token)
    assert found is not None
    assert (found.user_names, found.uses, found.uses_left) == (("ops", "ada"), 5, 5)
    assert (found.host_pattern, found.networks, found.approval, found.resource) == (
        "dmz-*",
        ("192.0.2.0/24",),
        True,
        None,
    )
    assert (found.created_by, found.created_by_name) == (OWNER, "ops")


@pytest.mark.parametrize("network", ["10.0.0.5/8", "here", "10.0.0.0/33", ""])
def test_a_network_that_is_none_is_refused_with_what_would_be_right(network: str) -> None:
    with pytest.raises(ValueError, match=r"such as 10\.20\.0\.0/16"):
        TokenBounds(user_names=("ops",), networks=(network,))


async def test_a_revoked_token_admits_nobody_and_harms_nobody() -> None:
    parts, host = Parts(), Host()
    token = await add_token(parts, uses_left=2)
    first = await enrolled(parts, host.content(token))
    found = await Tokens(parts.store).hashed(hashed(token))
    assert found is not None
    for _ in range(2):
        answered = await parts.ask(RevokeTokenContent(token=found.id))
        assert answered.answer == {"token": found.id}
    assert await parts.code(Host("next").content(token)) == "token_revoked"
    (certificate,) = await parts.all_of(CollectionName.CERTIFICATES)
    assert (certificate["agent"], certificate["state"]) == (first.agent, "active")
    records = await parts.all_of(CollectionName.AUDIT_BUNDLER)
    assert [each["what"] for each in records].count("token.revoke") == 1


async def test_only_a_person_revokes_and_only_what_is_there() -> None:
    parts = Parts()
    token = await add_token(parts)
    found = await Tokens(parts.store).hashed(hashed(token))
    assert found is not None
    assert await parts.code(RevokeTokenContent(token=found.id), person=None) == "request_not_trusted"
    assert await parts.code(RevokeTokenContent(token=new_id(Noun.TOKEN))) == "token_unknown"
    assert (await enrolled(parts, Host().content(token))).agent
    assert await parts.code(Host().content(mint())) == "token_unknown"
