"""Reveals: sealed to the person's own key, never stored, and told when the scheduler is away."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from libs.broker.topology import QueueName
from libs.store.requests import Requests
from libs.store.users import Users
from libs.vault.seal import revealed
from libs.wire.requests import Declined, Request, RevealContent, Revealed, RevealedVersion
from libs.wire.seal import open_sealed, seal
from libs.wire.secret import Secret
from tests.unit.api.world import NOW, World, in_sync

PLAIN = Secret("canary-revealed-password")


@pytest.fixture
async def account(world: World, people: dict[str, dict[str, str]]) -> str:
    assert "ben" in people
    ben = await Users(world.admin).named("ben")
    assert ben is not None
    resource, _ = await world.machine(ben)
    return (await world.account(resource, rotation=in_sync())).id


def body_for(private: X25519PrivateKey) -> dict[str, str]:
    recipient = b64encode(private.public_key().public_bytes_raw()).decode()
    return {"recipient": recipient, "reason": "the host is down"}


async def test_what_is_revealed_opens_with_the_persons_key_alone(
    world: World, people: dict[str, dict[str, str]], account: str
) -> None:
    private = X25519PrivateKey.generate()

    def answer(request: Request) -> Revealed:
        assert isinstance(request.content, RevealContent)
        to = X25519PublicKey.from_public_bytes(request.content.recipient)
        sealed = seal(PLAIN, revealed(account, "1.1"), [to])
        version = RevealedVersion(generation="1.1", state="proven", created_at=NOW, sealed=sealed)
        return Revealed(account=account, status="in_sync", versions=(version,))

    async with world.answering(QueueName.REVEALS, answer) as heard:
        found = await world.client.post(f"/v1/accounts/{account}/reveal", json=body_for(private), headers=people["ben"])
    assert (found.status_code, found.headers["cache-control"]) == (200, "no-store")
    (version,) = Revealed.model_validate_json(found.content).versions
    assert open_sealed(version.sealed, revealed(account, "1.1"), private) == PLAIN
    assert "canary" not in found.text
    (request,) = heard
    assert request.person is not None
    assert (request.person.name, request.deadline - request.issued_at) == ("ben", 8_000)


async def test_without_a_scheduler_it_is_unavailable_and_nothing_is_kept(
    world: World, people: dict[str, dict[str, str]], account: str
) -> None:
    world.node.stop()
    body = body_for(X25519PrivateKey.generate())
    found = await world.client.post(f"/v1/accounts/{account}/reveal", json=body, headers=people["ben"])
    assert (found.status_code, found.json()["code"]) == (503, "reveal_unavailable")
    assert await Requests(world.admin).waiting(NOW * 2) == []


@pytest.mark.parametrize(("code", "status"), [("budget_spent", 429), ("account_quarantined", 409)])
async def test_the_schedulers_refusal_keeps_its_code(
    world: World, people: dict[str, dict[str, str]], account: str, code: str, status: int
) -> None:
    async with world.answering(QueueName.REVEALS, lambda _: Declined(code=code, sentence="Not now.")):
        body = body_for(X25519PrivateKey.generate())
        found = await world.client.post(f"/v1/accounts/{account}/reveal", json=body, headers=people["ben"])
    assert (found.status_code, found.json()["code"], found.json()["detail"]) == (status, code, "Not now.")


async def test_a_retryable_refusal_is_to_be_tried_again(
    world: World, people: dict[str, dict[str, str]], account: str
) -> None:
    away = Declined(code="store_away", sentence="The store does not answer.", retryable=True)
    async with world.answering(QueueName.REVEALS, lambda _: away):
        body = body_for(X25519PrivateKey.generate())
        found = await world.client.post(f"/v1/accounts/{account}/reveal", json=body, headers=people["ben"])
    assert (found.status_code, found.json()["code"]) == (503, "store_away")
    assert found.headers["retry-after"]


async def test_the_reason_is_in_the_audit_before_the_scheduler_is_asked(
    world: World, people: dict[str, dict[str, str]], account: str
) -> None:
    world.node.stop()
    body = body_for(X25519PrivateKey.generate())
    await world.client.post(f"/v1/accounts/{account}/reveal", json=body, headers=people["ben"])
    page = await world.client.get("/v1/audit", params={"account": account}, headers=people["ada"])
    (record,) = page.json()["items"]
    assert (record["what"], record["extra"]["reason"]) == ("reveal.requested", "the host is down")
