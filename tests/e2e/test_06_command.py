"""Story 6: the command `keyturn`, as a person and as a script: what it prints, what it returns, what it never takes."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.site import PASSWORD, PERSON, Site, until

pytestmark = [pytest.mark.real, pytest.mark.host]


class Command:
    """`keyturn` in a process of its own, with a configuration of its own."""

    def __init__(self, site: Site, config: Path) -> None:
        self.site, self.config = site, config

    def __call__(self, *words: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "libs.cli", *words],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.site.root,
            env={"PATH": os.environ["PATH"], "HOME": str(self.config.parent), "KEYTURN_CONFIG": str(self.config)},
            timeout=120,
        )

    def json(self, *words: str) -> object:
        """The answer of a command that did what it should."""
        done = self(*words, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def keyturn(running: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    command = Command(running, tmp_path_factory.mktemp("person") / "keyturn" / "config.json")
    at = ("--server", running.server.gateway_url, "--ca", str(running.server.ca_file))
    done = command(*at, "login", PERSON, "--stdin", stdin=PASSWORD.reveal().decode() + "\n")
    assert done.returncode == 0, done.stderr
    yield command
    assert command("logout").returncode == 0
    assert command("whoami").returncode != 0


def test_a_session_is_kept_for_its_owner_alone(keyturn: Command) -> None:
    assert stat.S_IMODE(keyturn.config.stat().st_mode) == 0o600
    assert stat.S_IMODE(keyturn.config.parent.stat().st_mode) == 0o700
    assert PERSON in keyturn("whoami").stdout


def test_a_password_goes_its_whole_way(keyturn: Command, running: Site) -> None:
    running.add_account("bycommand")
    name = f"{running.host.name}/bycommand"
    assert "bycommand" in keyturn("accounts", "list", running.host.name).stdout
    done = keyturn("reset", name, "--stdin", stdin="Typed-into-a-pipe-1\n")
    assert done.returncode == 0, done.stderr
    assert "Typed-into-a-pipe-1" not in done.stdout + done.stderr
    assert running.host.opens("bycommand", b"Typed-into-a-pipe-1")
    assert keyturn("verify", name).returncode == 0
    shown = keyturn.json("reveal", name, "--reason", "a test")
    assert isinstance(shown, dict)
    assert [each["password"] for each in shown["passwords"]] == ["Typed-into-a-pipe-1"]
    assert keyturn("reset", name, "--generate", "--length", "32").returncode == 0
    (fresh,) = running.revealed(running.client.account(shown["account"]))
    assert len(fresh) == 32
    running.host.run(["chpasswd"], input=b"bycommand:changed-on-the-host\n")
    # Keyturn sees the change and compares by itself; the person's own question comes after that.
    account = running.client.account(shown["account"])
    until(lambda: running.account(account).status == "drift" or None, "the drift")
    assert keyturn("verify", name).returncode == 5


def test_everything_can_be_looked_at(keyturn: Command, running: Site) -> None:
    def look(words: tuple[str, ...]) -> None:
        assert keyturn.json(*words) is not None
        plain = keyturn(*words)
        assert plain.returncode == 0, plain.stderr
        assert plain.stdout.strip()

    pages = (
        ("about",),
        ("users", "list"),
        ("resources", "list"),
        ("resources", "show", running.host.name),
        ("accounts", "list", running.host.name),
        ("accounts", "show", f"{running.host.name}/root"),
        ("tasks", "list"),
        ("notifications",),
        ("packages", "list"),
        ("agents",),
        ("audit",),
    )
    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(look, pages))) == len(pages)


def test_a_package_is_there_whole_or_not_at_all(keyturn: Command, tmp_path: Path) -> None:
    target = tmp_path / "agent.zip"
    built = keyturn.json("packages", "build", "linux", "--user-name", PERSON, "-o", str(target), "--server-name", "x")
    assert isinstance(built, dict)
    assert target.stat().st_size == built["size"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    done = keyturn("packages", "build", "linux", "--user-name", "nobody", "-o", str(tmp_path / "none.zip"))
    assert done.returncode != 0
    assert [path.name for path in tmp_path.glob("*none*")] == []


@pytest.mark.parametrize(
    ("words", "status", "word"),
    [
        (("reset", "no-slash", "--generate"), 2, "RESOURCE/NAME"),
        (("reset", "elsewhere/root", "--generate"), 8, "keyturn resources"),
        (("accounts", "show", "acc_" + "a" * 26), 8, "not"),
        (("tasks", "show", "tsk_nonsense"), 2, "task"),
        (("packages", "build", "solaris", "--user-name", "ops"), 2, "windows"),
        (("--server", "https://127.0.0.1:9", "about"), 9, "cannot be reached"),
        (("--ca", "/etc/hostname", "about"), 2, "server-ca.pem"),
        (("reset", "x/y", "--generate", "--stdin"), 2, "not both"),
        (("no-such-command",), 2, "No such command"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_a_status(
    keyturn: Command, words: tuple[str, ...], status: int, word: str
) -> None:
    done = keyturn(*words)
    assert done.returncode == status, done.stderr
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_a_pipe_without_a_password_sends_nothing(keyturn: Command, running: Site) -> None:
    done = keyturn("reset", f"{running.host.name}/root", "--stdin")
    assert (done.returncode, "empty" in done.stderr) == (2, True)
    done = keyturn("reset", f"{running.host.name}/root", "--stdin", stdin="x" * 600 + "\n")
    assert (done.returncode, "511" in done.stderr) == (2, True)
