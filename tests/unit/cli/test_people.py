"""Setting up, signing in and out, and what is kept of it."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.cli import ask
from libs.client.errors import RefusedError
from libs.wire.agent_api import Problem
from libs.wire.secret import Secret
from tests.unit.api.world import World, make_world
from tests.unit.cli.terminal import Keyturn
from tests.unit.client.machines import SERVER, Site
from tests.unit.client.seam import Beside, Seam, beside
from tests.unit.whole.composition import PERSON, PERSONS_PASSWORD

PASSWORD = "A-first-password-1"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Beside[World]]:
    """A server that nobody has set up."""
    with beside(make_world(tmp_path)) as over:
        assert over.call(over.value.gateway.setup.prepare())
        yield over


@pytest.fixture
def first(
    fresh: Beside[World], config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Keyturn:
    """The command, that knows of no server yet."""
    assert not config.exists()
    return Keyturn(monkeypatch, capsys, Seam(fresh.value.gateway.app, fresh.loop))


def code_file(fresh: Beside[World]) -> Path:
    return fresh.value.private / "setup-code"


def test_the_code_comes_from_a_file(first: Keyturn, fresh: Beside[World]) -> None:
    assert "keyturn setup" in first("--server", SERVER, "about").out
    words = ("--server", SERVER, "setup", "ada", "--code-file", str(code_file(fresh)), "--stdin", "--json")
    made = first(*words, stdin=PASSWORD + "\n").json
    assert (made["user"]["name"], made["user"]["role"]) == ("ada", "administrator")
    assert "token" not in made
    assert first("whoami", "--json").json["user"]["name"] == "ada"
    again = first(*words, stdin=PASSWORD + "\n")
    assert (again.status, "set-up code" in again.err) == (2, True)  # the file is gone with the code


def test_a_first_password_that_would_be_guessed_is_refused(first: Keyturn, fresh: Beside[World]) -> None:
    words = ("--server", SERVER, "setup", "ada", "--code-file", str(code_file(fresh)), "--stdin")
    done = first(*words, stdin="Ada-Keyturn-1\n")
    assert (done.status, "This password would be guessed" in done.err) == (2, True), done.err
    assert "Ada-Keyturn-1" not in done.out + done.err
    assert first(*words, stdin=PASSWORD + "\n").status == 0


def test_the_code_comes_by_a_pipe_before_the_password(first: Keyturn, fresh: Beside[World]) -> None:
    code = code_file(fresh).read_text()
    done = first("--server", SERVER, "setup", "ada", "--stdin", stdin=code)
    assert (done.status, "lines" in done.err or "at least one byte" in done.err) == (2, True), done.err
    done = first("--server", SERVER, "setup", "ada", "--stdin", stdin="aaaaa-aaaaa-aaaaa-aaaaa-aaaaa-a\n" + PASSWORD)
    assert (done.status, "Tries left: 4" in done.err) == (7, True), done.err
    done = first("--server", SERVER, "setup", "ada", "--stdin", stdin=code + PASSWORD + "\n")
    assert done.status == 0, done.err
    assert first("logout").status == 0
    assert first("login", "ada", "--stdin", stdin=PASSWORD + "\n").status == 0


def test_the_session_is_kept_for_its_owner_alone(keyturn: Keyturn, config: Path) -> None:
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.parent.stat().st_mode) == 0o700
    kept = json.loads(config.read_text())["profiles"]["default"]
    assert kept["server"] == SERVER
    assert PERSONS_PASSWORD not in config.read_text()
    assert f"{PERSON} (administrator)" in keyturn("whoami").out
    config.chmod(0o644)  # a careless copy is mended by the next sign-in
    keyturn.signs_in()
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert keyturn("logout", "--json").json == {"signed_out": True}
    assert json.loads(config.read_text())["profiles"]["default"]["token"] is None
    done = keyturn("whoami")
    assert (done.status, done.err) == (7, "keyturn: You are not signed in: keyturn login\n")


def test_profiles_do_not_meet(keyturn: Keyturn, config: Path) -> None:
    done = keyturn("--profile", "other", "whoami")
    assert (done.status, "--server" in done.err) == (2, True)
    words = ("--profile", "other", "--server", SERVER, "login", PERSON, "--stdin")
    assert keyturn(*words, stdin=PERSONS_PASSWORD).status == 0
    assert keyturn("--profile", "other", "logout").status == 0
    assert keyturn("whoami").status == 0
    assert set(json.loads(config.read_text())["profiles"]) == {"default", "other"}


def test_the_environment_names_another_server(keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYTURN_SERVER", "nonsense")
    assert keyturn("whoami").status == 2
    assert keyturn("--server", SERVER, "whoami").status == 0
    monkeypatch.setenv("KEYTURN_SERVER", SERVER)
    assert keyturn("whoami").status == 0


@pytest.mark.parametrize("text", ["", "[]", '{"profiles": {"default": 7}}', '{"profiles": {"default": {"x": 1}}}'])
def test_a_damaged_file_is_named_and_kept(keyturn: Keyturn, config: Path, text: str) -> None:
    config.write_text(text)
    done = keyturn("--server", SERVER, "login", PERSON, "--stdin", stdin=PERSONS_PASSWORD)
    assert (done.status, str(config) in done.err) == (1, True)
    assert config.read_text() == text


def test_a_wrong_password_and_an_ended_session(keyturn: Keyturn, running: Site, config: Path) -> None:
    done = keyturn("login", PERSON, "--stdin", stdin="not-the-password\n")
    assert done.status == 7
    assert "keyturn login" not in done.err  # that is what was just done
    assert "not-the-password" not in done.err
    kept = config.read_text()
    assert keyturn("logout").status == 0
    config.write_text(kept)
    done = keyturn("whoami")
    assert (done.status, done.err.endswith("Sign in: keyturn login\n")) == (7, True)
    done = keyturn("login", "--stdin", stdin=PERSONS_PASSWORD)
    assert (done.status, "NAME" in done.err) == (2, True)
    assert running.seam.asked


def test_a_person_is_added_who_may_less(keyturn: Keyturn) -> None:
    added = keyturn("users", "add", "eve", "--stdin", "--json", stdin=PASSWORD + "\n").json
    assert (added["name"], added["role"]) == ("eve", "user")
    assert {each["name"] for each in keyturn("users", "list", "--json").json} == {PERSON, "eve"}
    done = keyturn("users", "add", "eve", "--stdin", stdin=PASSWORD)
    assert done.status == 3
    done = keyturn("users", "add", "Not A Name", "--stdin", stdin=PASSWORD)
    assert (done.status, "name" in done.err) == (2, True)
    done = keyturn("users", "add", "ben", "--stdin", stdin="short")
    assert (done.status, "12" in done.err) == (2, True)
    assert keyturn("login", "eve", "--stdin", stdin=PASSWORD).status == 0
    assert keyturn("audit").status == 7
    assert keyturn("users", "add", "ben", "--stdin", stdin=PASSWORD).status == 7
    assert keyturn("resources", "list", "--json").json == []


def test_who_signed_in_longer_ago_says_again_who_they_are(first: Keyturn, fresh: Beside[World]) -> None:
    words = ("--server", SERVER, "setup", "ada", "--code-file", str(code_file(fresh)), "--stdin")
    assert first(*words, stdin=PASSWORD + "\n").status == 0
    fresh.value.clock.skip(300)
    adds = ("users", "add", "ben")
    refused = first(*adds, "--stdin", stdin="a pass phrase for ben\n")
    assert (refused.status, "keyturn confirm --stdin" in refused.err) == (7, True), refused.err
    wrong = first("confirm", "--stdin", stdin="not-adas-password\n")
    assert (wrong.status, "This is not your password." in wrong.err) == (2, True), wrong.err
    said = first("confirm", "--stdin", stdin=PASSWORD + "\n")
    assert (said.status, "not asked again" in said.out) == (0, True), said.err
    assert first(*adds, "--stdin", stdin="a pass phrase for ben\n").status == 0
    assert first("confirm", "--stdin", "--json", stdin=PASSWORD + "\n").json == {"confirmed": True}


def test_on_a_terminal_the_password_is_asked_for_and_the_code_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prompts: list[str] = []
    sent: list[tuple[bytes, bytes | None]] = []

    def typed(prompt: str, *, stdin: bool) -> Secret:
        assert not stdin
        prompts.append(prompt)
        return Secret("123456" if "Code" in prompt else PASSWORD)

    def confirm(password: Secret, code: Secret | None) -> None:
        sent.append((password.reveal(), None if code is None else code.reveal()))
        if code is None:
            raise RefusedError(Problem(title="No", status=422, code="code_needed"))

    monkeypatch.setattr(ask, "secret", typed)
    ask.again(confirm)
    assert sent == [(PASSWORD.encode(), None), (PASSWORD.encode(), b"123456")]
    assert ["again" in prompts[0], "Code" in prompts[1], len(prompts)] == [True, True, 2]
