"""A runtime that runs on older servers too, from glibc 2.31 on, with OpenSSL 3: `make runtime-linux-portable`.

`portable.sh` makes the tools, once; here the agent is packed with them, inside a Debian 11, and the result is tried in
another one that has no Python. Made again only when something changed that it is made from.
"""

import fcntl
import hashlib
import json
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

from agent.packaging.linux.build import LOCK, NAME, inputs_of, manifest_in, release_key, state, write_runtime
from agent.packaging.linux.pack import PROGRAM, BuildError
from agent.packaging.linux.sbom import sbom

NEWEST_LIBC = 31
"""The minor version of the glibc of Debian 11, on which it must run."""

_TOOLS = "agent/packaging/linux/portable.sh"
_PYTHON = "/opt/py/bin/python3.11"
_PACK = "from pathlib import Path; from agent.packaging.linux.pack import pack; pack(Path('/src'), Path('/work'))"
_BRINGS = "import json; from agent.packaging.linux.interpreter import brings; print(json.dumps(brings()))"
_TRIED = "/opt/tried"


def build_portable(root: Path, folder: Path, release: Path, key_file: Path | None) -> tuple[Path, bool]:
    """The signed runtime's zip below `folder`, and whether it was built now. Takes minutes the first time, and root.

    Args:
        root: The checkout.
        folder: Where tools and result go.
        release: Where a key of this checkout's own lies.
        key_file: The release key, where it is another one.

    Raises:
        BuildError: a tool is missing or refuses, or the result does not run in Debian 11.
    """
    folder, release = folder.absolute(), release.absolute()
    for each in (folder, release):
        each.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        key = release_key(release, key_file)
        shutil.copyfile(release / "release.pem", folder / "release.pem")
        stamp, target = folder / f"{NAME}.inputs", folder / NAME
        inputs = hashlib.sha256(f"{inputs_of(root, key)} {_hash(root / _TOOLS)}".encode()).hexdigest()
        if target.exists() and stamp.exists() and stamp.read_text() == inputs:
            state(target, key)
            return target, False
        _run(["sh", _TOOLS, str(folder)], root, "the tools of a portable runtime were not made")
        packed, brought = _pack(root, folder / "tree")
        write_runtime(target, packed, key, sbom(root / LOCK, brought))
        _try(target, folder / "plain")
        stamp.write_text(inputs)
        return target, True


def _pack(root: Path, tree: Path) -> tuple[Path, Mapping[str, str]]:
    """The packed program, and what its interpreter brings along."""
    for name in ("src", "work"):
        shutil.rmtree(tree / name, ignore_errors=True)
    unneeded = shutil.ignore_patterns("__pycache__")
    for name in ("agent", "libs"):
        shutil.copytree(root / name, tree / "src" / name, ignore=unneeded)
    _inside(tree, [_PYTHON, "-c", _PACK], "the agent was not packed in Debian 11")
    return tree / "work/dist" / PROGRAM, json.loads(_inside(tree, [_PYTHON, "-c", _BRINGS], "no interpreter answers"))


def _try(runtime: Path, plain: Path) -> None:
    """Returns when the program's own test passes in a Debian 11 without any Python."""
    if (libc := int(manifest_in(runtime).libc.rpartition(".")[2])) > NEWEST_LIBC:
        raise BuildError(f"{runtime} needs glibc 2.{libc}, and 2.{NEWEST_LIBC} is the newest that it may need")
    if found := [*plain.glob("usr/bin/python*"), *plain.glob("usr/local/bin/python*")]:
        raise BuildError(f"{found[0]} is a Python, so nothing is proven there")
    tried = plain / _TRIED.lstrip("/")
    shutil.rmtree(tried, ignore_errors=True)
    with zipfile.ZipFile(runtime) as archive:
        archive.extractall(tried)
    (tried / "runtime" / PROGRAM).chmod(0o755)
    _inside(plain, [f"{_TRIED}/runtime/{PROGRAM}", "self-test"], "the program does not run in a plain Debian 11")


def _inside(tree: Path, command: list[str], otherwise: str) -> str:
    """What a command says inside a tree; its mounts are gone with it."""
    script = 'mount -t proc proc "$0/proc" && cd / && exec chroot "$0" /usr/bin/env -i "$@"'
    settings = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root", "PYTHONPATH=/src"]
    return _run(["unshare", "-m", "sh", "-c", script, str(tree), *settings, *command], tree, otherwise)


def _run(command: list[str], where: Path, otherwise: str) -> str:
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise BuildError(f"{otherwise}: {(done.stderr or done.stdout)[-3_000:].strip()}")
    return done.stdout


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
