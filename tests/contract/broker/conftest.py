"""The brokers. `BROKER=amqp://...` points the real half at anyone's RabbitMQ; its user may do everything there."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.broker.rig import MemoryRig, RabbitRig, Rig, rabbit_rig


@pytest.fixture
async def rabbit(real_broker_url: str) -> AsyncIterator[RabbitRig]:
    async with rabbit_rig(real_broker_url) as rig:
        yield rig


@pytest.fixture(params=["memory", pytest.param("rabbit", marks=pytest.mark.real)])
def rig(request: pytest.FixtureRequest) -> Rig:
    if request.param == "memory":
        return MemoryRig()
    real: RabbitRig = request.getfixturevalue("rabbit")
    return real
