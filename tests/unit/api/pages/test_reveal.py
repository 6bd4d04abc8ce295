"""Reveal on the page: sealed to the browser's own key, opened here only without scripts, and never without a reason."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from libs.broker.topology import QueueName
from libs.domain.accounts import Account
from libs.domain.state import Status
from libs.store.resources import Resource
from libs.vault.seal import revealed
from libs.wire.requests import Declined, Request, RevealContent, Revealed, RevealedVersion
from libs.wire.seal import SUITE, Box, Sealed, key_id, open_sealed, seal
from libs.wire.secret import Secret
from services.api.pages.spelling import ALPHABET, UNSEEN, spell
from services.api.reference import ACCOUNTS
from tests.unit.api.pages.browser import SESSION, Browser, forms
from tests.unit.api.test_resets import BUSY
from tests.unit.api.world import NOW, PASSWORD, World

PLAIN = "Kf7 -<b>ü\u202e"
ASKED = {"reason": "the console, <b>no network</b>", "password": PASSWORD}


def answering(account: Account, *plain: str) -> Callable[[Request], Revealed]:
    """A scheduler that knows these passwords, the newest first."""

    def answer(request: Request) -> Revealed:
        assert isinstance(request.content, RevealContent)
        to = X25519PublicKey.from_public_bytes(request.content.recipient)
        versions = tuple(
            RevealedVersion(
                generation=f"1.{len(plain) - at}",
                state="proven" if at else "offered",
                created_at=NOW,
                first_offered_at=NOW,
                sealed=seal(Secret(each), revealed(account.id, f"1.{len(plain) - at}"), [to]),
            )
            for at, each in enumerate(plain)
        )
        return Revealed(account=account.id, status="uncertain", versions=versions)

    return answer


class Candidates(HTMLParser):
    """What the page's script is given to open, and the words of what was opened here."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sealed: list[dict[str, str]] = []
        self.said: list[str] = []
        self._list = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "data-box" in given:
            self.sealed.append(given)
        self._list = (self._list and tag == "li") or given.get("class") == "spelled"

    def handle_data(self, data: str) -> None:
        if self._list and data.strip():
            self.said.append(data)


async def test_a_browser_with_scripts_gets_only_what_its_own_key_opens(
    world: World, browsers: dict[str, Browser], account: Account
) -> None:
    private = X25519PrivateKey.generate()
    recipient = b64encode(private.public_key().public_bytes_raw()).decode()
    async with world.answering(QueueName.REVEALS, answering(account, PLAIN, "the-one-before")) as heard:
        answer = await browsers["ben"].fill(f"/accounts/{account.id}/reveal", recipient=recipient, **ASKED)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert "refresh" not in answer.headers
    first, second = Candidates(answer.text).sealed
    for given, plain in ((first, PLAIN), (second, "the-one-before")):
        box = Box(recipient=key_id(private.public_key()), box=b64decode(given["data-box"]))
        opened = open_sealed(Sealed(suite=SUITE, boxes=(box,)), revealed(account.id, given["data-generation"]), private)
        assert opened == Secret(plain)
        assert given["data-suite"] == SUITE
        assert plain not in answer.text
    (request,) = heard
    assert isinstance(request.content, RevealContent)
    assert (request.content.gateway_key, request.content.reason) == (False, ASKED["reason"])
    assert "&lt;b&gt;no network" in answer.text


async def test_without_scripts_the_server_opens_it_for_half_a_minute_and_the_audit_says_so(
    world: World, browsers: dict[str, Browser], account: Account
) -> None:
    async with world.answering(QueueName.REVEALS, answering(account, PLAIN)) as heard:
        answer = await browsers["ben"].fill(f"/accounts/{account.id}/reveal", **ASKED)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.headers["refresh"] == f"30;url=/accounts/{account.id}"
    assert "The server opened this for you." in answer.text
    assert Candidates(answer.text).said == [
        "capital kilo", "foxtrot", "seven", "space", "hyphen", "less than", "bravo", "greater than", "U+00FC", "U+202E",
    ]  # fmt: skip
    (request,) = heard
    assert isinstance(request.content, RevealContent)
    assert request.content.gateway_key
    ada = {"authorization": f"Bearer {browsers['ada'].client.cookies[SESSION]}"}
    records = (await world.client.get("/v1/audit", params={"account": account.id}, headers=ada)).json()["items"]
    assert [each["extra"]["sealed_to"] for each in records] == ["the gateway"]
    assert PLAIN not in world.documents()


async def test_every_candidate_is_shown_with_what_is_known_of_it(
    world: World, browsers: dict[str, Browser], account: Account
) -> None:
    async with world.answering(QueueName.REVEALS, answering(account, "newest", "before")):
        answer = await browsers["ben"].fill(f"/accounts/{account.id}/reveal", **ASKED)
    assert '2 passwords that may open <span class="mono">root</span>' in answer.text
    newest, before = answer.text.index("<bdi>newest</bdi>"), answer.text.index("<bdi>before</bdi>")
    assert answer.text.index("whether it is live was never compared") < newest < before
    assert answer.text.index("Compared live once") < before


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"reason": "", "password": PASSWORD}, "Say why, in 1 to 500 characters."),
        ({"reason": "  ", "password": PASSWORD}, "Say why, in 1 to 500 characters."),
        ({"reason": "x" * 501, "password": PASSWORD}, "Say why, in 1 to 500 characters."),
        ({"reason": "kept", "password": ""}, "Type a password."),
        ({"reason": "kept", "password": "canary-not-bens"}, "This is not your password."),
        ({"reason": "kept", "password": PASSWORD, "recipient": "no key"}, "Something in this form is not right."),
    ],
)
async def test_without_a_reason_and_the_own_password_nothing_is_asked(
    world: World, browsers: dict[str, Browser], account: Account, typed: dict[str, str], said: str
) -> None:
    page = f"/accounts/{account.id}/reveal"
    async with world.answering(QueueName.REVEALS, answering(account, PLAIN)) as heard:
        answer = await browsers["ben"].fill(page, **typed)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert forms(answer)[page]["reason"] == typed["reason"]
    assert "canary" not in answer.text
    assert PASSWORD not in answer.text
    assert heard == []


async def test_who_guesses_at_the_own_password_is_slowed_down(
    world: World, browsers: dict[str, Browser], account: Account
) -> None:
    page = f"/accounts/{account.id}/reveal"
    async with world.answering(QueueName.REVEALS, answering(account, PLAIN)) as heard:
        for _ in range(5):
            assert (await browsers["ben"].fill(page, reason="x", password="not-this")).status_code == 422
        slowed = await browsers["ben"].fill(page, **ASKED)
        assert (slowed.status_code, "Too many tries" in slowed.text) == (429, True)
        assert heard == []
        await world.clock.advance(61)
        assert (await browsers["ben"].fill(page, **ASKED)).status_code == 200


async def test_what_the_scheduler_declines_or_cannot_answer_is_said_in_the_form(
    world: World, browsers: dict[str, Browser], account: Account
) -> None:
    page = f"/accounts/{account.id}/reveal"
    spent = Declined(code="reveal_budget_spent", sentence="The next hour allows more.", retryable=True)
    async with world.answering(QueueName.REVEALS, lambda _: spent):
        answer = await browsers["ben"].fill(page, **ASKED)
    assert (answer.status_code, "Nothing was revealed.</strong> The next hour" in answer.text) == (503, True)
    world.node.stop()
    away = await browsers["ben"].fill(page, **ASKED)
    assert (away.status_code, "Nothing was stored; ask again." in away.text) == (503, True)
    assert forms(away)[page]["reason"] == ASKED["reason"]


@pytest.mark.parametrize("status", list(Status))
async def test_reveal_is_offered_where_a_password_may_be_live(
    world: World, browsers: dict[str, Browser], machine: Resource, status: Status
) -> None:
    rotation = next(each for _, each in ACCOUNTS if each.status is status)
    account = await world.account(machine, rotation=rotation)
    text = (await browsers["ben"].get(f"/accounts/{account.id}")).text
    token = {"authorization": f"Bearer {browsers['ben'].client.cookies[SESSION]}"}
    told = (await world.client.get(f"/v1/accounts/{account.id}", headers=token)).json()
    assert told["candidates"] == sum(each["candidate"] for each in told["versions"])
    assert (f'href="/accounts/{account.id}/reveal"' in text) == (told["candidates"] > 0)


async def test_a_held_account_may_be_revealed(world: World, browsers: dict[str, Browser], machine: Resource) -> None:
    account = await world.account(machine, rotation=BUSY)
    assert (await browsers["ben"].get(f"/accounts/{account.id}/reveal")).status_code == 200


def test_each_character_of_a_keyboard_has_a_word_of_its_own() -> None:
    typed = [chr(code) for code in range(0x20, 0x7F)]
    assert set(typed) | {"\t"} == ALPHABET.keys()
    assert len({letter.said for letter in ALPHABET.values()}) == len(ALPHABET)
    assert {letter.kind for letter in ALPHABET.values()} == {"capital", "small", "digit", "sign"}


@pytest.mark.parametrize(
    ("character", "shown", "kind", "said"),
    [
        ("Ü", "Ü", "capital", "U+00DC"),
        ("ß", "ß", "small", "U+00DF"),
        ("٣", "٣", "digit", "U+0663"),
        ("€", "€", "sign", "U+20AC"),
        ("\u200b", UNSEEN, "sign", "U+200B"),
        ("\u0301", UNSEEN, "sign", "U+0301"),
        ("\x07", UNSEEN, "sign", "U+0007"),
        ("😀", "😀", "sign", "U+1F600"),
    ],
)
def test_any_other_character_is_said_by_its_number(character: str, shown: str, kind: str, said: str) -> None:
    (letter,) = spell(Secret(character)).letters
    assert letter == (shown, kind, said)
