"""The packed agent's own promises: signed, needing the glibc it says, and carrying nothing of its builder's."""

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from agent.packaging.linux.build import build
from agent.packaging.linux.pack import BuildError
from services.bundler.runtime import check_runtime
from tests.integration.agent_package.conftest import ROOT

pytestmark = pytest.mark.host


def test_the_bundler_takes_it(runtime: Path) -> None:
    key = load_pem_public_key((runtime.parent / "release.pem").read_bytes())
    assert isinstance(key, Ed25519PublicKey)
    checked = check_runtime(runtime.read_bytes(), key)
    assert {"runtime/keyturn-agent", "runtime/glibc", "runtime/machine"} <= {file.path for file in checked.files}
    with zipfile.ZipFile(runtime) as archive:
        assert checked.manifest.libc == f"glibc {archive.read('runtime/glibc').decode().strip()}"


def test_it_says_what_it_is_made_of(runtime: Path) -> None:
    """Each pinned library, the interpreter and its OpenSSL, so that a scanner finds what a hole is in."""
    with zipfile.ZipFile(runtime) as archive:
        said = json.loads(archive.read("runtime/sbom.cdx.json"))
    parts = {each["name"]: each["version"] for each in said["components"]}
    for line in (ROOT / "requirements/agent.txt").read_text().splitlines():
        name, pinned, version = line.partition("==")
        assert not pinned or name.startswith(("#", " ")) or parts[name] == version.rstrip(" \\")
    assert parts["cpython"].startswith("3.")
    assert parts["openssl"].startswith("3.")
    assert (said["bomFormat"], said["specVersion"]) == ("CycloneDX", "1.6")


def test_no_program_in_it_asks_for_a_newer_glibc_than_it_says(runtime: Path, tmp_path: Path) -> None:
    """Asked of objdump, which knows nothing of how the build found its number."""
    with zipfile.ZipFile(runtime) as archive:
        archive.extractall(tmp_path)
    said = int((tmp_path / "runtime/glibc").read_text().strip().removeprefix("2."))
    programs = [path for path in tmp_path.rglob("*") if path.is_file() and path.read_bytes()[:4] == b"\x7fELF"]
    assert len(programs) > 10
    asked = set()
    for program in programs:
        listed = subprocess.run(["objdump", "-T", program], check=True, capture_output=True, text=True).stdout
        asked |= {
            int(word.split(".")[1].rstrip(")")) for word in listed.split() if word.strip("(").startswith("GLIBC_2.")
        }
    assert max(asked) == said


def test_it_carries_only_what_an_agent_imports(runtime: Path) -> None:
    with zipfile.ZipFile(runtime) as archive:
        names = archive.namelist()
    for stranger in (
        "libcrypt.so",
        "_crypt.",
        "cacert.pem",
        "hypothesis",
        "mypy",
        "pytest",
        "uvloop",
        "readline",
        "motor",
    ):
        assert not [name for name in names if stranger in name]


def test_an_unchanged_input_builds_nothing(runtime: Path) -> None:
    before = runtime.stat()
    assert build(ROOT, runtime.parent, None) == (runtime, False)
    assert runtime.stat().st_mtime_ns == before.st_mtime_ns


def test_a_file_that_is_no_release_key_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("no key")
    with pytest.raises(BuildError, match="holds no release key"):
        build(ROOT, tmp_path / "release", tmp_path / "key")
    assert not list((tmp_path / "release").glob("*.zip"))
    shutil.rmtree(tmp_path / "release")
