"""A bundler as a process, beside a real RabbitMQ and a real store, each with its users and rights."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.admin.keys import public_pem
from deploy.admin.release import trust_release
from deploy.admin.runtimes import add_runtime
from deploy.local.deployment import Deployment
from libs.broker.rabbit.broker import RabbitBroker
from libs.broker.topology import Service as BrokerUser
from libs.service.clock import RealClock
from libs.service.settings import read_secret
from libs.store.mongo.store import MongoStore, open_store
from tests.integration.bundler.gateway import Gateway
from tests.unit.bundler.runtimes import signed_runtime

RELEASE = Ed25519PrivateKey.generate()
RUNTIME = signed_runtime(RELEASE)


@pytest.fixture(scope="module")
def deployment(parts_folder: Path, request: pytest.FixtureRequest) -> Iterator[Deployment]:
    with Deployment(parts_folder / request.node.name, services=("bundler",)) as up:
        # A clone in which a runtime was built already makes keys that trust that release; here it is always this one.
        (up.keys / "public" / "release.pem").unlink(missing_ok=True)
        (up.state / "release.pem").write_bytes(public_pem(RELEASE.public_key()))
        trust_release(up.keys, up.state / "release.pem")
        yield up


@pytest.fixture
async def store(deployment: Deployment) -> AsyncIterator[MongoStore]:
    """The store with the gateway's rights."""
    store = open_store(deployment.store.url, "gateway", read_secret(deployment.keys / "gateway" / "store_password"))
    yield store
    await store.close()


@pytest.fixture
async def gateway(deployment: Deployment) -> AsyncIterator[Gateway]:
    async with broker_as(deployment, BrokerUser.GATEWAY) as broker:
        yield Gateway(broker, deployment.keys / "gateway" / "request.key")


@pytest.fixture
async def runtime(deployment: Deployment, tmp_path: Path) -> bytes:
    """A published runtime, of a release that is trusted."""
    (tmp_path / "runtime.zip").write_bytes(RUNTIME)
    keys, url = deployment.keys, deployment.store.url
    said = await add_runtime(tmp_path / "runtime.zip", url, private=keys / "admin", keys=keys)
    assert "ublished" in said
    return RUNTIME


def broker_as(deployment: Deployment, user: BrokerUser) -> RabbitBroker:
    """A connection with the rights of one service."""
    password = read_secret(deployment.keys / user.value / "broker_password").reveal().decode()
    url = deployment.broker.address.replace("amqp://", f"amqp://{user.value}:{password}@")
    return RabbitBroker(url, user, RealClock().now)
