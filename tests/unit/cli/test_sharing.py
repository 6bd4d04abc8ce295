"""Sharing, groups, roles and owners from the command, on the whole system."""

from tests.unit.cli.terminal import Keyturn
from tests.unit.client.machines import Site
from tests.unit.whole.composition import PERSON

PASSWORD = "A-first-password-1"


def test_a_machine_is_shared_through_a_group_and_handed_over(keyturn: Keyturn, running: Site) -> None:
    assert keyturn("users", "add", "eve", "--stdin", stdin=PASSWORD).status == 0
    assert "keyturn groups join ops" in keyturn("groups", "add", "ops").out
    assert keyturn("groups", "join", "ops", "eve").status == 0
    assert [each["name"] for each in keyturn("groups", "show", "ops", "--json").json] == ["eve"]
    assert [each["name"] for each in keyturn("groups", "--json").json] == ["ops"]
    shared = keyturn("shares", "add", running.host, "--group", "ops", "--level", "see")
    assert f"{running.host}: everybody in ops may see it." in shared.out
    one = keyturn("shares", "add", f"{running.host}/deploy", "--person", "eve", "--level", "use", "--json").json
    assert [each["level"] for each in keyturn("shares", "list", running.host, "--json").json] == ["see", "use"]
    assert keyturn("login", "eve", "--stdin", stdin=PASSWORD).status == 0
    assert [each["name"] for each in keyturn("resources", "--json").json] == [running.host]
    assert keyturn("reset", f"{running.host}/deploy", "--generate").status == 0
    refused = keyturn("reset", f"{running.host}/root", "--generate")
    assert (refused.status, "Ask its owner" in refused.err) == (7, True)
    assert keyturn("shares", "list", running.host).status == 7
    keyturn.signs_in()
    assert keyturn("shares", "remove", one["id"]).status == 0
    assert keyturn("resources", "hand-over", running.host, "--to", "nobody").status == 2
    assert f"{running.host} is under eve now." in keyturn("resources", "hand-over", running.host, "--to", "eve").out
    assert keyturn("groups", "leave", "ops", "eve").status == 0
    assert keyturn("groups", "leave", "ops", "eve").status == 8
    assert keyturn("groups", "remove", "ops").status == 0
    changed = keyturn("users", "change", "eve", "--role", "auditor", "--keep-out", "--json").json
    assert (changed["role"], changed["disabled"]) == ("auditor", True)
    assert keyturn("login", "eve", "--stdin", stdin=PASSWORD).status == 7
    assert keyturn("users", "change", PERSON, "--role", "user").status == 3
    assert "Access tokens go on" in keyturn("users", "sign-out", "eve").out
    assert keyturn("users", "sign-out", "eve", "--json").json == {"signed_out": "eve"}
    assert keyturn("users", "sign-out", "nobody").status == 8


def test_what_makes_no_sense_is_said(keyturn: Keyturn) -> None:
    for words, word in (
        (("shares", "add", "x", "--level", "own", "--person", "eve"), "see, use or manage"),
        (("shares", "add", "x", "--level", "see"), "--group"),
        (("shares", "remove", "x"), "shr_"),
        (("users", "change", "eve"), "--role"),
        (("users", "change", "eve", "--role", "emperor"), "auditor"),
        (("users", "add", "zoe", "--role", "emperor", "--stdin"), "operator"),
    ):
        done = keyturn(*words)
        assert (done.status, word in done.err) == (2, True), words
    assert keyturn("groups", "show", "nowhere").status == 8
    assert keyturn("shares", "list", "nowhere").status == 8
