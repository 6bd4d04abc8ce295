"""The rights table says what the threat model promises; a change of it is a change of that promise."""

import pytest

from libs.store.schema import AUDITS, INDEXES, OUTBOXES, Action, CollectionName, Database, Service, allowed


def test_no_service_changes_an_audit_that_is_written() -> None:
    for service in Service:
        for name in AUDITS.values():
            assert not allowed(service, name, Action.UPDATE)
            assert not allowed(service, name, Action.REMOVE)


def test_each_service_writes_its_own_audit_alone() -> None:
    for service in Service:
        assert [owner for owner, name in AUDITS.items() if allowed(service, name, Action.INSERT)] == [service]


@pytest.mark.parametrize("action", [Action.INSERT, Action.UPDATE, Action.REMOVE])
def test_the_gateway_changes_no_account_and_no_certificate(action: Action) -> None:
    assert not allowed(Service.GATEWAY, CollectionName.ACCOUNTS, action)
    assert not allowed(Service.GATEWAY, CollectionName.CERTIFICATES, action)


def test_only_the_bundler_writes_trust_and_it_sees_no_account() -> None:
    assert allowed(Service.BUNDLER, CollectionName.CERTIFICATES, Action.UPDATE)
    assert not allowed(Service.SCHEDULER, CollectionName.CERTIFICATES, Action.INSERT)
    assert not allowed(Service.BUNDLER, CollectionName.ACCOUNTS, Action.FIND)


def test_every_relay_may_find_and_empty_its_outboxes() -> None:
    for service, names in OUTBOXES.items():
        for name in names:
            assert allowed(service, name, Action.FIND)
            assert allowed(service, name, Action.UPDATE)
            assert any(index.fields == ("outbox.at",) for index in INDEXES[name])


def test_every_collection_has_its_indexes_listed_and_its_database() -> None:
    assert set(INDEXES) == set(CollectionName)
    assert {name.database for name in CollectionName} == set(Database)
