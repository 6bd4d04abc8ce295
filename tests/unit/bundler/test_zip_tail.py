"""Prefix and tail are one zip, for every reader, and the same one each time."""

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.bundler.zip_tail import Added, Directory, RuntimeUnusableError, split, tail
from tests.unit.bundler.runtimes import FILES, signed_runtime

RUNTIME = signed_runtime(Ed25519PrivateKey.generate())
ADDED = (
    Added("agent.conf", 0o644, b"ServerName=gw\n"),
    Added("keys/task.pem", 0o644, b"-----BEGIN PUBLIC KEY-----\n"),
    Added("token", 0o600, b"secret\n"),
    Added("installAgent-service.sh", 0o755, b"#!/bin/sh\nexit 0\n"),
    Added("empty", 0o644, b""),
)


def package() -> bytes:
    directory = split(RUNTIME)
    return RUNTIME[: directory.prefix_bytes] + tail(directory, ADDED)


def test_every_file_is_there_as_it_was() -> None:
    with zipfile.ZipFile(io.BytesIO(package())) as archive:
        assert archive.testzip() is None
        for path, (mode, raw) in FILES.items():
            assert archive.read(path) == raw
            assert (archive.getinfo(path).external_attr >> 16) & 0o777 == mode
        for file in ADDED:
            assert archive.read(file.path) == file.content
            entry = archive.getinfo(file.path)
            assert entry.external_attr >> 16 == 0o100000 | file.mode
            assert (entry.date_time, entry.create_system) == ((1980, 1, 1, 0, 0, 0), 3)
        assert len(archive.infolist()) == len(FILES) + 1 + len(ADDED)


def test_the_same_inputs_give_the_same_bytes() -> None:
    assert package() == package()


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed here")
def test_unzip_agrees_and_sets_modes(tmp_path: Path) -> None:
    (tmp_path / "agent.zip").write_bytes(package())
    tested = subprocess.run(["unzip", "-t", "agent.zip"], cwd=tmp_path, capture_output=True, check=True)
    assert b"No errors detected" in tested.stdout
    assert b"warning" not in tested.stdout + tested.stderr
    subprocess.run(["unzip", "-q", "agent.zip", "-d", "out"], cwd=tmp_path, check=True)
    for file in ADDED:
        found = tmp_path / "out" / file.path
        assert found.read_bytes() == file.content
        assert found.stat().st_mode & 0o777 == file.mode


def test_a_package_of_a_package() -> None:
    """What was made can be split again: its directory is a directory like any other."""
    again = split(package())
    more = package()[: again.prefix_bytes] + tail(again, [Added("more", 0o644, b"1")])
    with zipfile.ZipFile(io.BytesIO(more)) as archive:
        assert archive.testzip() is None
        assert archive.read("more") == b"1"


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        RUNTIME[:-1],
        RUNTIME + b"\0",
        b"before" + RUNTIME,
        RUNTIME[:-2] + b"\x01\x00",
        RUNTIME[:-12] + b"\xff\xff\xff\xff" + RUNTIME[-8:],
    ],
)
def test_no_plain_zip_is_refused(damaged: bytes) -> None:
    with pytest.raises(RuntimeUnusableError):
        split(damaged)


def test_what_would_need_zip64_is_refused() -> None:
    with pytest.raises(RuntimeUnusableError, match="zip64"):
        tail(Directory(0xFFFFFF00, 1, b"x" * 200), ADDED)
    with pytest.raises(RuntimeUnusableError, match="zip64"):
        tail(Directory(100, 0xFFFE, b""), ADDED)


def test_a_path_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        tail(split(RUNTIME), [ADDED[0], ADDED[0]])
