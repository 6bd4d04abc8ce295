"""The second factor and access tokens from the command."""

import base64

from services.api.factors.codes import code_at
from tests.unit.cli.terminal import Keyturn
from tests.unit.client.machines import Site
from tests.unit.whole.composition import PERSON, PERSONS_PASSWORD


def test_a_second_factor_is_begun_asked_for_and_ended(keyturn: Keyturn, running: Site) -> None:
    assert "You have none." in keyturn("second-factor").out
    begun = keyturn("second-factor", "begin", "--stdin", "--json", stdin=PERSONS_PASSWORD + "\n").json
    secret, now = base64.b32decode(begun["secret"]), running.whole.clock.now()
    shown = keyturn("second-factor", "confirm", "--stdin", stdin=code_at(secret, now) + "\n")
    assert (shown.status, "never shown again" in shown.out) == (0, True)
    first = next(line.strip() for line in shown.out.splitlines() if line.startswith("  "))
    assert keyturn("second-factor", "--json").json["recovery_left"] == 10
    missing = keyturn("login", PERSON, "--stdin", stdin=PERSONS_PASSWORD + "\n")
    assert (missing.status, "second factor" in missing.err) == (7, True)
    assert keyturn("login", PERSON, "--stdin", stdin=f"{PERSONS_PASSWORD}\n{first}\n").status == 0
    alone = keyturn("second-factor", "end", "--stdin", stdin=PERSONS_PASSWORD)
    assert (alone.status, "a line after it" in alone.err) == (2, True)
    assert keyturn("second-factor", "end", "--user", "nobody").status == 8
    assert keyturn("second-factor", "end", "--user", PERSON).status == 3


def test_a_program_goes_on_with_an_access_token(keyturn: Keyturn, running: Site) -> None:
    assert running.host
    wrong = keyturn("access-tokens", "add", "nightly", "--scope", "everything", "--stdin", stdin=PERSONS_PASSWORD)
    assert (wrong.status, "administer" in wrong.err) == (2, True)
    words = ("access-tokens", "add", "nightly", "--scope", "use", "--stdin", "--json")
    made = keyturn(*words, stdin=PERSONS_PASSWORD + "\n").json
    assert [each["name"] for each in keyturn("access-tokens", "--json").json] == ["nightly"]
    assert keyturn("login", "--access-token", "--stdin", stdin=made["token"] + "\n").status == 0
    assert keyturn("verify", f"{running.host}/root").status == 3  # there is nothing to compare yet
    refused = keyturn("users")
    assert (refused.status, "administer" in refused.err) == (7, True)
    keyturn.signs_in()
    assert keyturn("access-tokens", "end", made["id"]).status == 0
    assert keyturn("login", "--access-token", "--stdin", stdin=made["token"]).status == 7


def test_sessions_are_listed_and_ended_and_the_password_is_changed(keyturn: Keyturn) -> None:
    keyturn.signs_in()
    found = keyturn("sessions", "--json").json
    other = next(each["id"] for each in found if not each["here"])
    assert keyturn("sessions", "end", "x").status == 2
    assert keyturn("sessions", "end", other).status == 0
    assert "this one" in keyturn("sessions").out
    new = "Another-long-password-1"
    assert keyturn("password", "--stdin", stdin=f"{PERSONS_PASSWORD}\n{new}").status == 0
    assert keyturn("whoami").status == 0
    assert keyturn("login", PERSON, "--stdin", stdin=PERSONS_PASSWORD).status == 7
    assert keyturn("login", PERSON, "--stdin", stdin=new).status == 0
