"""The operator's own certificate: checked at the start, warned of, read again when it was replaced."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from libs.pki.issue import Authority, Use, issue_server, make_authority
from libs.service.settings import SettingsError
from services.api.own_certificate import OwnCertificate, covers

NOW = 1_764_044_000_000
NAMES = ("keyturn.example.net",)
CORPORATE = make_authority(Use.SERVERS, now=NOW)

Bring = Callable[..., None]


class Clock:
    """Time that only a test moves."""

    def __init__(self) -> None:
        self.at, self.waiting = NOW, asyncio.Event()

    async def sleep(self, _seconds: float) -> None:
        self.waiting.clear()
        await self.waiting.wait()


def bring(folder: Path, *names: str, authority: Authority = CORPORATE, days: int = 90, now: int = NOW) -> None:
    """Puts a certificate and its key where the gateway looks."""
    key = generate_private_key(SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "own")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256()).public_bytes(Encoding.DER)
    (folder / "own.pem").write_bytes(issue_server(csr, names or NAMES, authority, now=now, days=days))
    (folder / "own.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def own(folder: Path, clock: Clock | None = None, names: tuple[str, ...] = NAMES) -> OwnCertificate:
    clock = clock or Clock()
    return OwnCertificate(
        certificate=folder / "own.pem",
        key=folder / "own.key",
        public=folder,
        names=names,
        clock=lambda: clock.at,
        sleep=clock.sleep,
    )


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A folder in which agents were told of the corporate authority."""
    (tmp_path / "own-ca.pem").write_bytes(CORPORATE.certificate.public_bytes(Encoding.PEM))
    return tmp_path


async def test_one_that_serves_is_served_without_a_word(told: Path) -> None:
    bring(told)
    with structlog.testing.capture_logs() as said:
        context = await own(told).ready()
    assert (said, context.num_tickets) == ([], 0)


def test_another_key_and_a_missing_name_are_told_in_a_line_each(told: Path) -> None:
    bring(told)
    kept = (told / "own.key").read_bytes()
    bring(told)
    (told / "own.key").write_bytes(kept)
    with pytest.raises(SettingsError) as raised:
        own(told, names=("keyturn", "10.0.0.9", *NAMES))
    assert [line.rsplit("/", 1)[-1] for line in raised.value.lines] == [
        "own.pem",
        "own.pem is not for keyturn",
        "own.pem is not for 10.0.0.9",
    ]


@pytest.mark.parametrize("content", [None, b"", b"nothing"])
def test_a_file_that_is_none_is_told_in_a_line(told: Path, content: bytes | None) -> None:
    bring(told)
    (told / "own.pem").unlink() if content is None else (told / "own.pem").write_bytes(content)
    with pytest.raises(SettingsError, match=r"own\.pem"):
        own(told)


@pytest.mark.parametrize(
    ("days", "later", "words"),
    [
        (90, 0, []),
        (90, 80, ["expires in 10 days"]),
        (90, 91, ["has expired; browsers refuse it, agents do not"]),
        (90, -3, ["is not good yet"]),
    ],
)
async def test_its_dates_are_warned_of_and_close_no_door(told: Path, days: int, later: int, words: list[str]) -> None:
    bring(told, days=days)
    clock = Clock()
    clock.at += later * 86_400_000
    with structlog.testing.capture_logs() as said:
        await own(told, clock).ready()
    assert [word in each["why"] for word, each in zip(words, said, strict=True)] == [True] * len(words)


def test_an_authority_that_agents_were_not_told_of_is_warned_of(tmp_path: Path) -> None:
    bring(tmp_path)
    with structlog.testing.capture_logs() as said:
        own(tmp_path)
    assert "own-authority trust" in said[0]["why"]


async def test_what_replaced_it_is_served_once_both_files_fit(told: Path) -> None:
    bring(told)
    clock = Clock()
    serving = own(told, clock)
    context = await serving.ready()
    keeping = asyncio.create_task(serving.keep(context))
    await asyncio.sleep(0)
    kept = (told / "own.key").read_bytes()
    bring(told)
    new = (told / "own.key").read_bytes()
    (told / "own.key").write_bytes(kept)
    with structlog.testing.capture_logs() as said:
        clock.waiting.set()
        await asyncio.sleep(0.01)
        assert "is not the key of" in said[-1]["why"]
        (told / "own.key").write_bytes(new)
        clock.waiting.set()
        await asyncio.sleep(0.01)
        assert said[-1]["event"] == "serves a new certificate"
    keeping.cancel()
    await asyncio.wait([keeping])


def test_a_star_stands_for_one_label(tmp_path: Path) -> None:
    bring(tmp_path, "keyturn.example.net", "10.0.0.9")
    certificate = x509.load_pem_x509_certificate((tmp_path / "own.pem").read_bytes())
    assert [covers(certificate, name) for name in ("KEYTURN.example.net", "10.0.0.9", "10.0.0.8", "x.example.net")] == [
        True,
        True,
        False,
        False,
    ]
