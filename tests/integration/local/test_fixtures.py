"""The session's own servers, as other tests see them."""

from urllib.parse import urlsplit

import pytest

from deploy.local import broker, store

pytestmark = pytest.mark.real


def test_the_store_of_the_session_answers(real_store_url: str) -> None:
    port = urlsplit(real_store_url).port
    assert port is not None
    assert store.greets(port)


def test_the_broker_of_the_session_answers(real_broker_url: str) -> None:
    port = urlsplit(real_broker_url).port
    assert port is not None
    assert broker.greets(port)
