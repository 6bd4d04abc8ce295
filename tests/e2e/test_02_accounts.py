"""Story 2: accounts as hosts have them: locked, without a password, odd lines, and what no password may do."""

import httpx
import pytest

from tests.e2e.forger import Forger
from tests.e2e.site import OLD, PASSWORD, PERSON, Site, until

pytestmark = [pytest.mark.real, pytest.mark.host]


def test_a_locked_account_keeps_its_lock_and_gets_its_password(running: Site) -> None:
    account = running.add_account("locked1", locked=True)
    assert "locked" in account.kinds
    task = running.resets(account, "Behind-the-lock-1")
    assert task.state == "done"
    assert [remark.code for remark in task.remarks] == ["locked"]
    assert running.host.shadow_field("locked1").startswith("!")
    assert running.verifies(account).opens is True
    running.host.run(["usermod", "--unlock", "locked1"])
    assert running.host.opens("locked1", b"Behind-the-lock-1")


def test_an_account_that_never_had_a_password_is_left_alone_unless_asked(running: Site) -> None:
    account = until(lambda: running.find("daemon"), "daemon")
    before = running.host.shadow_field("daemon")
    task = running.resets(account, "Should-not-be-set-1")
    assert task.state == "refused"
    assert task.reason is not None
    assert task.reason.code == "account_locked"
    assert running.host.shadow_field("daemon") == before
    assert running.account(account).status == "unmanaged"
    assert running.resets(account, "Set-and-unlocked-1", unlock=True).state == "done"
    assert running.host.opens("daemon", b"Set-and-unlocked-1")


def test_lines_that_are_no_accounts_are_not_offered_and_stop_nothing(running: Site) -> None:
    odd = b"+::::::\n+@admins::::::\n-guest::::::\nlat\xe4:x:1700:100::/:/bin/sh\n:x:1600:100::/:/bin/sh\n"
    odd += b"big:x:4294967296:100::/:/bin/sh\ntoor:x:0:0::/root:/bin/sh\n# a remark\n\n"
    passwd = running.host.read("/etc/passwd")
    try:
        running.host.write("/etc/passwd", passwd + odd)
        toor = until(lambda: running.find("toor"), "toor")
        assert "root_equivalent" in toor.kinds
        names = {each.name for each in running.client.accounts(toor.resource.id)}
        assert not any(name.startswith(("+", "-", "#")) for name in names)
        assert "" not in names
        assert "big" not in names
    finally:
        running.host.write("/etc/passwd", passwd)


@pytest.mark.parametrize("password", ["first\nsvc-backup:injected", "a\rb", "a\0b", "x" * 512, ""])
def test_what_no_host_can_be_given_is_refused_before_anything_is_sent(running: Site, password: str) -> None:
    account = running.find("victim") or running.add_account("victim")
    signed_in = running.client.sign_in(PERSON, PASSWORD)
    with running.http() as http:
        answer = http.post(
            f"/v1/accounts/{account.id}/reset",
            json={"password": password},
            headers={"authorization": f"Bearer {signed_in.token}"},
        )
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert answer.headers["content-type"] == "application/problem+json"
    assert running.account(account).status == "unmanaged"
    assert running.host.opens("victim", OLD)


def test_the_agent_refuses_it_too_and_journals_nothing(running: Site) -> None:
    """A job that is signed by the scheduler's own key, as if the gateway had let these passwords pass."""
    account, neighbour = running.add_account("victim2"), running.add_account("neighbour2")
    running.resets(neighbour, "Before-the-forger-came-1")
    words = (b"first\nneighbour2:injected", b"a\rb", b"a\0b", b"x" * 512, b"")
    fields = [running.host.shadow_field(each.name) for each in (account, neighbour)]
    answers = Forger(running).resets(account, words)
    assert [(each.answer, each.reason) for each in answers] == [("refused", "password_not_settable")] * len(words)
    journal = running.host.read("/var/lib/keyturn-agent/journal/journal")
    assert [each.id.encode() in journal for each in (account, neighbour)] == [False, True]
    assert [running.host.shadow_field(each.name) for each in (account, neighbour)] == fields
    assert running.account(account).status == "unmanaged"


def test_a_host_whose_shadow_cannot_be_replaced_says_why_and_nothing_changes(running: Site) -> None:
    account = running.add_account("stuck")
    running.resets(account, "Before-it-was-stuck-1")
    host = running.host
    obstacles = {
        "etc_read_only": ("mount --bind /etc /etc && mount -o remount,bind,ro /etc", "umount /etc"),
        "shadow_immutable": ("chattr +i /etc/shadow", "chattr -i /etc/shadow"),
        "shadow_is_mount": (
            "cp -p /etc/shadow /var/tmp/s && mount --bind /var/tmp/s /etc/shadow",
            "umount /etc/shadow; rm /var/tmp/s",
        ),
    }
    for reason, (put, take) in obstacles.items():
        # The agent's unit has a mount namespace of its own, which sees a later mount only when it is begun anew.
        host.run(["sh", "-c", put])
        try:
            if "mount" in put:
                running.agent("restart")
            task = running.resets(account, f"Never-set-{reason}-1")
        finally:
            host.run(["sh", "-c", take])
            if "mount" in put:
                running.agent("restart")
        assert task.state == "refused", task
        assert task.reason is not None
        assert task.reason.code == reason
        assert running.settles(account).status == "in_sync"
        assert host.opens("stuck", b"Before-it-was-stuck-1")
    assert running.resets(account, "After-it-was-mended-1").state == "done"
