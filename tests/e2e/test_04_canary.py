"""Story 4: the canary. First the hunt proves that it can see, then a known password goes through the whole system."""

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aio_pika
import httpx
import pytest
from pymongo import MongoClient

from libs.store.schema import CollectionName
from tests.e2e.site import FOLDER, PASSWORD, PERSON, Site, until

pytestmark = [pytest.mark.real, pytest.mark.host]

CANARY = "Canary-9f3b7c2e-Tweet"
PLANT = "Planted-51d0a6e4-Seed"


def forms(text: str) -> tuple[bytes, ...]:
    """What a leak may look like: plain, UTF-16, and base64 at each of its three alignments."""
    plain = text.encode()
    shifted = (base64.b64encode(b"x" * n + plain)[4 if n else 0 : -4] for n in range(3))
    return (plain, text.encode("utf-16-le"), plain.hex().encode(), *shifted)


def seen(places: Mapping[str, bytes], text: str) -> list[str]:
    """The places in which some form of the text is found."""
    return [place for place, content in places.items() if any(form in content for form in forms(text))]


class Hunt:
    """Every place on server and host where a password must not be."""

    def __init__(self, site: Site, responses: dict[str, bytes]) -> None:
        self.site, self.responses = site, responses

    def places(self) -> dict[str, bytes]:
        """Each place with what is in it now."""
        found = dict(self.responses)
        found.update(_files(self.site.server.state))
        found.update(_documents(self.site))
        found.update(_processes(Path("/proc"), "server"))
        for service in ("gateway", "scheduler", "bundler"):
            url = self.site.server.process(service).health_url
            found[f"metrics of {service}"] = httpx.get(f"{url}/metrics", trust_env=False).content
        found.update(self._host())
        return found

    def _host(self) -> dict[str, bytes]:
        script = (
            f"find /var/lib/keyturn-agent /etc/keyturn-agent /opt/keyturn-agent/token '{FOLDER}' /var/log /run/log"
            " -type f -size -60000k 2>/dev/null"
        )
        names = self.site.host.run(["sh", "-c", script], text=True, check=False).stdout.splitlines()
        found = {f"host {name}": self.site.host.read(name) for name in names if not name.endswith(".zip")}
        found["host journal"] = self.site.host.run(["journalctl", "--no-pager", "-o", "export"], check=False).stdout
        line = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null"
        found["host processes"] = self.site.host.run(["sh", "-c", line], check=False).stdout
        return found


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield f"server {path.relative_to(folder)}", path.read_bytes()


def _documents(site: Site) -> Iterator[tuple[str, bytes]]:
    """Every document as the store gives it: its files may be compressed."""
    with store_of(site) as store:
        for name in CollectionName:
            for document in store[name.database][name.collection].find():
                if name is not CollectionName.CHUNKS:
                    yield f"document {name} {document['_id']}", repr(document).encode()


def store_of(site: Site) -> MongoClient[dict[str, Any]]:
    """The store, as its administrator."""
    password = (site.server.keys / "admin" / "store_password").read_text().strip()
    return MongoClient(site.server.store.url, username="admin", password=password, retryWrites=False)


async def put_unreadable(site: Site, body: bytes) -> None:
    """A message that is none, into the scheduler's queue of requests."""
    password = (site.server.keys / "admin" / "broker_password").read_text().strip()
    address = site.server.broker.address.replace("amqp://", f"amqp://admin:{password}@")
    async with await aio_pika.connect(address) as connection:
        work = await (await connection.channel()).get_exchange("work", ensure=False)
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await work.publish(message, routing_key="task.requested")


def aside(site: Site) -> int:
    """How many messages lie aside of the scheduler's queue of requests, as the broker counts."""
    said = site.server.broker.control("list_queues", "--quiet", "name", "messages")
    return next(int(line.split()[1]) for line in said.splitlines() if line.startswith("scheduler.requests.aside"))


def _processes(proc: Path, where: str) -> Iterator[tuple[str, bytes]]:
    for folder in proc.glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                yield f"{where} process {folder.name} {name}", (folder / name).read_bytes()
            except OSError:
                continue  # it ended meanwhile


def test_the_hunt_sees_a_planted_canary_everywhere(running: Site) -> None:
    for n, form in enumerate(forms(PLANT)):
        places = {"a": b"before " + form + b" after", "b": b"nothing"}
        assert seen(places, PLANT) == ["a"], f"form {n}"
    site = running
    log = site.server.logs / "planted.log"
    stored = site.server.state / "store" / "planted"
    log.write_text(f'{{"event": "{PLANT}"}}')
    stored.write_bytes(PLANT.encode("utf-16-le"))
    with store_of(site) as store:
        store["desk"]["requests"].insert_one({"_id": "planted", "taken": True, "note": PLANT})
    before = aside(site)
    asyncio.run(put_unreadable(site, b"{" + PLANT.encode()))
    # It goes aside at the first try, and its neighbours are not touched.
    until(lambda: aside(site) == before + 1 or None, "the message to go aside")
    assert running.resets(running.add_account("neighbour")).state == "done"
    site.host.write("/var/lib/keyturn-agent/planted", base64.b64encode(b"..." + PLANT.encode()))
    site.host.run(["sh", "-c", f"systemd-run --quiet --unit planted sleep 300; logger {PLANT}; true"])
    site.host.run(["sh", "-c", f"PLANTED={PLANT} setsid sleep 300 >/dev/null 2>&1 </dev/null &"])
    try:
        found = seen(Hunt(site, {"a response": json.dumps({"note": PLANT}).encode()}).places(), PLANT)
    finally:
        log.unlink()
        stored.unlink()
        with store_of(site) as store:
            store["desk"]["requests"].delete_one({"_id": "planted"})
        site.host.run(["sh", "-c", "rm /var/lib/keyturn-agent/planted; pkill sleep; true"])
    assert {"a response", "server logs/planted.log", "server store/planted"} <= set(found)
    assert "document desk.requests planted" in found
    assert any(place.startswith("server broker/") for place in found), "the broker's own files"
    assert {"host /var/lib/keyturn-agent/planted", "host processes"} <= set(found)


def test_a_password_that_went_through_the_whole_system_is_nowhere(running: Site) -> None:
    account = running.add_account("canary")
    responses: dict[str, bytes] = {}
    token = running.client.sign_in(PERSON, PASSWORD).token
    with running.http() as http:
        http.headers["authorization"] = f"Bearer {token}"
        asked = http.post(f"/v1/accounts/{account.id}/reset", json={"password": CANARY})
        responses["the answer to the request"] = asked.content
        task = running.ends(running.client.task(asked.json()["task"]["id"]))
        assert task.state == "done"
        running.verifies(account)
        assert running.revealed(account) == [CANARY.encode()]
        # A refusal passes the host's own words on: they must not carry the password either.
        running.resets(account, CANARY + "x")
        for path in (
            f"/v1/accounts/{account.id}",
            f"/v1/resources/{account.resource.id}/accounts",
            f"/v1/tasks/{task.id}",
            "/v1/tasks",
            "/v1/notifications",
            "/v1/audit",
            "/v1/agents",
        ):
            responses[path] = http.get(path).content
        bad = http.post(f"/v1/accounts/{account.id}/reset", json={"password": CANARY + "\n", "unknown": CANARY})
        responses["a refused request"] = bad.content
    assert running.host.opens("canary", (CANARY + "x").encode())
    assert seen(Hunt(running, responses).places(), CANARY) == []
