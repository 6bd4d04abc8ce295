"""Persons who ask: for resets, typed and generated, verifies, cancels, adoptions and reveals, and who ask again.

What a person was told is kept in three values: it was taken (with the task), it was refused, or nobody knows, because
the answer was lost. Only the first two are held against the end of the run, and the third against the documents.
"""

import asyncio
import base64
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from libs.vault.seal import revealed
from libs.wire.requests import Revealed
from libs.wire.seal import open_sealed
from tests.model.sim.chance import Chance
from tests.model.sim.host import Host
from tests.model.sim.site import Site
from tests.model.sim.weather import Weather
from tests.unit.whole.composition import PERSON, PERSONS_PASSWORD

_WANTS = ("typed", "generated", "verify", "cancel", "reveal", "adopt", "look")
_WEIGHTS = (5, 4, 3, 3, 3, 1, 1)


@dataclass
class Person:
    """One person, who knows the accounts by what the gateway shows."""

    site: Site
    chance: Chance
    wire_weather: Weather
    taken: list[str] = field(default_factory=list)
    """Tasks that the gateway said it took."""
    asked: int = 0

    def __post_init__(self) -> None:
        wire = self.site.wire("person", self.wire_weather, "10.0.1.1")
        self._client = httpx.AsyncClient(transport=wire, base_url="https://keyturn", timeout=20.0)

    async def sets_up(self) -> None:
        """Becomes the first administrator."""
        code = (self.site.folder / "setup-code").read_text().strip()
        body = {"code": code, "name": PERSON, "password": PERSONS_PASSWORD}
        answer = await self._client.post("/v1/setup", json=body)
        answer.raise_for_status()
        self._client.headers["authorization"] = f"Bearer {answer.json()['token']}"

    async def works(self, every: float) -> None:
        """Wants something every so many seconds on average, for ever."""
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / every))
            want = self.chance.choices(_WANTS, _WEIGHTS)[0]
            known = list(self.site.invariants.accounts.values())
            if known:
                await self._wants(want, self.chance.choice(known).id)

    async def _wants(self, want: str, account: str) -> None:
        self.asked += 1
        match want:
            case "typed":
                typed = f"Typed-by-a-person-{self.site.seed.number}-{self.asked}"
                self.site.invariants.is_secret(typed.encode())
                await self._asks(f"/v1/accounts/{account}/reset", {"password": typed})
            case "generated":
                await self._asks(f"/v1/accounts/{account}/reset", {})
            case "verify":
                await self._asks(f"/v1/accounts/{account}/verify", {})
            case "cancel":
                await self.ask("POST", f"/v1/tasks/{self._some_task()}/cancel", None)
            case "adopt":
                stated = self._guess(account)
                self.site.invariants.is_secret(stated)
                await self._asks(f"/v1/accounts/{account}/adopt", {"password": stated.decode()})
            case "reveal":
                await self.reveals(account)
            case _:
                await self.ask("GET", f"/v1/accounts/{account}", None)

    def _some_task(self) -> str:
        """Mostly the newest one: an older one has ended."""
        if not self.taken:
            return "tsk_" + "a" * 26
        return self.taken[-1] if self.chance.random() < 0.7 else self.chance.choice(self.taken)

    def _guess(self, account: str) -> bytes:
        """What a person states as live: mostly right."""
        document = self.site.invariants.accounts[account]
        host = self.site.invariants.host_of(document)
        live = None if host is None else host.backend.live(document.name)
        return b"a-wrong-guess-of-a-person" if live is None or self.chance.random() < 0.3 else live

    async def _asks(self, path: str, body: dict[str, Any]) -> None:
        answer = await self.ask("POST", path, body)
        if answer is not None and answer.status_code == httpx.codes.ACCEPTED:
            self.taken.append(answer.json()["task"]["id"])

    async def ask(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response | None:
        """The answer; None where it was lost. Signs in again where the session is over."""
        try:
            answer = await self._client.request(method, path, json=body)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                await self._signs_in()
                answer = await self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            self.site.trace.say("person", f"{method} {path}: {type(error).__name__}")
            return None
        if answer.status_code >= httpx.codes.BAD_REQUEST and "json" in answer.headers["content-type"]:
            self.site.trace.say("person", f"was told {answer.json()['code']}")
        return answer

    async def _signs_in(self) -> None:
        answer = await self._client.post("/v1/sessions", json={"name": PERSON, "password": PERSONS_PASSWORD})
        if answer.status_code < httpx.codes.BAD_REQUEST:
            self._client.headers["authorization"] = f"Bearer {answer.json()['token']}"

    async def reveals(self, account: str) -> list[bytes] | None:
        """The passwords that a reveal shows, newest first; None where none came."""
        key = X25519PrivateKey.generate()
        recipient = base64.b64encode(key.public_key().public_bytes_raw()).decode()
        answer = await self.ask(
            "POST", f"/v1/accounts/{account}/reveal", {"recipient": recipient, "reason": "a simulation"}
        )
        if answer is None or answer.status_code != httpx.codes.OK:
            return None
        shown = Revealed.model_validate_json(answer.content)
        return [open_sealed(each.sealed, revealed(account, each.generation), key).reveal() for each in shown.versions]


def somebody_else(host: Host, chance: Chance, number: int) -> tuple[str, bytes]:
    """An account on a host, and a password that a third party gives it."""
    return chance.choice(host.backend.names), f"set-by-somebody-else-{number}".encode()
