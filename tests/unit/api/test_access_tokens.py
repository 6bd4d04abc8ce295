"""Access tokens: what their scopes name and no more, shown once, kept by hash, ended."""

from typing import Any

import pytest

from libs.store.users import Role
from tests.unit.api.pages.browser import Browser, forms
from tests.unit.api.world import PASSWORD, World, in_sync

Headers = dict[str, str]
REVEAL = {"recipient": "A" * 43 + "=", "reason": "a test"}


async def made(world: World, headers: Headers, *scopes: str, **more: Any) -> dict[str, Any]:
    body = {"name": "nightly", "scopes": list(scopes), "password": PASSWORD, **more}
    answer = await world.client.post("/v1/access-tokens", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def bearing(token: dict[str, Any]) -> Headers:
    return {"authorization": f"Bearer {token['token']}"}


async def status(world: World, headers: Headers, method: str, path: str, body: Any = None) -> int:
    return (await world.client.request(method, path, json=body, headers=headers)).status_code


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        (("see",), (200, 403, 403, 403, 403)),
        (("use",), (200, 202, 403, 403, 403)),
        (("manage",), (200, 202, 201, 403, 403)),
        (("use", "reveal"), (200, 202, 403, 503, 403)),
        (("administer",), (200, 403, 403, 403, 200)),
    ],
)
async def test_a_token_does_what_its_scopes_name(
    world: World, scopes: tuple[str, ...], expected: tuple[int, ...]
) -> None:
    ada = await world.user("ada", Role.ADMINISTRATOR)
    await world.user("eve")
    resource = (await world.machine(ada))[0]
    account = await world.account(resource, rotation=in_sync())
    world.node.stop()
    token = bearing(await made(world, await world.signed_in("ada"), *scopes))
    share = {"resource": resource.id, "person": "eve", "level": "see"}
    found = (
        await status(world, token, "GET", f"/v1/accounts/{account.id}"),
        await status(world, token, "POST", f"/v1/accounts/{account.id}/verify"),
        await status(world, token, "POST", "/v1/shares", share),
        await status(world, token, "POST", f"/v1/accounts/{account.id}/reveal", REVEAL),
        await status(world, token, "GET", "/v1/audit"),
    )
    assert found == expected
    refused = await world.client.get("/v1/users", headers=token)
    assert refused.json().get("code", "scope_missing") == "scope_missing"


async def test_a_token_touches_no_session_no_token_and_no_second_factor(world: World) -> None:
    await world.user("ada", Role.ADMINISTRATOR)
    headers = await world.signed_in("ada")
    token = bearing(await made(world, headers, "manage", "reveal", "administer"))
    body = {"name": "more", "scopes": ["see"], "password": PASSWORD}
    for method, path, sent in (
        ("GET", "/v1/access-tokens", None),
        ("POST", "/v1/access-tokens", body),
        ("POST", "/v1/second-factor", {"password": PASSWORD}),
        ("GET", "/v1/sessions/current", None),
        ("DELETE", "/v1/sessions/current", None),
    ):
        assert await status(world, token, method, path, sent) == 401, path
    # A browser's cookie is no place for it.
    browser = Browser(world)
    browser.client.cookies.set("__Host-keyturn", token["authorization"].removeprefix("Bearer "))
    assert (await browser.get("/me")).status_code == 303


async def test_a_token_is_listed_used_ended_and_never_kept(world: World) -> None:
    ben, _ = await world.user("ben"), await world.user("eve")
    headers, eves = await world.signed_in("ben"), await world.signed_in("eve")
    wrong = {"name": "x", "scopes": ["see"], "password": "wrong-password"}
    assert await status(world, headers, "POST", "/v1/access-tokens", wrong) == 422
    token = await made(world, headers, "see", "use", days=2)
    assert token["token"] not in world.documents()
    (listed,) = (await world.client.get("/v1/access-tokens", headers=headers)).json()["items"]
    assert (listed["name"], listed["scopes"], listed["last_used_at"]) == ("nightly", ["see", "use"], None)
    assert "token" not in listed
    assert await status(world, bearing(token), "GET", "/v1/resources") == 200
    (used,) = (await world.client.get("/v1/access-tokens", headers=headers)).json()["items"]
    assert (used["last_used_at"] is not None, used["last_address"]) == (True, "192.0.2.7")
    path = f"/v1/access-tokens/{token['id']}"
    assert await status(world, eves, "DELETE", path) == 404
    assert await status(world, headers, "DELETE", path) == 204
    assert await status(world, bearing(token), "GET", "/v1/resources") == 401
    another = await made(world, headers, "see", days=1)
    world.clock.skip(86_400)
    assert await status(world, bearing(another), "GET", "/v1/resources") == 401
    admin = await world.user("ada", Role.ADMINISTRATOR)
    assert admin.id
    third = await made(world, await world.signed_in("ben"), "see")
    out = await world.client.patch(f"/v1/users/{ben.id}", json={"disabled": True}, headers=await world.signed_in("ada"))
    assert out.status_code == 200
    assert await status(world, bearing(third), "GET", "/v1/resources") == 401


async def test_a_token_is_made_and_ended_on_the_page(world: World) -> None:
    await world.user("ben")
    ben, here = await Browser(world).sign_in("ben"), "/me/access-tokens"
    assert "No access token" in (await ben.get(here)).text
    for typed, said in (
        ({"token_name": "x", "scope-see": "", "password": PASSWORD}, "Choose what it is for"),
        ({"token_name": "x", "password": "canary-not-bens"}, "This is not your password."),
        ({"token_name": "x", "days": "9999", "password": PASSWORD}, "Choose one of the times."),
    ):
        refused = await ben.fill(f"{here}/new", **typed)
        assert (refused.status_code, said in refused.text, "canary" in refused.text) == (422, True, False)
    shown = await ben.fill(f"{here}/new", token_name="nightly", **{"scope-use": "yes"}, password=PASSWORD)
    plain = shown.text.partition('id="made" tabindex="0">')[2].partition("<")[0]
    assert plain.startswith("kt_")
    assert await status(world, {"authorization": f"Bearer {plain}"}, "GET", "/v1/resources") == 200
    listed = await ben.get(here)
    assert plain not in listed.text
    (end,) = [each for each in forms(listed) if each.endswith("/end")]
    assert (await ben.fill(here, end)).headers["location"] == here
    assert await status(world, {"authorization": f"Bearer {plain}"}, "GET", "/v1/resources") == 401
