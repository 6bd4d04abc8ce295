"""A zip that grows at its end.

The runtime's bytes come first and never change, so gateways keep them and the bundler makes only what follows.

    prefix   the runtime zip up to its central directory: the same bytes in every package of that release
    tail     local entries of the added files, the runtime's directory as it was, the added files' directory, the end

A zip's directory gives each entry's offset from the start, so the runtime's own directory stays right when its entries
come first. Everything added is stored, not deflated, and carries one fixed date: the same inputs give the same bytes on
every machine, whatever its zlib or clock. (APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16; no zip64.)
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_LOCAL_SIGN, _CENTRAL_SIGN, _END_SIGN = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"

_VERSION = 20
_MADE_ON_UNIX = (3 << 8) | _VERSION
_STORED = 0
_MIDNIGHT, _FIRST_DAY = 0, (1 << 5) | 1  # 1980-01-01 00:00, the oldest date that a zip can tell
_REGULAR_FILE = 0o100000
_ZIP64_ENTRIES, _ZIP64_OFFSET = 0xFFFF, 0xFFFFFFFF


class RuntimeUnusableError(ValueError):
    """The runtime is no plain zip, or the package would need zip64. Permanent."""


@dataclass(frozen=True)
class Directory:
    """What is left of a runtime when its bytes are elsewhere."""

    prefix_bytes: int
    entries: int
    raw: bytes  # the central directory, without its end


@dataclass(frozen=True)
class Added:
    """One file to append: an ASCII path with `/`, permission bits, and its bytes."""

    path: str
    mode: int
    content: bytes


def split(runtime: bytes) -> Directory:
    """Where the prefix of a runtime zip ends, and its directory.

    Raises:
        RuntimeUnusableError: no zip, a zip with a comment, several disks or zip64, or bytes between its parts.
    """
    if len(runtime) < _END.size or runtime[-_END.size :][:4] != _END_SIGN:
        raise RuntimeUnusableError("the runtime does not end as a zip without a comment does")
    _, disk, first, here, entries, size, offset, comment = _END.unpack(runtime[-_END.size :])
    if (disk, first, comment) != (0, 0, 0) or here != entries:
        raise RuntimeUnusableError("the runtime is a zip of several disks or with a comment")
    if entries == _ZIP64_ENTRIES or offset == _ZIP64_OFFSET or offset + size + _END.size != len(runtime):
        raise RuntimeUnusableError("the runtime is a zip64, or has bytes between its parts")
    return Directory(offset, entries, runtime[offset : offset + size])


def tail(runtime: Directory, files: Sequence[Added]) -> bytes:
    """What makes a zip of the runtime's prefix and `files`, in this order.

    Raises:
        RuntimeUnusableError: the package would need zip64.
        ValueError: a path is not ASCII or there twice.
    """
    if len({file.path for file in files}) != len(files):
        raise ValueError("a path is there twice")
    local, central, offset = bytearray(), bytearray(), runtime.prefix_bytes
    for file in files:
        central += _directory_entry(file, offset + len(local))
        local += _local_entry(file)
    start, size = offset + len(local), len(runtime.raw) + len(central)
    entries = runtime.entries + len(files)
    if entries >= _ZIP64_ENTRIES or start + size >= _ZIP64_OFFSET:
        raise RuntimeUnusableError("a package of this size would need zip64")
    end = _END.pack(_END_SIGN, 0, 0, entries, entries, size, start, 0)
    return bytes(local) + runtime.raw + bytes(central) + end


def _local_entry(file: Added) -> bytes:
    name, size = file.path.encode("ascii"), len(file.content)
    header = _LOCAL.pack(
        _LOCAL_SIGN,
        *(_VERSION, 0, _STORED, _MIDNIGHT, _FIRST_DAY),
        *(zlib.crc32(file.content), size, size),
        *(len(name), 0),
    )
    return header + name + file.content


def _directory_entry(file: Added, offset: int) -> bytes:
    name, size = file.path.encode("ascii"), len(file.content)
    header = _CENTRAL.pack(
        _CENTRAL_SIGN,
        *(_MADE_ON_UNIX, _VERSION, 0, _STORED, _MIDNIGHT, _FIRST_DAY),
        *(zlib.crc32(file.content), size, size),
        *(len(name), 0, 0, 0, 0),
        *((_REGULAR_FILE | file.mode) << 16, offset),
    )
    return header + name
