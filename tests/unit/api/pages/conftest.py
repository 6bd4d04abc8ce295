"""People with their browsers."""

import pytest

from libs.domain.accounts import Account
from libs.store.resources import Resource
from libs.store.users import Role, User
from tests.unit.api.pages.browser import Browser
from tests.unit.api.world import World, in_sync


@pytest.fixture
async def users(world: World) -> dict[str, User]:
    """Ada administers, ben owns what the tests make, eve owns nothing."""
    roles = {"ada": Role.ADMINISTRATOR, "ben": Role.USER, "eve": Role.USER}
    return {name: await world.user(name, role) for name, role in roles.items()}


@pytest.fixture
async def browsers(world: World, users: dict[str, User]) -> dict[str, Browser]:
    """Everybody's, signed in; nobody's too."""
    return {"nobody": Browser(world), **{name: await Browser(world).sign_in(name) for name in users}}


@pytest.fixture
async def machine(world: World, users: dict[str, User]) -> Resource:
    """Ben's."""
    return (await world.machine(users["ben"]))[0]


@pytest.fixture
async def account(world: World, machine: Resource) -> Account:
    """Its root, proven a minute ago."""
    return await world.account(machine, rotation=in_sync())
