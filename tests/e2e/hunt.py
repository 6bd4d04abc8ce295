"""Looking for a text in every place where a password must not be, on the server's side and on the host.

Files and documents stay, so they are read once. Processes come and go: while a `Watch` is open, the arguments and the
environment of each are read again and again. The hosts' processes are among the machine's own, so one look sees both.
"""

import asyncio
import base64
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aio_pika
import httpx
from pymongo import MongoClient

from deploy.local.deployment import Deployment
from libs.store.schema import CollectionName
from tests.e2e.site import FOLDER, Site

PLACES_ON_THE_HOST = f"/var/lib/keyturn-agent /etc/keyturn-agent /opt/keyturn-agent/token '{FOLDER}' /var/log /run/log"


def forms(text: str) -> dict[str, tuple[bytes, ...]]:
    """What a leak may look like. Base64 has three forms, by what stands before the text."""
    plain, wide = text.encode(), text.encode("utf-16-le")
    return {
        "plain": (plain,),
        "utf-16": (wide,),
        "hexadecimal": (plain.hex().encode(),),
        "base64": tuple(base64.b64encode(b"x" * n + plain)[4 if n else 0 : -4] for n in range(3)),
    }


def planted(text: str) -> dict[str, bytes]:
    """The text in each form, as it may stand in the middle of something."""
    return {
        "plain": b'{"note": "' + text.encode() + b'"}',
        "utf-16": b"{." + text.encode("utf-16-le") + b".}",
        "hexadecimal": b"{" + text.encode().hex().encode() + b"}",
        "base64": base64.b64encode(b"..some words before " + text.encode() + b" and behind"),
    }


def has(content: bytes, text: str) -> bool:
    """Whether some form of the text is in these bytes."""
    return any(form in content for kind in forms(text).values() for form in kind)


def seen(places: Mapping[str, bytes], text: str) -> list[str]:
    """The places in which some form of the text is found."""
    return [place for place, content in places.items() if has(content, text)]


def places(site: Site) -> dict[str, bytes]:
    """Everything that stays: each place with what is in it now."""
    found = dict(_files(site.server.state))
    found.update(_documents(site))
    for service in site.server.services:
        url = site.server.process(service).health_url
        found[f"metrics of {service}"] = httpx.get(f"{url}/metrics", trust_env=False).content
    names = site.host.run(
        ["sh", "-c", f"find {PLACES_ON_THE_HOST} -type f -not -name '*.zip' -not -path '*/runtime/*' 2>/dev/null"],
        text=True,
        check=False,
    )
    found.update({f"host {name}": site.host.read(name) for name in names.stdout.splitlines()})
    found["host journal"] = site.host.run(["journalctl", "--no-pager", "--output", "export"]).stdout
    return found


class Watch:
    """While it is open, in which process some of these texts was seen: `found` has the text and the place."""

    def __init__(self, *texts: str) -> None:
        self.found: set[tuple[str, str]] = set()
        self.looks = 0
        self._texts = texts
        self._over = threading.Event()
        self._looking = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._looking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._looking.join()

    def _look(self) -> None:
        while not self._over.wait(0.01):
            self.looks += 1
            for where, content in _processes():
                self.found |= {(text, where) for text in self._texts if has(content, text)}


def store_of(server: Deployment) -> MongoClient[dict[str, Any]]:
    """The store, as its administrator."""
    password = (server.keys / "admin" / "store_password").read_text().strip()
    return MongoClient(server.store.url, username="admin", password=password, retryWrites=False)


def send_unreadable(site: Site, bodies: Iterable[bytes]) -> None:
    """Messages that are none, into the scheduler's queue of requests."""
    password = (site.server.keys / "admin" / "broker_password").read_text().strip()
    address = site.server.broker.address.replace("amqp://", f"amqp://admin:{password}@")

    async def send() -> None:
        async with await aio_pika.connect(address) as connection:
            work = await (await connection.channel()).get_exchange("work", ensure=False)
            for body in bodies:
                message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
                await work.publish(message, routing_key="task.requested")

    asyncio.run(send())


def aside(site: Site) -> int:
    """How many messages lie aside of the scheduler's queue of requests, as the broker counts."""
    said = site.server.broker.control("list_queues", "--quiet", "name", "messages")
    return next(int(line.split()[1]) for line in said.splitlines() if line.startswith("scheduler.requests.aside"))


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield f"server {path.relative_to(folder)}", path.read_bytes()


def _documents(site: Site) -> Iterator[tuple[str, bytes]]:
    """Every document as the store gives it, because in its files it may be compressed."""
    with store_of(site.server) as store:
        for name in CollectionName:
            if name is CollectionName.CHUNKS:
                continue  # the packed agent's own bytes
            for document in store[name.database][name.collection].find():
                yield f"document {name} {document['_id']}", b"\n".join(_values(document))


def _values(value: Any) -> Iterator[bytes]:
    """Every key and value in a document, bytes as they are."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key.encode()
            yield from _values(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _values(inner)
    else:
        yield value if isinstance(value, bytes) else str(value).encode()


def _processes() -> Iterator[tuple[str, bytes]]:
    for folder in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                yield name, (folder / name).read_bytes()
            except OSError:
                continue  # it ended meanwhile
