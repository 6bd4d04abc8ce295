"""The packed agent, built once, and a host of the lab to install it on."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.packaging.linux.build import build
from services.bundler.linux.installer import installer
from tests.lab.fixtures import lab
from tests.lab.host import Host
from tests.lab.lab import Lab

__all__ = ["lab"]

ROOT = Path(__file__).resolve().parents[3]
INSTALLER = "installAgent-service.sh"
FOLDER = "/mnt/key turn"

Files = dict[str, bytes]


@pytest.fixture(scope="session")
def runtime() -> Path:
    """The signed runtime's zip, as `make runtime-linux` leaves it."""
    return build(ROOT, ROOT / "build/release", None)[0]


def authority() -> bytes:
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Made for a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture(scope="session")
def package(runtime: Path) -> Files:
    """A package's files, for a server that does not answer."""
    with zipfile.ZipFile(runtime) as archive:
        files = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    signer = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return files | {
        "agent.conf": b"ServerName=127.0.0.1\nServerPort=9\nScheduleInterval=5\nUserName=ops\n",
        "trust.pem": authority(),
        "keys/task.pem": signer,
        "keys/configuration.pem": signer,
        "token": b"made-for-a-test-only-0123456789\n",
        **installer(),
    }


@pytest.fixture(scope="module")
def host(lab: Lab) -> Iterator[Host]:
    """A host that is on, with a folder that has a blank in its path and lets nothing in it be run."""
    made = lab.host("packaged")
    try:
        made.boot()
        made.run(["mkdir", "-p", FOLDER])
        made.run(["mount", "-t", "tmpfs", "-o", "noexec,size=200m", "tmpfs", FOLDER])
        yield made
    finally:
        made.down()


Run = Callable[[str], tuple[int, str]]
Unpack = Callable[[Files], None]


@pytest.fixture
def unpack(host: Host) -> Unpack:
    """Puts files into the folder as a desktop's unzip under umask 077 leaves them: without any x bit."""

    def put(files: Files) -> None:
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(content), 0o600
                archive.addfile(entry, io.BytesIO(content))
        host.run(["sh", "-c", f'rm -rf "{FOLDER}"/* && umask 077 && tar -x -C "{FOLDER}"'], input=made.getvalue())

    return put


@pytest.fixture
def run(host: Host) -> Iterator[Run]:
    """Calls the installer with a verb from another folder; its status and all that it said. Removes what is left."""

    def call(verb: str) -> tuple[int, str]:
        line = f'cd / && KEYTURN_PATIENCE=8 sh "{FOLDER}/{INSTALLER}" {verb}'
        done = host.run(["sh", "-c", line], check=False, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr

    yield call
    call("remove --purge")
