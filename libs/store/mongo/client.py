"""The driver: the one module that names motor.

Every wait has an end: for a free connection, for a server, for connecting and for each answer. `retryWrites` is off,
because the embedded store slows down for good after ten thousand of them, and because a caller that re-reads needs
none. Each write is acknowledged by a majority and from the journal.
"""

from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection

from libs.wire.secret import Secret

Client = AsyncIOMotorClient[dict[str, Any]]
DriverCollection = AsyncIOMotorCollection[dict[str, Any]]

CHOOSE_MS = 3_000
CONNECT_MS = 2_000
ANSWER_MS = 10_000
FREE_MS = 5_000


def connect(url: str, user: str | None = None, password: Secret | None = None) -> Client:
    """A client that connects at its first operation.

    Args:
        url: `mongodb://HOST:PORT/`, without credentials.
        user: Authenticated by SCRAM-SHA-256 against `admin`; None where the store runs without users.
        password: Of `user`.
    """
    credentials: dict[str, Any] = {}
    if user is not None and password is not None:
        credentials = {
            "username": user,
            "password": password.reveal().decode(),
            "authSource": "admin",
            "authMechanism": "SCRAM-SHA-256",
        }
    return AsyncIOMotorClient(
        url,
        appname="keyturn",
        tz_aware=True,
        retryWrites=False,
        w="majority",
        journal=True,
        serverSelectionTimeoutMS=CHOOSE_MS,
        connectTimeoutMS=CONNECT_MS,
        socketTimeoutMS=ANSWER_MS,
        waitQueueTimeoutMS=FREE_MS,
        **credentials,
    )
