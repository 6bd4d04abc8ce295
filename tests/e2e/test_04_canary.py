"""Story 4: the canary. First the hunt proves that it sees, then a known password goes through the whole system."""

import pytest

from tests.e2e.hunt import Watch, aside, places, planted, seen, send_unreadable, store_of
from tests.e2e.site import PASSWORD, PERSON, Site, until

pytestmark = [pytest.mark.real, pytest.mark.host]

CANARY = "Canary-9f3b7c2e-Tweet"
PLANT = "Planted-51d0a6e4-Seed"


def test_the_hunt_sees_what_is_planted_in_each_place_and_form(running: Site) -> None:
    """And a message that nobody can read goes aside at the first try, without its neighbours."""
    plants = planted(PLANT)
    logs, stored = running.server.logs, running.server.state / "store"
    on_the_host = "/var/lib/keyturn-agent/journal"
    before = aside(running)
    send_unreadable(running, plants.values())
    until(lambda: aside(running) == before + len(plants) or None, "the messages to go aside")
    assert running.resets(running.add_account("neighbour")).state == "done"
    with store_of(running.server) as store:
        requests = store["desk"]["requests"]
        try:
            for form, content in plants.items():
                (logs / f"planted.{form}").write_bytes(content)
                (stored / f"planted.{form}").write_bytes(content)
                requests.insert_one({"_id": f"planted.{form}", "taken": True, "note": [{"deep": content}]})
                running.host.write(f"{on_the_host}/planted.{form}", content)
            running.host.run(["logger", PLANT])
            found = set(seen(places(running), PLANT))
        finally:
            for form in plants:
                (logs / f"planted.{form}").unlink()
                (stored / f"planted.{form}").unlink()
                running.host.run(["rm", f"{on_the_host}/planted.{form}"])
            requests.delete_many({"_id": {"$regex": "^planted"}})
    for form in plants:
        assert f"server logs/planted.{form}" in found
        assert f"server store/planted.{form}" in found
        assert f"document desk.requests planted.{form}" in found
        assert f"host {on_the_host}/planted.{form}" in found
    assert "host journal" in found
    kept = b"".join(path.read_bytes() for path in (running.server.state / "broker").rglob("*") if path.is_file())
    assert [form for form, content in plants.items() if content not in kept] == [], "the broker's own files"


def test_the_hunt_sees_a_process_that_lives_as_short_as_the_tool_that_sets_a_password(running: Site) -> None:
    with Watch(PLANT) as watch:
        running.host.run(["sh", "-c", f": {PLANT}; sleep 0.1; :"])
        running.host.run(["env", f"PLANTED={PLANT}", "sleep", "0.1"])
    assert watch.found == {(PLANT, "cmdline"), (PLANT, "environ")}


def test_a_password_that_went_through_the_whole_system_is_nowhere(running: Site) -> None:
    account = running.add_account("canary")
    responses: dict[str, bytes] = {}
    token = running.client.sign_in(PERSON, PASSWORD).token
    with Watch(CANARY) as watch, running.http() as http:
        http.headers["authorization"] = f"Bearer {token}"
        asked = http.post(f"/v1/accounts/{account.id}/reset", json={"password": CANARY})
        responses["the answer to the request"] = asked.content
        task = running.ends(running.client.task(asked.json()["task"]["id"]))
        assert task.state == "done"
        assert running.host.opens("canary", CANARY.encode())
        assert running.verifies(account).opens is True
        assert running.revealed(account) == [CANARY.encode()]
        # A host that refuses is quoted to people: its words must not carry the password either.
        running.host.run(["chattr", "+i", "/etc/shadow"])
        try:
            assert running.resets(account, CANARY + "-refused").state == "refused"
        finally:
            running.host.run(["chattr", "-i", "/etc/shadow"])
        for path in (
            f"/v1/accounts/{account.id}",
            f"/v1/resources/{account.resource.id}/accounts",
            f"/v1/tasks/{task.id}",
            "/v1/tasks",
            "/v1/notifications",
            "/v1/audit",
            "/v1/agents",
            "/v1/packages",
        ):
            responses[path] = http.get(path).content
        bad = http.post(f"/v1/accounts/{account.id}/reset", json={"password": CANARY + "\n", "unknown": CANARY})
        assert bad.is_client_error
        responses["a refused request"] = bad.content
    assert watch.looks > 10
    assert watch.found == set()
    assert seen(responses, CANARY) == []
    assert seen(places(running), CANARY) == []
