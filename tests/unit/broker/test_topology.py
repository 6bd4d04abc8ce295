"""The topology holds every message of the wire, and gives each service what it needs and no more."""

import json

import pytest

from libs.broker.topology import (
    ADMINISTRATOR,
    NOTICES,
    QUEUES,
    ExchangeName,
    QueueName,
    Service,
    Topology,
    definitions,
    password_hash,
    queue_for,
)
from libs.wire.events import Event

PASSWORDS = {name: f"password-of-{name}" for name in (*Service, ADMINISTRATOR)}


def types(kind: type[Event] = Event) -> set[str]:
    """The types of every event that is declared anywhere in the wire."""
    found = {kind.TYPE} if "TYPE" in vars(kind) else set()
    return found.union(*(types(each) for each in kind.__subclasses__()))


def test_every_event_of_the_wire_has_its_way() -> None:
    answers = {"rpc.answer"}
    assert types() - answers == {each for queue in QUEUES for each in queue.types} | NOTICES


def test_no_type_goes_into_two_queues_and_every_queue_is_declared() -> None:
    every = [each for queue in QUEUES for each in queue.types]
    assert len(every) == len(set(every))
    assert [queue.name for queue in QUEUES] == list(QueueName)
    assert all(queue_for(each) is not None for each in every)


def test_every_limit_is_explicit() -> None:
    for queue in QUEUES:
        *asides, spec = Topology().declared(queue.name)
        assert spec.arguments["x-queue-type"] == "quorum"
        assert spec.arguments["x-delivery-limit"] == 20
        assert spec.arguments["x-overflow"] == "reject-publish"
        if queue.asks:
            assert not asides
            assert "x-dead-letter-exchange" not in spec.arguments
        else:
            assert spec.arguments["x-dead-letter-strategy"] == "at-least-once"
            (aside,) = asides
            assert aside.name == f"{queue.name}.aside"
            assert (spec.arguments["x-dead-letter-exchange"], spec.arguments["x-dead-letter-routing-key"]) == (
                aside.bindings[0]
            )


@pytest.mark.parametrize("prefix", ["", "test-1.", "a+b"])
@pytest.mark.parametrize("service", list(Service))
def test_a_service_touches_its_own_names_only(service: Service, prefix: str) -> None:
    topology = Topology(prefix)
    rights = topology.rights(service)
    for queue in QUEUES:
        name = topology.name(queue.name)
        own = queue.service is service
        assert (rights.reads(name), rights.writes(name)) == (own, own)
        assert not rights.reads(f"x{name}")
    assert rights.writes(topology.name(ExchangeName.WORK))
    assert rights.reads(topology.name(ExchangeName.NOTICES)) == (service is Service.GATEWAY)
    assert rights.reads(topology.name(ExchangeName.WORK)) == (service is not Service.GATEWAY)
    assert not rights.writes("amq.default")
    assert not rights.writes("")


def test_definitions_are_json_without_a_plain_password() -> None:
    text = json.dumps(definitions(PASSWORDS, entropy=lambda size: b"salt"[:size]))
    assert not any(password in text for password in PASSWORDS.values())
    users = {user["name"]: user for user in json.loads(text)["users"]}
    assert set(users) == {*Service, ADMINISTRATOR}
    assert [user for user, each in users.items() if each["tags"]] == [ADMINISTRATOR]


def test_the_password_hash_is_rabbitmq_s() -> None:
    # The worked example of RabbitMQ's own page on password hashes.
    assert password_hash("test12", bytes.fromhex("908DC60A")) == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"


def test_a_user_without_a_password_is_refused() -> None:
    with pytest.raises(KeyError):
        definitions({"gateway": "one"})
