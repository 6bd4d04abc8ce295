"""The private store: state kept through kill -9, users enforced, two at once apart."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError

from deploy.local.errors import StartError
from deploy.local.store import Store
from tests.integration.local.leftovers import leftovers

pytestmark = pytest.mark.real


@contextmanager
def client(url: str, **options: Any) -> Iterator[MongoClient[dict[str, Any]]]:
    connection: MongoClient[dict[str, Any]] = MongoClient(
        url, w="majority", journal=True, serverSelectionTimeoutMS=10_000, **options
    )
    try:
        yield connection
    finally:
        connection.close()


def test_it_keeps_what_it_acknowledged_through_a_kill(parts_folder: Path, store_python: Path) -> None:
    store = Store(store_python, parts_folder / "store-kill")
    store.start()
    try:
        port = store.port
        with client(store.url) as connection:
            connection["one"]["things"].insert_many([{"_id": number} for number in range(100)])
        store.kill()
        assert not store.alive
        assert leftovers(store.state) == []
        store.restart()
        assert store.port == port
        with client(store.url) as connection:
            assert sorted(thing["_id"] for thing in connection["one"]["things"].find()) == list(range(100))
    finally:
        store.stop()
    assert leftovers(store.state) == []


def test_a_paused_store_answers_nothing_and_then_goes_on(parts_folder: Path, store_python: Path) -> None:
    store = Store(store_python, parts_folder / "store-pause")
    store.start()
    try:
        store.pause()
        with (
            client(store.url, connectTimeoutMS=500, socketTimeoutMS=500) as connection,
            pytest.raises(ServerSelectionTimeoutError),
        ):
            connection["one"]["things"].find_one()
        store.resume()
        with client(store.url) as connection:
            assert connection["one"]["things"].find_one() is None
    finally:
        store.stop()


def make_a_user(url: str) -> None:
    with client(url) as connection:
        roles = [{"role": "readWrite", "db": "mine"}]
        connection["admin"].command("createUser", "reader", pwd="made up", roles=roles, mechanisms=["SCRAM-SHA-256"])


def test_users_are_made_first_and_then_enforced_also_after_a_restart(parts_folder: Path, store_python: Path) -> None:
    store = Store(store_python, parts_folder / "store-users")
    store.start(setup=make_a_user)
    try:
        for _ in range(2):
            with client(store.url) as nobody, pytest.raises(OperationFailure):
                nobody["mine"]["things"].find_one()
            with client(store.url, username="reader", password="made up", authSource="admin") as reader:
                assert reader["mine"]["things"].find_one() is None
                with pytest.raises(OperationFailure):
                    reader["other"]["things"].find_one()
            store.kill()
            store.restart()
    finally:
        store.stop()


def test_a_set_up_that_failed_is_done_again_from_nothing(parts_folder: Path, store_python: Path) -> None:
    store = Store(store_python, parts_folder / "store-half")

    def fail_in_the_middle(url: str) -> None:
        make_a_user(url)
        raise StartError("the set-up ended here")

    with pytest.raises(StartError, match="ended here"):
        store.start(setup=fail_in_the_middle)
    assert leftovers(store.state) == []
    store.start(setup=make_a_user)
    try:
        with client(store.url) as nobody, pytest.raises(OperationFailure):
            nobody["mine"]["things"].find_one()
    finally:
        store.stop()


def test_a_taken_port_is_left_to_who_has_it(parts_folder: Path, store_python: Path) -> None:
    one, two = Store(store_python, parts_folder / "store-one"), Store(store_python, parts_folder / "store-two")
    one.start()
    try:
        two.state.mkdir()
        (two.state / "port.json").write_text(str(one.port))
        two.start()
        try:
            assert one.port != two.port
            with client(one.url) as first, client(two.url) as second:
                first["shared"]["things"].insert_one({"_id": "one"})
                assert second["shared"]["things"].find_one() is None
        finally:
            two.stop()
        assert one.alive
    finally:
        one.stop()
