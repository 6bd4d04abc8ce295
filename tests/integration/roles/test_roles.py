"""Every route, asked by every kind of person: the whole gateway over ASGI, on stores that need no server."""

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from libs.store.groups import Group, Groups, Members, Membership, membership_id
from libs.store.resources import Resource
from libs.store.shares import Level, Share, Shares, share_id
from libs.store.users import Role, User
from libs.wire.ids import Noun, new_id
from tests.integration.roles.table import (
    FOR_ANYBODY,
    FORMS,
    INTERFACE,
    PAGES,
    PAGES_FOR_ANYBODY,
    PEOPLE,
    STREAM,
    Route,
)
from tests.unit.api.pages.browser import Browser, forms
from tests.unit.api.world import World, in_sync, make_world

ROLES = {"ada": Role.ADMINISTRATOR, "olga": Role.OPERATOR, "anna": Role.AUDITOR}
SHARED = {"sam": Level.SEE, "uma": Level.USE, "mia": Level.MANAGE}


class Ground:
    """What the routes are asked about; `things` by the names that the table's paths give them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.things: dict[str, str] = {}
        self.users: dict[str, User] = {}
        self.resource: Resource

    async def lay(self) -> None:
        world, admin = self.world, self.world.admin
        for name in (*PEOPLE, "zoe"):
            self.users[name] = await world.user(name, ROLES.get(name, Role.USER))
        ben = self.users["ben"]
        self.resource, _ = await world.machine(ben)
        spare, _ = await world.machine(ben, "spare")
        account = await world.account(self.resource, rotation=in_sync())
        group = Group(id=new_id(Noun.GROUP), name="db-admins", created_at=world.clock.now())
        await Groups(admin).insert(group)
        await Members(admin).insert(self._member(group, "gus"))
        await self.share(group.id, "group", Level.USE)
        for name, level in SHARED.items():
            await self.share(self.users[name].id, "person", level)
        await self.share(self.users["ace"].id, "person", Level.USE, account.id)
        asked = await world.client.post(
            f"/v1/accounts/{account.id}/verify", headers=await world.signed_in("ben"), json={}
        )
        self.things = {
            "ben": ben.id,
            "zoe": self.users["zoe"].id,
            "resource": self.resource.id,
            "agent": self.resource.agent,
            "spare_agent": spare.agent,
            "spare_resource": spare.id,
            "account": account.id,
            "group": group.id,
            "task": asked.json()["task"]["id"],
            "token": (await world.token(ben)).id,
            "enrolment": (await world.waiting(ben)).id,
            "incident": (await world.incident(ben)).id,
            "session": "0" * 20,
            "nobodys_token": new_id(Noun.ACCESS_TOKEN),
        }
        world.node.stop()

    def _member(self, group: Group, name: str) -> Membership:
        user = self.users[name]
        return Membership(id=membership_id(group.id, user.id), group=group.id, user=user.id, name=name, since=0)

    async def share(self, subject: str, kind: Any, level: Level, account: str | None = None) -> str:
        key = share_id(subject, self.resource.id, account)
        share = Share(
            id=key,
            subject=subject,
            subject_name="x",
            kind=kind,
            resource=self.resource.id,
            resource_at=self.resource.created_at,
            account=account,
            level=level,
            created_at=self.world.clock.now(),
            by=self.users["ben"].id,
            by_name="ben",
        )
        await Shares(self.world.admin).insert(share)
        return key

    async def again(self) -> None:
        """Makes anew what an earlier caller may have ended."""
        group = Group(id=new_id(Noun.GROUP), name=new_id(Noun.GROUP), created_at=self.world.clock.now())
        await Groups(self.world.admin).insert(group)
        self.things["spare"] = group.id
        self.things["share"] = await self.share(self.users["zoe"].id, "person", Level.SEE)
        there = Group(id=self.things["group"], name="db-admins", created_at=0)
        await Members(self.world.admin).insert(self._member(there, "zoe"))

    def fill(self, value: Any) -> Any:
        """A path, or what is sent, with the things in the place of their names."""
        if isinstance(value, dict):
            return {key: self.fill(each) for key, each in value.items()}
        return value.format(**self.things) if isinstance(value, str) else value


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Ground]:
    async with make_world(tmp_path) as world:
        made = Ground(world)
        await made.lay()
        yield made


def expected(route: Route, who: str) -> int:
    if who in route.rule.serves:
        return route.status
    return 404 if who in route.rule.hides_from else 403


async def test_the_interface_serves_each_person_what_is_theirs(ground: Ground, say: Callable[[str], None]) -> None:
    client, wrong, tried = ground.world.client, [], 0
    for (method, path), route in INTERFACE.items():
        for who in ("nobody", *reversed(PEOPLE)):
            await ground.again()
            headers = {} if who == "nobody" else await ground.world.signed_in(who)
            answer = await client.request(
                method,
                ground.fill(path),
                json=ground.fill(route.sent),
                params=ground.fill(dict(route.query)),
                headers=headers,
            )
            should, tried = 401 if who == "nobody" else expected(route, who), tried + 1
            if answer.status_code != should:
                wrong.append(f"{method} {path} for {who}: {answer.status_code}, not {should}: {answer.text[:200]}")
    assert wrong == []
    say(f"interface: {len(INTERFACE)} routes x {len(PEOPLE) + 1} kinds of people = {tried} tried")


async def test_the_pages_serve_each_person_what_is_theirs(ground: Ground, say: Callable[[str], None]) -> None:
    wrong, tried = [], 0
    browsers = {"nobody": Browser(ground.world), **{who: await Browser(ground.world).sign_in(who) for who in PEOPLE}}
    for path, route in PAGES.items():
        await ground.again()
        for who, browser in browsers.items():
            status = (await browser.get(ground.fill(path))).status_code
            should, tried = 303 if who == "nobody" else expected(route, who), tried + 1
            if status != should:
                wrong.append(f"{path} for {who}: {status}, not {should}")
    for path, route in FORMS.items():
        for who in ("nobody", *reversed(PEOPLE)):
            await ground.again()
            browser = browsers[who]
            shown = forms(await browser.get("/notifications"))
            if who != "nobody" and "/sign-out" not in shown:
                browser = browsers[who] = await Browser(ground.world).sign_in(who)
                shown = forms(await browser.get("/notifications"))
            token = shown.get("/sign-out", {}).get("form", "0" * 64)
            answer = await browser.send(ground.fill(path), {**ground.fill(dict(route.sent or {})), "form": token})
            should, tried = 303 if who == "nobody" else expected(route, who), tried + 1
            if answer.status_code != should:
                wrong.append(f"form {path} for {who}: {answer.status_code}, not {should}")
    assert wrong == []
    say(f"page: {len(PAGES)} pages and {len(FORMS)} forms x {len(PEOPLE) + 1} kinds of people = {tried} tried")


async def test_what_is_somebody_elses_answers_as_what_is_not_there(ground: Ground) -> None:
    eve = await ground.world.signed_in("eve")
    for (method, path), route in INTERFACE.items():
        if "eve" not in route.rule.hides_from:
            continue
        await ground.again()
        answers = []
        for things in (ground.things, {key: value[:-2] + "aa" for key, value in ground.things.items()}):
            ground.things, before = things, ground.things
            answer = await ground.world.client.request(
                method,
                ground.fill(path),
                json=ground.fill(route.sent),
                params=ground.fill(dict(route.query)),
                headers=eve,
            )
            ground.things = before
            answers.append((answer.status_code, answer.json()))
        assert answers[0] == answers[1], (method, path)


def _plain(path: str) -> str:
    """A path without the names of its parts, which differ where a table says of whom."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_the_tables_have_every_route(ground: Ground) -> None:
    api, site = ground.world.gateway.api.openapi()["paths"], ground.world.gateway.site.openapi()["paths"]
    routes = {(method.upper(), _plain(path)) for path, methods in api.items() for method in methods}
    told = {(method, _plain(path)) for method, path in INTERFACE.keys() | FOR_ANYBODY | STREAM}
    assert {each for each in routes if each[1].startswith("/v1/")} == told
    pages = {(method.upper(), _plain(path)) for path, methods in site.items() for method in methods}
    told = {("GET", _plain(path)) for path in PAGES} | {("POST", _plain(path)) for path in FORMS}
    assert pages == told | {(method, _plain(path)) for method, path in PAGES_FOR_ANYBODY}
