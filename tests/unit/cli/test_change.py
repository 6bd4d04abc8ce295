"""Reset, verify and reveal by the command, with the statuses that scripts branch on."""

import httpx
import pytest

from agent.backends.ports import SetAnswer, SetOutcome
from libs.wire.reasons import Reason
from libs.wire.secret import Secret
from tests.unit.cli.terminal import Keyturn
from tests.unit.client.machines import Site

TYPED = "Typed-into-a-pipe-1"


def deploy(running: Site) -> str:
    return f"{running.host}/deploy"


def test_a_piped_password_is_set_proven_verified_and_revealed(keyturn: Keyturn, running: Site) -> None:
    done = keyturn("reset", deploy(running), "--stdin", stdin=TYPED + "\n")
    assert done.status == 0, done.err
    assert "proven" in done.out
    assert "Until the agent had it" in done.out
    assert TYPED not in done.out + done.err
    assert running.live() == TYPED.encode()
    done = keyturn("verify", deploy(running))
    assert (done.status, "Opens the account." in done.out) == (0, True)
    shown = keyturn("reveal", deploy(running), "--reason", "a test", "--json").json
    assert [each["password"] for each in shown["passwords"]] == [TYPED]
    assert shown["passwords"][0]["proven_at"] is not None
    assert "sealed" not in shown["passwords"][0]
    plain = keyturn("reveal", deploy(running), "--reason", "a test")
    assert plain.out.startswith(f"1. {TYPED}\n   version ")
    assert keyturn("accounts", "show", deploy(running), "--json").json["status"] == "in_sync"


def test_a_password_that_would_be_guessed_is_set_with_a_warning(keyturn: Keyturn, running: Site) -> None:
    done = keyturn("reset", deploy(running), "--stdin", stdin="Deploy-2026\n")
    assert (done.status, "would be guessed" in done.out + done.err) == (0, True)
    assert running.live() == b"Deploy-2026"
    done = keyturn("reset", deploy(running), "--stdin", stdin=TYPED + "\n")
    assert (done.status, "would be guessed" in done.out + done.err) == (0, False)


def test_a_step_is_a_plain_line_where_there_is_no_terminal(keyturn: Keyturn, running: Site) -> None:
    running.stop_agent()
    done = keyturn("reset", deploy(running), "--generate", "--wait-seconds", "0.5")
    assert (done.status, "waits for the agent" in done.err) == (4, True)
    assert "\x1b" not in done.out + done.err
    task = keyturn("tasks", "list", "--json").json[0]
    assert f"keyturn tasks show {task['id']}" in done.out
    assert keyturn("tasks", "show", task["id"]).status == 4
    assert keyturn("reset", deploy(running), "--generate").status == 3  # one task holds the account
    done = keyturn("tasks", "cancel", task["id"])
    assert (done.status, "Cancelled" in done.out) == (0, True)
    assert keyturn("tasks", "show", task["id"]).status == 3
    assert keyturn("tasks", "cancel", task["id"]).status == 3


def test_a_generated_password_has_the_length_and_letters_that_were_asked_for(keyturn: Keyturn, running: Site) -> None:
    words = ("--generate", "--length", "40", "--alphabet", "letters-digits")
    task = keyturn("reset", deploy(running), *words, "--json", "--note", "why not").json
    assert (task["state"], task["open"], task["note"]) == ("done", False, "why not")
    assert len(running.live()) == 40
    assert running.live().isalnum()


def test_who_does_not_wait_gets_the_task(keyturn: Keyturn, running: Site) -> None:
    running.stop_agent()
    task = keyturn("reset", deploy(running), "--generate", "--no-wait", "--json").json
    assert task["open"]


def test_a_refusal_says_why_and_what_to_do(keyturn: Keyturn, running: Site) -> None:
    running.machine.backend.refuse = SetAnswer(SetOutcome.REFUSED, Reason.DISK_FULL, "no space \x1b[2J left")
    done = keyturn("reset", deploy(running), "--generate")
    assert done.status == 3
    assert "The host says: no space" in done.out
    assert "\x1b" not in done.out  # a host cannot steer the terminal


def test_a_password_that_does_not_open_is_its_own_status(keyturn: Keyturn, running: Site) -> None:
    assert keyturn("reset", deploy(running), "--generate").status == 0
    running.machine.backend._kept["deploy"].password = Secret("changed-on-the-host")
    done = keyturn("verify", deploy(running))
    assert (done.status, "Does not open" in done.out) == (5, True)


def test_a_pipe_that_holds_no_password_sends_nothing(keyturn: Keyturn, running: Site) -> None:
    for stdin, word in (
        (b"", "empty"),
        (b"\n", "at least one byte"),
        (b"x" * 600, "511"),
        (b"two\nlines\n", "line feed"),
        (b"a\rb\n", "carriage return"),
        (b"a\0b\n", "NUL"),
        (b"\xff\xfe\n", "UTF-8"),
    ):
        done = keyturn("reset", deploy(running), "--stdin", stdin=stdin)
        assert (done.status, word in done.err, done.err.count("\n")) == (2, True, 1), (stdin, done.err)
    assert keyturn("tasks", "list", "--json").json == []


def test_a_windows_line_end_is_no_part_of_the_password(keyturn: Keyturn, running: Site) -> None:
    assert keyturn("reset", deploy(running), "--stdin", stdin=f"{TYPED}\r\n").status == 0
    assert running.live() == TYPED.encode()


def test_what_no_screen_shows_is_shown_as_escapes(keyturn: Keyturn, running: Site) -> None:
    assert keyturn("reset", deploy(running), "--stdin", stdin="bell\a-and-\x1b[2J").status == 0
    done = keyturn("reveal", deploy(running), "--reason", "a test")
    assert "'bell\\x07-and-\\x1b[2J'" in done.out
    assert keyturn("reveal", deploy(running), "--reason", "a test", "--json").json["passwords"][0]["password"] == (
        "bell\a-and-\x1b[2J"
    )


def test_each_password_that_may_be_live_is_shown_newest_first(keyturn: Keyturn, running: Site) -> None:
    assert keyturn("reset", deploy(running), "--stdin", stdin="The-one-before-1").status == 0
    running.machine.backend.dies = "after"
    assert keyturn("reset", deploy(running), "--stdin", "--no-wait", stdin="The-one-after-22").status == 0
    running.over.call(running.machine.dies())
    done = keyturn("reveal", deploy(running), "--reason", "a test")
    lines = done.out.splitlines()
    assert lines[0] == "2 passwords may be live, newest first:"
    assert (lines[1], lines[3]) == ("1. The-one-after-22", "2. The-one-before-1")
    assert "never proven" in lines[2]
    assert "never proven" not in lines[4]


def test_what_the_server_refuses_is_one_line(keyturn: Keyturn, running: Site) -> None:
    done = keyturn("verify", f"{running.host}/root")
    assert done.status == 3
    assert done.err.startswith("keyturn: ")
    assert done.err.count("\n") == 1


class Interrupted(httpx.BaseTransport):
    """A person who presses Ctrl-C as soon as the command listens for changes."""

    def __init__(self, seam: httpx.BaseTransport) -> None:
        self._seam = seam

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/events":
            raise KeyboardInterrupt
        return self._seam.handle_request(request)


def test_who_leaves_while_it_waits_learns_where_to_look(
    keyturn: Keyturn, running: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.stop_agent()
    monkeypatch.setattr(keyturn, "_seam", Interrupted(running.seam))
    done = keyturn("reset", deploy(running), "--generate")
    (task,) = keyturn("tasks", "list", "--json").json
    assert (done.status, f"keyturn tasks show {task['id']}" in done.err) == (4, True)


def test_who_knows_the_live_password_states_it_and_nothing_is_set(keyturn: Keyturn, running: Site) -> None:
    before = running.live()
    wrong = keyturn("adopt", deploy(running), "--stdin", stdin="not-this-one\n")
    assert (wrong.status, "does not open the account" in wrong.out) == (3, True)
    assert keyturn("accounts", "show", deploy(running), "--json").json["status"] == "unmanaged"
    right = keyturn("adopt", deploy(running), "--stdin", stdin=before.decode() + "\n")
    assert (right.status, "nothing was set" in right.out) == (0, True)
    assert keyturn("accounts", "show", deploy(running), "--json").json["status"] == "in_sync"
    shown = keyturn("reveal", deploy(running), "--reason", "a test", "--json").json
    assert [each["password"] for each in shown["passwords"]] == [before.decode()]
    assert running.live() == before
    again = keyturn("adopt", deploy(running), "--stdin", stdin=before.decode() + "\n")
    assert (again.status, "proven the live password" in again.err) == (3, True)
