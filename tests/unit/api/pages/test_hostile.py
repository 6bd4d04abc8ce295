"""What nobody types by mistake, in every field of every form and in every parameter of every page.

Each answer is a page in our words: never an error of ours, never with a value as markup, never to another place. One
field is out of line at a time, the others are as the form came, so that nothing before it hides what it does.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from libs.domain.accounts import Account
from libs.store.resources import Resource
from libs.store.users import User
from services.api.pages.forms import TOKEN
from tests.unit.api.pages.browser import Browser, forms
from tests.unit.api.pages.test_roles import FORMS, PAGES, bens, waiting
from tests.unit.api.world import PASSWORD, World

__all__ = ["bens"]

VALUES = {
    "empty": "",
    "blank": " \t\r\n",
    "long": "x" * 60_000,
    "wide": "\U0001f511" * 600,
    "nul": "a\0b",
    "control": "\x1b[2J\x07\x7f\x85",
    "bidi": "root\u202egnp.exe\u2066",
    "combining": "e" + "\u0301" * 300,
    "surrogate": "\ufffe\uffff",
    "markup": "\"'><script>alert(1)</script><img src=x onerror=alert(1)>",
    "template": "{{ 7*7 }}{% for x in () %}",
    "formula": '=HYPERLINK("https://evil.example","x")',
    "operator": '{"$ne": null}',
    "path": "../../../../etc/passwd\0.html",
    "elsewhere": "https://evil.example/\r\nset-cookie: a=b",
    "number": "-1e309",
    "digits": "9" * 400,
    "other digits": "\u0661\u0662",
}
BARE = ("<script>alert", "<img src=x", "\"'><")
MISSING, TWICE = "missing", "twice"


def check(answer: Any, where: str) -> None:
    """It is an answer of ours."""
    assert answer.status_code < 500 or answer.status_code == 503, (where, answer.status_code)
    assert "set-cookie: a=b" not in str(answer.headers), where
    if answer.status_code == 303:
        assert answer.headers["location"].startswith("/"), where
        assert not answer.headers["location"].startswith("//"), where
        assert "\n" not in answer.headers["location"], where
    else:
        assert not any(each in answer.text for each in BARE), where


def bent(fields: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """The form with one thing wrong, each time another."""
    for field in fields.keys() - {TOKEN}:
        for name, value in VALUES.items():
            yield f"{field}: {name}", {**fields, field: value}
        yield f"{field}: {MISSING}", {other: value for other, value in fields.items() if other != field}
    yield "an unknown field", {**fields, "$where": "1", "__proto__": "x"}


async def own_token(of: Browser) -> dict[str, str]:
    """What forms of this session carry."""
    return {TOKEN: forms(await of.get("/me"))["/sign-out"][TOKEN]}


@pytest.mark.parametrize("path", [*sorted(FORMS), "/sign-in", "/set-up"])
async def test_every_field_of_every_form(
    world: World,
    browsers: dict[str, Browser],
    bens: dict[str, str],
    path: str,
) -> None:
    ada = browsers["ada"]
    task = await waiting(world, browsers, bens["account"]) if "{task}" in path else ""
    target = path.format(**bens, task=task)
    world.node.stop()
    page = forms(await ada.get(target)).get(target, {})
    known = {**page, **FORMS.get(path, ({},))[0]}
    token = await own_token(ada)
    for where, fields in bent(known):
        if not ada.signed_in:
            await ada.sign_in("ada")
            token = await own_token(ada)
        check(await ada.send(target, {**fields, **token}), f"{path}, {where}")
    # Wrong passwords make the next try wait. Whatever was sent, the page is still there, and so is the person.
    await world.clock.advance(3_600)
    await ada.sign_in_again("ada")
    assert (await ada.get("/resources")).status_code == 200


@pytest.mark.parametrize("path", sorted(PAGES))
async def test_every_parameter_of_every_page(
    world: World,
    browsers: dict[str, Browser],
    bens: dict[str, str],
    path: str,
) -> None:
    told = world.gateway.site.openapi()["paths"][path]["get"].get("parameters", [])
    names = [each["name"] for each in told if each["in"] == "query"]
    target = path.format(**bens, task=await waiting(world, browsers, bens["account"]))
    for value in VALUES.values():
        short = value[:2_000]
        for name in (*names, "unknown"):
            check(await browsers["ada"].client.get(target, params={name: short}), f"{path}, {name}")
        for name in (each["name"] for each in told if each["in"] == "path"):
            strange = path.format(**{**bens, "task": "tsk_x", name: quote(short, safe="") or "%20"})
            check(await browsers["ada"].get(strange), f"{path}, {name}")


async def test_a_form_that_is_none_is_refused_in_words(
    browsers: dict[str, Browser], users: dict[str, User], machine: Resource, account: Account
) -> None:
    ada = browsers["ada"]
    assert users
    assert machine
    page = f"/accounts/{account.id}/change"
    token = forms(await ada.get(page))[page][TOKEN]
    headers = {"origin": str(ada.client.base_url), "content-type": "application/x-www-form-urlencoded"}
    for raw in (
        f"form={token}&note=a&note=b",
        f"form={token}&" + "&".join(f"f{n}=x" for n in range(40)),
        f"form={token}&note=%ff%fe",
        f"form={token}&note=\u00e4",
        f"form={token}&note=%ed%a0%80",
        "%" * 500,
        "&" * 500,
    ):
        answer = await ada.client.post(page, content=raw.encode(), headers=headers)
        check(answer, raw[-20:])
        assert answer.status_code in {403, 422}
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain", ""):
        answer = await ada.client.post(page, content=f"form={token}", headers={**headers, "content-type": kind})
        assert answer.status_code == 422
    assert PASSWORD not in (await ada.get(page)).text
