"""The command as one calls it: words in, standard streams and exit status out."""

import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.cli.app import main
from tests.unit.client.machines import SERVER
from tests.unit.whole.composition import PERSON, PERSONS_PASSWORD

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Done:
    """What one call did."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its answer, of a call that did what it should."""
        assert self.status == 0, self.out + self.err
        return json.loads(self.out)


class Keyturn:
    """The command, in this process."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], seam: httpx.BaseTransport
    ) -> None:
        self._monkeypatch, self._capsys, self._seam = monkeypatch, capsys, seam

    def __call__(self, *words: str, stdin: str | bytes = "") -> Done:
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words, self._seam)
        said = self._capsys.readouterr()
        assert "Traceback" not in said.err
        return Done(int(ended.value.code or 0), said.out, said.err)

    def signs_in(self) -> None:
        done = self("--server", SERVER, "login", PERSON, "--stdin", stdin=PERSONS_PASSWORD + "\n")
        assert done.status == 0, done.err


def on_a_terminal(
    words: Sequence[str], typed: Sequence[bytes], home: Path, program: Sequence[str] = ("-m", "libs.cli")
) -> tuple[int, str]:
    """The command on a terminal of its own, where each answer is typed at a prompt: its status, and all it showed."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *program, *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONWARNINGS": "ignore"},
    )
    os.close(slave)
    shown, waiting = b"", list(typed)
    try:
        while part := _read(master):
            shown += part
            if waiting and shown.endswith((b": ", b"leaves. ")):
                os.write(master, waiting.pop(0) + b"\n")
    finally:
        os.close(master)
        status = process.wait(60)
    assert waiting == []
    return status, shown.decode()


def _read(master: int) -> bytes:
    """What comes next; nothing when the terminal is left, which Linux tells as an error."""
    try:
        return os.read(master, 4_096)
    except OSError:
        return b""
