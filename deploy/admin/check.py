"""Whether a folder of keys is as `init` made it: files, modes, and that each private key fits its public half."""

import stat
from collections.abc import Iterator
from pathlib import Path

from deploy.admin import layout
from deploy.admin.errors import AdminError
from deploy.admin.keys import load_release, public_half, public_of
from libs.wire.key_files import blocks


def check(folder: Path) -> tuple[str, ...]:
    """What is wrong, a sentence each; nothing when all is well.

    A service's folder may have been taken to another machine: where it is missing as a whole, it is passed over.
    """
    if not (folder / layout.PUBLIC).is_dir():
        return (f"{folder / layout.PUBLIC} is missing: this is no folder that init made.",)
    return (*_public(folder), *_private(folder), *_pairs(folder))


def _public(folder: Path) -> Iterator[str]:
    for name in layout.PUBLIC_FILES:
        path = folder / layout.PUBLIC / name
        if not path.is_file():
            remedy = ": no package can be built until it is there" if name == layout.RELEASE else ""
            yield f"{path} is missing{remedy}."
        elif path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            yield f"{path} can be changed by others: chmod 644 it."
    if (folder / layout.PUBLIC / layout.RELEASE).is_file():
        try:
            load_release(folder / layout.PUBLIC / layout.RELEASE)
        except AdminError as error:
            yield f"{error}."


def _private(folder: Path) -> Iterator[str]:
    for name, files in layout.PRIVATE_FILES.items():
        place = folder / name
        if not place.is_dir():
            continue
        if stat.S_IMODE(place.stat().st_mode) & 0o077:
            yield f"{place} can be read by others: chmod 700 it."
        for file in files:
            path = place / file
            if not path.is_file():
                yield f"{path} is missing."
            elif stat.S_IMODE(path.stat().st_mode) & 0o077:
                yield f"{path} can be read by others: chmod 600 it."


def _pairs(folder: Path) -> Iterator[str]:
    for pair in layout.PAIRS:
        private, public = folder / pair.folder / pair.private, folder / layout.PUBLIC / pair.public
        if not private.is_file() or not public.is_file():
            continue
        for path, read in ((private, public_half), (public, public_of)):
            try:
                found = [read(each) for each in blocks(path.read_bytes()) or (b"",)]
            except AdminError as error:
                yield f"{path}: {error}."
                break
            if path is private:
                halves = found
            elif found[0] not in halves:
                yield f"{private} is not the key of {public}."
