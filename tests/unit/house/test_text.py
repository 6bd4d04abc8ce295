"""What must not stand in any committed file."""

import re

from tests.unit.house.tree import committed_files, text_files, where

# Put together here, so that this file does not find itself.
LATER = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME")) + r")\b")
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
        ("npmjs", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
    )
)


def test_nothing_is_left_for_later_in_the_text() -> None:
    """A note to oneself is read by nobody who could act on it: what is to be done is an issue, the rest is done."""
    assert [where(path) for path, text in text_files() if LATER.search(text)] == []


def test_no_file_names_a_package_registry() -> None:
    """A lock that named an index could be installed nowhere else: where packages come from is set on each machine."""
    found = [f"{where(path)}: {host}" for path, text in text_files() for host in REGISTRIES if host in text]
    assert found == []


def test_shell_scripts_end_their_lines_with_lf() -> None:
    """A script that a Windows editor saved stops a host's installer with `/bin/sh^M: not found`."""
    scripts = [path for path in committed_files() if path.suffix == ".sh" or path.read_bytes()[:2] == b"#!"]
    assert scripts
    assert [where(path) for path in scripts if b"\r" in path.read_bytes()] == []
