"""Declares what the topology says.

On a broker of our own its definitions file has declared everything, and the same declaration again changes nothing. A
service declares its own queues before it reads them, so that a deleted queue is there again; it may declare nothing
else. `everything` is for an administrator, and for a test on somebody else's broker.

A queue that is younger than 0.2 s when its node is killed can hang for ever (a RabbitMQ node elects its leader only
then). Whoever makes a broker waits two seconds after the first declaration before he calls it ready; here a declaration
is only ever repeated, and each publish has a deadline, so that such a queue shows as work that waits.
"""

from typing import cast

from aio_pika.abc import AbstractChannel, AbstractQueue
from pamqp.common import Arguments

from libs.broker.topology import QueueName, QueueSpec, Topology


async def everything(channel: AbstractChannel, topology: Topology) -> None:
    """All exchanges and all durable queues. Needs all rights."""
    for exchange in topology.exchanges():
        await channel.declare_exchange(exchange.name, exchange.kind, durable=True)
    for queue in topology.queues():
        await _declare(channel, queue)


async def queue(channel: AbstractChannel, topology: Topology, name: QueueName) -> AbstractQueue:
    """One queue with its aside and its bindings. Needs the rights of the service that reads it."""
    specs = topology.declared(name)
    for aside in specs[:-1]:
        await _declare(channel, aside)
    return await _declare(channel, specs[-1])


async def nothing_left(channel: AbstractChannel, topology: Topology) -> None:
    """Deletes what `everything` declared, with all messages. For tests on somebody else's broker."""
    for spec in reversed(topology.queues()):
        found = await channel.get_queue(spec.name, ensure=False)
        # Both conditions are refused by quorum queues, and a refusal closes the connection.
        await found.delete(if_unused=False, if_empty=False)
    for exchange in topology.exchanges():
        await channel.exchange_delete(exchange.name)


async def _declare(channel: AbstractChannel, spec: QueueSpec) -> AbstractQueue:
    arguments = cast("Arguments", dict(spec.arguments))
    declared = await channel.declare_queue(spec.name, durable=True, arguments=arguments)
    for exchange, key in spec.bindings:
        await declared.bind(exchange, key)
    return declared
