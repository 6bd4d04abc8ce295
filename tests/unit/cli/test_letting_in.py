"""Letting machines in: tokens, the queue and incidents as a person at a terminal meets them."""

from pathlib import Path

from libs.wire.ids import Noun, new_id
from tests.unit.cli.terminal import Keyturn
from tests.unit.client.machines import ACCOUNTS, OLD, Site
from tests.unit.whole.test_revocation import ends


def test_a_machine_waits_is_shown_and_let_in(keyturn: Keyturn, running: Site) -> None:
    assert "No machine waits." in keyturn("enrolments", "list").out

    async def second() -> None:
        token = await running.whole.token(approval=True)
        machine = await running.whole.machine("second", [(each, OLD) for each in ACCOUNTS], token=token)
        machine.start()
        await running.whole.until("it to wait", "/v1/enrolments", lambda seen: seen["items"])
        assert (await running.whole.person.get("/v1/resources")).json()["items"][1:] == []
        found.append(machine)

    found: list[object] = []
    running.over.call(second())
    (machine,) = found
    shown = keyturn("enrolments", "list").out
    (waiting,) = keyturn("enrolments", "list", "--json").json
    assert waiting["id"] in shown
    assert "to be added under ops" in shown
    assert "Approved by ops" in keyturn("enrolments", "approve", waiting["id"]).out
    denied = keyturn("enrolments", "deny", waiting["id"])
    assert (denied.status, "approved by ops already" in denied.err) == (3, True)
    two = running.whole.until("the resource", "/v1/resources", lambda seen: len(seen["items"]) == 2)
    running.over.call(two)
    assert "No machine waits." in keyturn("enrolments", "list").out
    assert waiting["id"] in keyturn("enrolments", "list", "--all").out
    running.over.call(machine.stop())  # type: ignore[attr-defined]


def test_tokens_are_listed_and_revoked(keyturn: Keyturn, running: Site) -> None:
    key = new_id(Noun.TOKEN)
    running.over.call(
        running.whole.token(id=key, host_pattern="dmz-*", networks=("10.20.0.0/16",), uses=5, uses_left=4)
    )
    shown = keyturn("packages", "tokens").out
    for words in (key, "4 of 5", "named dmz-*", "in 10.20.0.0/16", "active"):
        assert words in shown
    assert "admits nobody any more" in keyturn("packages", "revoke", key).out
    states = {each["id"]: each["state"] for each in keyturn("packages", "tokens", "--json").json}
    assert states[key] == "revoked"
    assert keyturn("packages", "revoke", "dmz-web-01").status == 2
    assert keyturn("packages", "revoke", new_id(Noun.TOKEN)).status == 8


def test_an_incident_is_told_with_what_to_do(keyturn: Keyturn, running: Site) -> None:
    assert "Nothing has happened" in keyturn("incidents").out

    async def copied() -> None:
        token = (running.machine.folder / "package" / "token").read_text()
        machine = await running.whole.machine("copy", [(each, OLD) for each in ACCOUNTS], token=token)
        machine.start()
        await running.whole.until("the incident", "/v1/incidents", lambda seen: seen["items"])
        await machine.stop()

    running.over.call(copied())
    shown = keyturn("incidents").out
    assert "token_used_by_another_key" in shown
    assert "build another package" in shown
    (incident,) = keyturn("incidents", "--json").json
    assert incident["kind"] == "token_used_by_another_key"
    assert incident["id"] in keyturn("incidents").out
    assert keyturn("incidents", "close", incident["id"]).status == 2  # why?
    assert "Closed by ops" in keyturn("incidents", "close", incident["id"], "--reason", "our own test").out
    assert "Nothing has happened" in keyturn("incidents").out
    assert "our own test" in keyturn("incidents", "--all").out


def test_a_package_for_a_machine_that_is_not_there_is_not_asked_for(
    keyturn: Keyturn, running: Site, tmp_path: Path
) -> None:
    del running
    words = ("packages", "build", "linux", "--user-name", "ops", "-o", str(tmp_path / "agent.zip"))
    assert keyturn(*words, "--for-resource", "elsewhere").status == 8
    wrong = keyturn(*words, "--network", "10.0.0.5/8")
    assert (wrong.status, "10.20.0.0/16" in wrong.err) == (2, True)
    assert list(tmp_path.glob("*.zip")) == []


def test_an_agent_is_revoked_by_its_machines_name(keyturn: Keyturn, running: Site) -> None:
    assert "right" in keyturn("agents").out
    assert keyturn("agents", "revoke", running.host).status == 2  # why?
    assert keyturn("agents", "revoke", "nowhere", "--reason", "x").status == 8
    shown = keyturn("agents", "revoke", running.host, "--reason", "the machine was stolen").out
    assert "is revoked" in shown
    assert f"--for-resource {running.host}" in shown
    (agent,) = keyturn("agents", "--json").json
    assert agent["state"] == "revoked"
    assert keyturn("agents", "revoke", agent["id"], "--reason", "again", "--json").json["state"] == "revoked"
    assert "revoked" in keyturn("agents").out
    running.over.call(ends(running.machine))  # by itself, when it next asks
