"""A server of `tests.bench.polled` in its own process, and the certificate that it shows."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import CertificateSigningRequestBuilder, Name

from libs.pki.issue import Use, issue_server, make_authority
from services.api.tls import CERTIFICATE_FILE, own_key


@dataclass(frozen=True)
class Served:
    """Where it listens, and what it can be asked."""

    port: int
    questions: IO[str]
    answers: IO[str]

    def ask(self, what: str) -> float:
        """Its CPU seconds so far ("cpu"), its resident bytes ("rss") or the polls that it holds ("held")."""
        self.questions.write(f"{what}\n")
        self.questions.flush()
        return float(self.answers.readline())


@contextmanager
def served(which: str, folder: Path) -> Iterator[Served]:
    """Starts it; it ends when its standard input does, so also when this process is killed."""
    command = [sys.executable, "-m", "tests.bench.polled", which, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Served(int(process.stdout.readline()), process.stdin, process.stdout)
        finally:
            process.kill()


def certificate(folder: Path) -> None:
    """A P-256 key made as the gateway makes it, with a certificate as the bundler issues them."""
    now = time.time_ns() // 1_000_000
    csr = CertificateSigningRequestBuilder().subject_name(Name([])).sign(own_key(folder), SHA256())
    authority = make_authority(Use.SERVERS, now=now)
    pem = issue_server(csr.public_bytes(Encoding.DER), ["localhost"], authority, now=now, days=7)
    (folder / CERTIFICATE_FILE).write_bytes(pem)
