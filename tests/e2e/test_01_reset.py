"""Story 1: from a person's request to the proof, on a real host, and what everybody sees of it."""

import pytest

from libs.client.client import Client
from libs.client.errors import NotThereError
from libs.wire.secret import Secret
from tests.e2e.site import OLD, Site, until

pytestmark = [pytest.mark.real, pytest.mark.host]


def test_a_typed_password_is_set_proven_verified_and_revealed(running: Site) -> None:
    account = running.add_account("story1")
    assert account.status == "unmanaged"
    task = running.resets(account, "Typed-by-a-person-1")
    assert task.state == "done"
    seen = running.account(account)
    assert seen.status == "in_sync"
    assert seen.proof is not None
    assert running.host.opens("story1", b"Typed-by-a-person-1")
    assert not running.host.opens("story1", OLD)
    assert running.verifies(account).opens is True
    assert running.revealed(account) == [b"Typed-by-a-person-1"]


def test_a_generated_password_opens_the_account(running: Site) -> None:
    account = running.add_account("story1b")
    assert running.resets(account).state == "done"
    (password,) = running.revealed(account)
    assert running.host.opens("story1b", password)
    assert len(password) == 24


@pytest.mark.parametrize(
    "password", [" blanks around ", "a:b:c", "tab\there", "-begins-with-a-sign", "ä€𝄞", "x" * 511, "'\"`$(id)\\"]
)
def test_every_settable_password_is_set_byte_for_byte(running: Site, password: str) -> None:
    account = running.find("story1c") or running.add_account("story1c")
    assert running.resets(account, password).state == "done"
    assert running.host.opens("story1c", password.encode())
    assert running.revealed(account) == [password.encode()]


def test_a_change_on_the_host_is_found_and_taken_back(running: Site) -> None:
    account = running.add_account("story1d")
    running.resets(account, "Ours-before-it-1")
    running.host.run(["chpasswd"], input=b"story1d:changed-on-the-host\n")
    # The agent looks at the account files between two polls, so this comes by itself.
    until(lambda: running.account(account).status == "drift" or None, "the drift")
    verify = running.verifies(account)
    assert (verify.state, verify.opens) == ("done", False)
    assert running.resets(account, "Ours-again-1").state == "done"
    assert running.host.opens("story1d", b"Ours-again-1")


def test_each_person_sees_only_their_own(running: Site) -> None:
    account = running.add_account("story1e")
    running.resets(account)
    before = running.client.notifications()
    assert before.resets >= 1
    running.client.add_user("anna", Secret("another-long-password"), "user")
    with Client(running.server.gateway_url, authority=running.server.ca_file) as anna:
        anna.sign_in("anna", Secret("another-long-password"))
        bell = anna.notifications()
        assert (bell.resets, bell.verifies, bell.waiting, bell.items) == (0, 0, 0, ())
        assert anna.resources() == []
        with pytest.raises(NotThereError):
            anna.account(account.id)
        with pytest.raises(NotThereError):
            anna.reveal(account.id, "curiosity")
