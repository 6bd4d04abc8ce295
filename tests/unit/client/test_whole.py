"""The client against the real gateway, scheduler and agent: waiting, revealing, listing."""

import threading
import time
from itertools import pairwise

import pytest

from libs.client import models
from libs.client.client import Client
from libs.client.errors import NotSignedInError, NotThereError, RefusedError
from libs.wire.ids import Noun, new_id
from libs.wire.requests import Policy
from libs.wire.secret import Secret
from tests.unit.client.machines import SERVER, Site


def account(client: Client, name: str = "deploy") -> models.Account:
    (resource,) = client.resources()
    return next(each for each in client.accounts(resource.id) if each.name == name)


def test_a_reset_is_waited_for_step_by_step_and_revealed(running: Site) -> None:
    client = running.signed_in()
    deploy = account(client)
    asked = client.reset(deploy.id, password=Secret("Chosen-by-a-person-1"), unlock=False, note="a test")
    told: list[models.Task] = []
    ended = client.wait(asked.task.id, 20, told.append)
    assert (ended.state, ended.open, ended.note) == ("done", False, "a test")
    assert told[-1] == ended
    assert all(before != after for before, after in pairwise(told))  # told at changes alone
    assert running.live() == b"Chosen-by-a-person-1"
    (candidate,) = client.reveal(deploy.id, "a test")
    assert candidate.password == Secret("Chosen-by-a-person-1")
    assert candidate.version.proven_at is not None
    ended = client.wait(client.verify(deploy.id).task.id, 20)
    assert (ended.state, ended.opens) == ("done", True)


def test_a_generated_password_follows_its_policy(running: Site) -> None:
    client = running.signed_in()
    deploy = account(client)
    policy = Policy(length=40, alphabet="letters-digits")
    client.wait(client.reset(deploy.id, policy=policy, unlock=False, note="").task.id, 20)
    (candidate,) = client.reveal(deploy.id, "a test")
    assert running.live() == candidate.password.reveal()
    assert len(candidate.password) == 40
    assert candidate.password.reveal().isalnum()


def test_waiting_ends_with_its_time_and_says_what_is_known(running: Site) -> None:
    running.stop_agent()
    client = running.signed_in()
    task = client.reset(account(client).id, unlock=False, note="").task
    assert client.wait(task.id, 0).open
    began = time.monotonic()
    seen = client.wait(task.id, 0.3)
    assert (seen.state, seen.open) == ("queued", True)
    assert time.monotonic() - began >= 0.3


def test_a_server_that_goes_away_while_one_waits_is_asked_again(running: Site) -> None:
    running.stop_agent()
    client = running.signed_in()
    task = client.reset(account(client).id, unlock=False, note="").task
    away = threading.Event()

    def told(_: models.Task) -> None:
        """At the first look the server goes; it comes back with an agent that is there."""
        if not away.is_set():
            away.set()
            running.seam.away = True
            threading.Timer(0.2, back).start()

    def back() -> None:
        running.begin_agent()
        running.seam.away = False

    assert client.wait(task.id, 20, told).state == "done"
    assert away.is_set()


def test_who_is_not_signed_in_is_told_so(running: Site) -> None:
    with pytest.raises(NotSignedInError) as caught:
        Client(SERVER, seam=running.seam).resources()
    assert (caught.value.code, caught.value.status) == ("not_signed_in", 401)
    client = running.signed_in()
    assert client.who().user.name == "ops"
    client.sign_out()
    with pytest.raises(NotSignedInError):
        client.who()


def test_refusals_keep_their_code_and_their_sentence(running: Site) -> None:
    client = running.signed_in()
    with pytest.raises(NotThereError):
        client.task(new_id(Noun.TASK))
    with pytest.raises(NotThereError):
        client.account("../../v1/users")  # whatever it holds, it names one thing
    with pytest.raises(RefusedError) as caught:
        client.add_user("Not A Name", Secret("a-quite-long-password"), "user")
    assert (caught.value.code, caught.value.status) == ("invalid", 422)
    assert "name" in str(caught.value)


def test_the_audit_tells_who_asked_for_what_by_which_way(running: Site) -> None:
    client = running.signed_in()
    task = client.reset(account(client).id, unlock=False, note="").task
    records = {each.what: each for each in client.audit(task=task.id)}
    asked = records["reset.requested"]
    assert asked.who is not None
    assert (asked.who.name, asked.extra["via"]) == ("ops", "command")
