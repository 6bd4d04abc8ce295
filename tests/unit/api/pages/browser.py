"""A browser without scripts: it keeps cookies, sends where its forms come from, and reads the forms of a page."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Protocol

import httpx

from services.api.app import Gateway
from tests.unit.api.world import PASSWORD

ORIGIN = "https://keyturn.example"
SESSION = "__Host-keyturn"


class _Forms(HTMLParser):
    """Each form of a page: its action, and its fields with their values."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}
        self._open: dict[str, str] | None = None
        self._area = self._select = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "option" and self._open is not None and "selected" in given:
            self._open[self._select] = given["value"]
        elif tag == "form" and given.get("method") == "post":
            self._open = self.found.setdefault(given["action"], {})
        elif self._open is None or "name" not in given:
            return
        elif tag == "textarea":
            self._area = given["name"]
            self._open[self._area] = ""
        elif tag == "select":
            self._select = given["name"]
            self._open[self._select] = ""
        elif given.get("type") not in {"radio", "checkbox"} or "checked" in given:
            self._open[given["name"]] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._open is not None and self._area:
            self._open[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        if tag == "textarea":
            self._area = ""


def forms(answer: httpx.Response) -> dict[str, dict[str, str]]:
    """The forms of a page by where they are sent."""
    return _Forms(answer.text).found


class Served(Protocol):
    """Whatever has a gateway."""

    @property
    def gateway(self) -> Gateway: ...


@dataclass
class Browser:
    """One person's."""

    world: Served
    client: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        transport = httpx.ASGITransport(app=self.world.gateway.app, client=("192.0.2.9", 40_001))
        self.client = httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"accept": "text/html"})

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def send(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """A form, as it is given."""
        return await self.client.post(path, data=fields, headers={"origin": ORIGIN, **headers})

    async def fill(self, page: str, action: str | None = None, **typed: str) -> httpx.Response:
        """The form of a page, filled in and sent."""
        answer = await self.get(page)
        assert answer.status_code == 200, answer.text
        fields = forms(answer)[action or page]
        return await self.send(action or page, {**fields, **typed})

    async def sign_in(self, name: str) -> "Browser":
        """Signed in, by the form."""
        answer = await self.fill("/sign-in", name=name, password=PASSWORD)
        assert answer.status_code == 303, answer.text
        return self

    async def sign_in_again(self, name: str) -> None:
        """As from another window of the same browser."""
        answer = await self.send("/sign-in", {"name": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.text

    @property
    def signed_in(self) -> bool:
        return bool(self.client.cookies.get(SESSION))
