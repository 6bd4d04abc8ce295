"""A change that is sent again is done once; and an account that changed meanwhile is not changed on."""

import json
from typing import Any

import httpx
import pytest

from libs.store.replays import Replays
from libs.store.schema import CollectionName
from libs.store.users import Users
from services.api.fields import View
from services.api.idempotency import ONCE
from tests.unit.api.world import PASSWORD, World, in_sync

KEY = {"idempotency-key": "0123456789abcdef"}


@pytest.fixture
async def bens(world: World) -> dict[str, str]:
    await world.user("ben")
    return await world.signed_in("ben")


async def account_of(world: World) -> str:
    ben = await Users(world.admin).named("ben")
    assert ben is not None
    return (await world.account((await world.machine(ben))[0], rotation=in_sync())).id


async def post(world: World, path: str, body: Any, *headers: dict[str, str]) -> httpx.Response:
    whole = {name: value for each in headers for name, value in each.items()}
    return await world.client.post(path, json=body, headers=whole)


async def test_a_reset_that_is_sent_again_is_one_task(world: World, bens: dict[str, str]) -> None:
    path, body = f"/v1/accounts/{await account_of(world)}/reset", {"password": "canary-Typed-1"}
    first, again = await post(world, path, body, bens, KEY), await post(world, path, body, bens, KEY)
    assert (first.status_code, again.status_code, again.json()) == (202, 202, first.json())
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["content-type"] == first.headers["content-type"]
    assert len([key for name, key in world.nudged if name is CollectionName.REQUESTS]) == 1
    other = await post(world, path, {"password": "canary-Typed-2"}, bens, KEY)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert "canary" not in world.documents()
    # The key is the person's own, and lasts a day.
    await world.user("eve")
    assert (await post(world, path, body, await world.signed_in("eve"), KEY)).status_code == 404
    world.clock.skip(86_401)
    assert (await post(world, "/v1/sessions", {"name": "ben", "password": PASSWORD}, KEY)).status_code == 201


async def test_what_was_refused_is_answered_again_and_what_was_not_done_may_be_tried_again(
    world: World, bens: dict[str, str]
) -> None:
    account = await account_of(world)
    adopt = {"password": "Is-live-now-1"}
    for _ in range(2):
        refused = await post(world, f"/v1/accounts/{account}/adopt", adopt, bens, KEY)
        assert (refused.status_code, refused.json()["code"]) == (409, "password_known")
    key = {"idempotency-key": "another-key"}
    world.node.stop()
    reveal = {"recipient": "A" * 43 + "=", "reason": "x"}
    for _ in range(2):
        away = await post(world, f"/v1/accounts/{account}/reveal", reveal, bens, key)
        assert (away.status_code, away.json()["code"]) == (503, "reveal_unavailable")


async def test_a_secret_is_answered_once(world: World, bens: dict[str, str]) -> None:
    body = {"name": "x", "scopes": ["see"], "password": PASSWORD}
    made = await post(world, "/v1/access-tokens", body, bens, KEY)
    again = await post(world, "/v1/access-tokens", body, bens, KEY)
    assert (made.status_code, again.status_code, again.json()["code"]) == (201, 409, "answer_given_once")
    assert made.json()["token"] not in world.documents()
    listed = (await world.client.get("/v1/access-tokens", headers=bens)).json()["items"]
    assert len(listed) == 1


async def test_where_a_token_was_used_is_kept_also_with_a_key(world: World, bens: dict[str, str]) -> None:
    """It was found by the key's own look for the person first, which knew no address."""
    body = {"name": "x", "scopes": ["use"], "password": PASSWORD}
    token = (await post(world, "/v1/access-tokens", body, bens)).json()["token"]
    path = f"/v1/accounts/{await account_of(world)}/verify"
    assert (await post(world, path, {}, {"authorization": f"Bearer {token}"}, KEY)).status_code == 202
    (listed,) = (await world.client.get("/v1/access-tokens", headers=bens)).json()["items"]
    assert listed["last_address"] == "192.0.2.7"


async def test_a_request_without_an_answer_says_to_look(
    world: World, bens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: Any) -> None: ...

    monkeypatch.setattr(Replays, "answered", lost)
    path = f"/v1/accounts/{await account_of(world)}/verify"
    assert (await post(world, path, {}, bens, KEY)).status_code == 202
    again = await post(world, path, {}, bens, KEY)
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_key_unanswered")


@pytest.mark.parametrize("key", ["short", "x" * 129, "has a blank", "ünïcödé-key"])
async def test_a_wrong_key_is_refused(world: World, bens: dict[str, str], key: str) -> None:
    headers = [*bens.items(), ("idempotency-key", key)]
    raw = [(name.encode(), value.encode()) for name, value in headers]
    answer = await world.client.post("/v1/groups", json={"name": "x"}, headers=raw)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_wrong")


def test_every_answer_that_holds_a_secret_is_given_once(world: World) -> None:
    """An answer whose model hides a field from its text has a secret in it."""
    secret = {each.__name__ for each in _models(View) if any(not field.repr for field in each.model_fields.values())}
    found = {
        path
        for path, methods in world.gateway.api.openapi()["paths"].items()
        for operation in methods.values()
        if any(f'/{name}"' in json.dumps(operation["responses"]) for name in secret)
    }
    assert found >= {"/v1/sessions", "/v1/access-tokens", "/v1/second-factor"}
    assert {path for path in found if ONCE.fullmatch(path.replace("{account}", "acc_x")) is None} == set()


def _models(base: type[View]) -> list[type[View]]:
    return [model for each in base.__subclasses__() for model in (each, *_models(each))]


def test_the_description_tells_of_the_key(world: World) -> None:
    paths = world.gateway.api.openapi()["paths"]
    told = [each["name"] for each in paths["/v1/accounts/{account}/reset"]["post"]["parameters"]]
    assert "Idempotency-Key" in told
    assert "Idempotency-Key" not in str(paths["/v1/accounts/{account}"]["get"])


async def test_an_account_that_changed_meanwhile_is_left_alone(world: World, bens: dict[str, str]) -> None:
    path = f"/v1/accounts/{await account_of(world)}"
    shown = await world.client.get(path, headers=bens)
    assert shown.headers["etag"] == f'"{shown.json()["rev"]}"'
    stale = await post(world, f"{path}/verify", {}, bens, {"if-match": '"999"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "account_changed")
    wrong = await post(world, f"{path}/verify", {}, bens, {"if-match": "nonsense"})
    assert wrong.status_code == 422
    assert (await post(world, f"{path}/verify", {}, bens, {"if-match": shown.headers["etag"]})).status_code == 202
