"""Looking at things: names, tables, and the JSON that scripts read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from libs.broker.topology import QueueName
from libs.cli.show import ago, printable
from libs.wire.ids import Noun, new_id
from libs.wire.requests import ComposeContent
from tests.unit.api.test_packages import TAIL, composed, publish
from tests.unit.api.world import PASSWORD, World, make_world
from tests.unit.cli.terminal import Keyturn
from tests.unit.client.machines import SERVER, Site
from tests.unit.client.seam import Seam, beside


def test_an_account_is_found_by_its_name_and_by_its_identifier(keyturn: Keyturn, running: Site) -> None:
    (resource,) = keyturn("resources", "list", "--json").json
    assert (resource["name"], resource["owner"]["name"]) == (running.host, "ops")
    assert keyturn("resources", "show", running.host, "--json").json["id"] == resource["id"]
    assert keyturn("resources", "show", resource["id"], "--json").json["name"] == running.host
    accounts = keyturn("accounts", "list", running.host, "--json").json
    assert [each["name"] for each in accounts] == ["deploy", "root"]
    by_name = keyturn("accounts", "show", f"{running.host}/root", "--json").json
    by_id = keyturn("accounts", "show", by_name["id"], "--json").json
    assert by_id["id"] == by_name["id"] == accounts[1]["id"]
    assert (by_id["status"], by_id["versions"]) == ("unmanaged", [])


@pytest.mark.parametrize("json", [(), ("--json",)])
def test_every_table_has_its_facts(keyturn: Keyturn, running: Site, json: tuple[str, ...]) -> None:
    assert keyturn("reset", f"{running.host}/deploy", "--generate", *json).status == 0
    for words, expected in (
        (("about",), "Keyturn"),
        (("users", "list"), "ops"),
        (("resources", "list"), running.host),
        (("resources", "show", running.host), "linux"),
        (("accounts", "list", running.host), "deploy"),
        (("accounts", "show", f"{running.host}/deploy"), "proven"),
        (("tasks", "list"), "deploy"),
        (("tasks", "list", "--all", "--account", f"{running.host}/deploy"), "reset"),
        (("notifications",), "deploy"),
        (("packages", "list"), "[" if json else "No package was built yet."),
        (("agents",), running.host),
        (("audit",), "reset.requested"),
        (("audit", "--account", f"{running.host}/deploy"), "reset.requested"),
    ):
        done = keyturn(*words, *json)
        assert (done.status, expected in done.out) == (0, True), (words, done.out, done.err)
        if json:
            assert done.json is not None


def test_a_name_that_nothing_has_says_where_to_look(keyturn: Keyturn, running: Site) -> None:
    done = keyturn("verify", "elsewhere/root")
    assert (done.status, "See: keyturn resources" in done.err) == (8, True)
    done = keyturn("verify", f"{running.host}/nobody")
    assert (done.status, f"keyturn accounts list {running.host}" in done.err) == (8, True)
    assert keyturn("accounts", "show", new_id(Noun.ACCOUNT)).status == 8
    assert keyturn("tasks", "show", new_id(Noun.TASK)).status == 8


def test_two_machines_of_one_name_are_told_apart_by_identifier(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def two(world: World) -> list[str]:
        ben = await world.user("ben")
        found = [(await world.machine(ben, "web"))[0] for _ in range(2)]
        return [(await world.account(each)).id for each in found]

    with beside(make_world(tmp_path)) as over:
        first, second = over.call(two(over.value))
        keyturn = Keyturn(monkeypatch, capsys, Seam(over.value.gateway.app, over.loop))
        assert keyturn("--server", SERVER, "login", "ben", "--stdin", stdin=PASSWORD).status == 0
        done = keyturn("accounts", "show", "web/root")
        assert (done.status, "identifier" in done.err) == (2, True)
        for key in (first, second):
            assert keyturn("accounts", "show", key, "--json").json["id"] == key
    assert config.exists()


def test_a_package_is_built_and_checked(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "agent.zip"
    with beside(make_world(tmp_path)) as over:
        world = over.value
        over.call(world.user("ben"))
        over.call(publish(world))
        keyturn = Keyturn(monkeypatch, capsys, Seam(world.gateway.app, over.loop))
        assert keyturn("--server", SERVER, "login", "ben", "--stdin", stdin=PASSWORD).status == 0
        answering = world.answering(QueueName.PACKAGES, composed)
        heard = over.call(answering.__aenter__())
        words = ("packages", "build", "linux", "--user-name", "ben", "-o", str(target))
        bounded = ("--host-pattern", "dmz-*", "--network", "10.20.0.0/16", "--network", "192.0.2.0/24", "--approval")
        built = keyturn(*words, "--uses", "3", "--hours", "2", *bounded, "--json").json
        plain = keyturn(*words).out
        over.call(answering.__aexit__(None, None, None))
    assert target.read_bytes().endswith(TAIL)
    assert (built["path"], built["size"]) == (str(target), target.stat().st_size)
    assert built["sha256"] in plain
    assert "sh installAgent-service.sh install" in plain
    asked = heard[0].content
    assert isinstance(asked, ComposeContent)
    assert (asked.bounds.uses, asked.bounds.lifetime_seconds, asked.package) == (3, 7_200, built["id"])
    assert (asked.bounds.host_pattern, asked.bounds.networks) == ("dmz-*", ("10.20.0.0/16", "192.0.2.0/24"))
    assert asked.bounds.approval
    assert config.exists()


def test_how_long_ago_is_in_words() -> None:
    now = datetime(2025, 11, 25, tzinfo=UTC)
    for seconds, text in (
        (-5, "just now"),
        (3, "3 s ago"),
        (89, "89 s ago"),
        (1_140, "19 min ago"),
        (10_800, "3 h ago"),
    ):
        assert ago(now - timedelta(seconds=seconds), now) == text
    assert ago(now - timedelta(days=9), now) == "9 days ago"
    assert ago(None) == "never"


def test_nothing_steers_the_terminal() -> None:
    assert printable("a\x1b]0;title\x07\r\nb é 日本") == "a�]0;title���b é 日本"


def test_a_narrow_terminal_leaves_identifiers_whole(
    keyturn: Keyturn, running: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert keyturn("reset", f"{running.host}/deploy", "--generate").status == 0
    (task,) = keyturn("tasks", "list", "--json").json
    monkeypatch.setenv("COLUMNS", "80")
    narrow = keyturn("tasks", "list").out
    assert (task["id"] in narrow, task["sentence"] in narrow) == (True, False)
    monkeypatch.setenv("COLUMNS", "160")
    assert task["id"] in keyturn("notifications").out
    assert "what became of it" in keyturn("notifications").out
