"""Which processes still belong to a state folder."""

from pathlib import Path


def leftovers(state: Path) -> list[str]:
    """The command lines of all living processes whose words, environment or working directory name the folder."""
    wanted = str(state).encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes()
            environment = (entry / "environ").read_bytes()
            cwd = str((entry / "cwd").readlink()).encode() if words else b""
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if words and any(wanted in place for place in (words, environment, cwd)):
            found.append(words.replace(b"\x00", b" ").decode(errors="replace"))
    return found
