"""The private broker: state kept through kill -9, definitions loaded, two at once apart, epmd gone with it."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import aio_pika
import aio_pika.exceptions
import pytest
from pamqp.common import FieldTable

from deploy.local import ports
from deploy.local.broker import SETTLING_SECONDS, Broker
from deploy.local.errors import StartError
from tests.integration.local.leftovers import leftovers

pytestmark = pytest.mark.real

QUORUM: FieldTable = {"x-queue-type": "quorum"}
SALT = b"salt"
# RabbitMQ's own format: four bytes of salt, and SHA-256 over salt and password, in base64.
HASHED = base64.b64encode(SALT + hashlib.sha256(SALT + b"made up").digest()).decode()


@pytest.fixture(scope="module")
def broker(parts_folder: Path, unpacked_rabbitmq: Path) -> Iterator[Broker]:
    broker = Broker(unpacked_rabbitmq, parts_folder / "broker-own")
    broker.start()
    yield broker
    broker.stop()
    assert leftovers(broker.state) == []


async def test_it_keeps_what_it_confirmed_through_a_kill(broker: Broker) -> None:
    async with await aio_pika.connect(broker.url) as connection:
        channel = await connection.channel()
        await channel.declare_queue("kept", durable=True, arguments=QUORUM)
        await asyncio.sleep(SETTLING_SECONDS)  # A younger quorum queue can hang for ever after a kill.
        for number in range(50):
            message = aio_pika.Message(str(number).encode(), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await channel.default_exchange.publish(message, routing_key="kept", timeout=10)
        port, epmd = broker.port, broker.epmd_pid
        broker.kill()
        assert not broker.alive
    broker.restart()
    assert (broker.port, broker.epmd_pid) == (port, epmd)
    async with await aio_pika.connect(broker.url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("kept", durable=True, arguments=QUORUM)
        found = []
        for _ in range(50):
            got = await queue.get(timeout=10)
            assert got is not None
            await got.ack()
            found.append(int(got.body))
    assert sorted(found) == list(range(50))


async def test_a_paused_broker_answers_nothing_and_then_goes_on(broker: Broker) -> None:
    broker.pause()
    with pytest.raises(TimeoutError):
        await aio_pika.connect(broker.url, timeout=1)
    broker.resume()
    async with await aio_pika.connect(broker.url) as connection:
        assert not connection.is_closed


def test_all_its_ports_are_on_loopback(broker: Broker) -> None:
    known = json.loads((broker.state / "ports.json").read_text())
    assert set(known) == {"amqp", "distribution", "epmd"}
    loopback = {"0100007F", "00000000000000000000000001000000"}
    for port in known.values():
        inodes = ports.listener_inodes(port)
        assert inodes
        for table in ("tcp", "tcp6"):
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[9] in inodes:
                    assert fields[1].partition(":")[0] in loopback


def test_the_control_tool_speaks_to_this_node(broker: Broker) -> None:
    broker.control("add_vhost", "for-one-test")
    assert "for-one-test" in broker.control("list_vhosts").split()


def test_the_control_tool_is_refused_when_it_should_be(broker: Broker) -> None:
    with pytest.raises(StartError, match="rabbitmqctl delete_vhost failed"):
        broker.control("delete_vhost", "never-made")


async def test_users_and_queues_come_from_the_definitions_beside_another_broker(
    broker: Broker, parts_folder: Path, unpacked_rabbitmq: Path
) -> None:
    definitions = parts_folder / "definitions.json"
    definitions.write_text(
        json.dumps(
            {
                "vhosts": [{"name": "/"}],
                "users": [
                    {
                        "name": "reader",
                        "password_hash": HASHED,
                        "hashing_algorithm": "rabbit_password_hashing_sha256",
                        "tags": "",
                    }
                ],
                "permissions": [{"user": "reader", "vhost": "/", "configure": "^$", "write": "^$", "read": ".*"}],
                "queues": [
                    {
                        "name": "work",
                        "vhost": "/",
                        "durable": True,
                        "auto_delete": False,
                        "arguments": {"x-queue-type": "quorum"},
                    }
                ],
            }
        )
    )
    state = parts_folder / "broker-defined"
    # What a node left that never became ready is not taken over.
    (state / "mnesia" / "keyturn@localhost").mkdir(parents=True)
    (state / "mnesia" / "keyturn@localhost" / "cluster_nodes.config").write_text("half")
    defined = Broker(unpacked_rabbitmq, state, definitions=definitions)
    defined.start()
    try:
        assert defined.port != broker.port
        url = f"amqp://reader:made%20up@127.0.0.1:{defined.port}/"
        async with await aio_pika.connect(url) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue("work", passive=True)
            assert queue.declaration_result.message_count == 0
        assert defined.control("list_users", "--no-table-headers").split() == ["reader", "[]"]
        with pytest.raises(aio_pika.exceptions.ProbableAuthenticationError):
            await aio_pika.connect(broker.url.replace(str(broker.port), str(defined.port)))
    finally:
        defined.stop()
    assert leftovers(state) == []
    assert broker.alive
