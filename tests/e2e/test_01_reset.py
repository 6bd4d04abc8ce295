"""Story 1: from a person's request to the proof, on a real host, and what everybody sees of it."""

import json

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


def test_an_account_that_moved_into_a_directory_cannot_be_told_of_nor_changed(running: Site) -> None:
    """Case 24, and the third answer of a verify."""
    account = running.add_account("story1f")
    running.resets(account, "Ours-while-local-1")
    host = running.host
    host.run(["userdel", "story1f"])
    record = {"userName": "story1f", "uid": 61_999, "gid": 61_999, "disposition": "regular"}
    sources = host.read("/etc/nsswitch.conf")
    host.run(["mkdir", "-p", "/run/userdb"])
    host.write("/run/userdb/story1f.user", json.dumps(record).encode())
    host.run(["sed", "-i", "s/^passwd:.*/passwd: files systemd/", "/etc/nsswitch.conf"])
    try:
        host.run(["getent", "passwd", "story1f"])
        verify = running.verifies(account)
        reset = running.resets(account, "Never-to-be-set-1")
    finally:
        host.write("/etc/nsswitch.conf", sources)
        host.run(["rm", "/run/userdb/story1f.user"])
    assert (verify.state, verify.opens) == ("cannot_tell", None)
    assert reset.state == "refused"
    for task in (verify, reset):
        assert task.reason is not None
        assert task.reason.code == "not_a_local_account"
        assert "systemd answers" in (task.detail or "")
    assert running.settles(account).status == "in_sync"


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
