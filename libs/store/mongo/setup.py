"""What an administrator does once, and again after each upgrade: collections, indexes, roles and users.

Each step looks first and may be repeated. On the embedded store this runs before it is started again with `--auth`.
"""

from collections.abc import Mapping
from typing import Any

from bson.errors import BSONError
from pymongo import ASCENDING
from pymongo.errors import PyMongoError

from libs.store.mongo.client import Client, connect
from libs.store.mongo.mapping import mapped
from libs.store.schema import ADMINISTRATOR, INDEXES, RIGHTS, CollectionName, Index, Service
from libs.wire.secret import Secret


async def set_up(
    url: str,
    *,
    passwords: Mapping[str, Secret],
    user: str | None = None,
    password: Secret | None = None,
    prefix: str = "",
) -> None:
    """Makes a store ready for the services.

    Args:
        url: `mongodb://HOST:PORT/`, without credentials.
        passwords: By user: a service's name, or `admin` for the administrator. Those that are not named stay as they
            are.
        user: The administrator to act as; None where the store runs without users yet.
        password: Of `user`.
        prefix: Before the names of databases, roles and users.

    Raises:
        StoreError: as `libs.store.errors` lists.
    """
    client = connect(url, user, password)
    try:
        await _collections(client, prefix)
        await _roles(client, prefix)
        await _users(client, passwords, prefix)
    except (PyMongoError, BSONError) as error:
        raise mapped(error, writes=True) from error
    finally:
        client.close()


async def _collections(client: Client, prefix: str) -> None:
    for name in CollectionName:
        database = client[prefix + name.database]
        if name.collection not in await database.list_collection_names():
            await database.create_collection(name.collection)
        for index in INDEXES[name]:
            await database[name.collection].create_index(
                [(field, ASCENDING) for field in index.fields], **_options(index)
            )


def _options(index: Index) -> dict[str, Any]:
    options: dict[str, Any] = {"unique": True} if index.unique else {}
    if index.ttl:
        options["expireAfterSeconds"] = 0
    return options


async def _roles(client: Client, prefix: str) -> None:
    for service in Service:
        role = prefix + service
        privileges = [
            {"resource": {"db": prefix + database, "collection": ""}, "actions": sorted(actions)}
            for database, actions in RIGHTS[service].items()
        ]
        known = (await client.admin.command({"rolesInfo": role}))["roles"]
        command = "updateRole" if known else "createRole"
        await client.admin.command({command: role, "privileges": privileges, "roles": []})


async def _users(client: Client, passwords: Mapping[str, Secret], prefix: str) -> None:
    for name, secret in passwords.items():
        user = prefix + name
        role = "root" if name == ADMINISTRATOR else prefix + Service(name)
        known = (await client.admin.command({"usersInfo": user}))["users"]
        await client.admin.command(
            {
                "updateUser" if known else "createUser": user,
                "pwd": secret.reveal().decode(),
                "roles": [{"role": role, "db": "admin"}],
                "mechanisms": ["SCRAM-SHA-256"],
            }
        )
