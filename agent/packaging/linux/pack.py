"""PyInstaller packs what the agent imports and nothing else, with the interpreter that runs this."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAM = "keyturn-agent"

# What a library imports where it finds it, and the agent never uses: PyInstaller finds all of it in a developer's
# environment. The host's own libcrypt is asked, so neither the standard library's module for it nor a copy is packed.
_LEFT_OUT = (
    *("tkinter", "unittest", "test", "pydoc", "doctest", "pdb", "lib2to3", "distutils", "setuptools", "pip"),
    *("readline", "curses", "sqlite3", "crypt", "_crypt", "agent.packaging"),
    *("hypothesis", "pytest", "_pytest", "mypy", "mypyc", "mypy_extensions", "pydantic.mypy", "pydantic.v1"),
    *("uvloop", "trio", "rich", "click", "pygments", "IPython", "dotenv", "yaml"),
)


class BuildError(Exception):
    """The runtime cannot be built here; the sentence says why."""


def pack(root: Path, work: Path) -> Path:
    """The folder that PyInstaller makes below `work`, of the checkout `root`.

    Raises:
        BuildError: a tool is missing, or refuses.
    """
    if shutil.which("objdump") is None:
        raise BuildError("the packed agent needs objdump: apt-get install binutils")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", "--onedir", "--log-level", "WARN"]
    # Debian's strip breaks nothing here; on a host without it PyInstaller packs unstripped.
    command += ["--strip"] if shutil.which("strip") else []
    command += ["--name", PROGRAM, "--paths", str(root)]
    for place in ("dist", "work", "spec"):
        command += [f"--{place}path", str(work / place)]
    for module in _LEFT_OUT:
        command += ["--exclude-module", module]
    command.append(str(root / "agent/__main__.py"))
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(work), "PYTHONHASHSEED": "1"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise BuildError(f"PyInstaller did not build the agent:\n{done.stderr[-3_000:]}")
    return work / "dist" / PROGRAM
