"""What the client sends again: a change whose answer was lost, once; and one whose person had to say who they are."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from libs.client import transport
from libs.client.client import Client
from libs.client.errors import ConfirmFirstError, NotReachableError, RefusedError
from libs.client.people import Again, Confirm
from libs.wire.secret import Secret

SERVER = "https://keyturn.example:7272"
GROUP = {"id": "grp_a", "name": "db-admins", "created_at": "2025-11-25T04:00:00.000Z"}
LOST = httpx.ReadError("the connection broke")
Step = httpx.Response | Exception


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits between two tries."""
    monkeypatch.setattr(transport, "_BETWEEN_TRIES", 0.0)


class Server:
    """Answers with one step after another, the last one for ever, and keeps what was asked."""

    def __init__(self, *steps: Step) -> None:
        self.steps, self.asked = list(steps), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step

    @property
    def keys(self) -> list[str | None]:
        return [each.headers.get("idempotency-key") for each in self.asked]

    def client(self, again: Again | None = None) -> Client:
        return Client(SERVER, again=again, seam=httpx.MockTransport(self))


def made() -> httpx.Response:
    return httpx.Response(201, json=GROUP)


def refused(status: int, code: str) -> httpx.Response:
    body = {"type": "about:blank", "title": "No", "status": status, "detail": "A sentence.", "code": code}
    return httpx.Response(status, json=body, headers={"content-type": "application/problem+json"})


def test_a_change_whose_answer_was_lost_is_sent_again_with_its_key() -> None:
    server = Server(LOST, httpx.RemoteProtocolError("half an answer"), made())
    assert server.client().add_group("db-admins").name == "db-admins"
    first, *others = server.keys
    assert first is not None
    assert others == [first, first]
    assert len({each.content for each in server.asked}) == 1


def test_two_changes_have_two_keys() -> None:
    server = Server(made())
    with server.client() as client:
        client.add_group("db-admins")
        client.add_group("db-admins")
    assert len(set(server.keys)) == 2


def test_an_answer_that_is_lost_each_time_says_nothing_about_the_change() -> None:
    server = Server(LOST)
    with pytest.raises(NotReachableError, match="it may or may not have been done"):
        server.client().add_group("db-admins")
    assert len(server.asked) == 4
    # A server that went away after the first try does not make it "cannot be reached".
    server = Server(LOST, httpx.ConnectError("refused"))
    with pytest.raises(NotReachableError, match="it may or may not have been done"):
        server.client().add_group("db-admins")


def test_where_nobody_was_reached_nothing_is_repeated() -> None:
    server = Server(httpx.ConnectError("refused"))
    with pytest.raises(NotReachableError, match="cannot be reached"):
        server.client().add_group("db-admins")
    assert len(server.asked) == 1


def test_a_first_try_that_is_still_under_way_is_waited_for() -> None:
    server = Server(LOST, refused(409, "idempotency_key_unanswered"), made())
    assert server.client().add_group("db-admins").id == "grp_a"
    # A key is never met before its first try: such an answer is passed on.
    with pytest.raises(RefusedError, match="A sentence"):
        Server(refused(409, "idempotency_key_unanswered")).client().add_group("db-admins")


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.sign_in("ada", Secret("x")),
        lambda client: client.set_up("code", "ada", Secret("x")),
        lambda client: client.confirm(Secret("x")),
        lambda client: client.reveal("acc_a", "a test"),
        lambda client: client.who(),
    ],
)
def test_what_signs_in_or_reveals_is_asked_for_once(call: Callable[[Client], Any]) -> None:
    server = Server(LOST)
    with pytest.raises(NotReachableError):
        call(server.client())
    assert server.keys == [None]


def test_who_has_to_say_again_who_they_are_is_asked_once_and_the_change_goes_on() -> None:
    server = Server(refused(401, "confirm_first"), httpx.Response(204), made())
    asked: list[Confirm] = []

    def again(confirm: Confirm) -> None:
        asked.append(confirm)
        confirm(Secret("my own password"), Secret("123456"))

    assert server.client(again).add_group("db-admins").name == "db-admins"
    assert [each.url.path for each in server.asked] == ["/v1/groups", "/v1/sessions/confirm", "/v1/groups"]
    assert server.asked[1].content == b'{"password":"my own password","code":"123456"}'
    assert server.keys[0] == server.keys[2] is not None
    # A server that is never content is not asked for ever.
    server = Server(refused(401, "confirm_first"), httpx.Response(204), refused(401, "confirm_first"))
    with pytest.raises(ConfirmFirstError):
        server.client(again).add_group("db-admins")
    assert len(server.asked) == 3


def test_who_has_to_say_it_at_the_last_try_of_all_is_told_so() -> None:
    asked: list[Confirm] = []
    server = Server(LOST, LOST, LOST, refused(401, "confirm_first"))
    with pytest.raises(ConfirmFirstError):
        server.client(asked.append).add_group("db-admins")
    assert (len(server.asked), asked) == (4, [])


def test_where_nobody_can_be_asked_it_is_refused() -> None:
    server = Server(refused(401, "confirm_first"))
    with pytest.raises(ConfirmFirstError, match="A sentence"):
        server.client().add_group("db-admins")
    assert len(server.asked) == 1
