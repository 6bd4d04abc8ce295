"""The environment and the limits of every tool that the agent starts."""

import ctypes
import shutil
import signal
from collections.abc import Callable, Mapping
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Nothing but a fixed path and language.

    The packed agent's loader points LD_LIBRARY_PATH at the libraries beside the program and keeps the host's own value
    in LD_LIBRARY_PATH_ORIG; a tool of the host must load the host's libraries.
    """
    clean = {"PATH": _PATH, "LC_ALL": "C", "HOME": "/"}
    if original := environ.get("LD_LIBRARY_PATH_ORIG"):
        clean["LD_LIBRARY_PATH"] = original
    return clean


def on_path(tool: str) -> bool:
    """Whether a tool is where the agent's children look for it."""
    return shutil.which(tool, path=_PATH) is not None


def die_with_parent() -> Callable[[], None]:
    """What a child calls between fork and exec so that the kernel kills it when the agent's main thread ends.

    The library is looked up here, before the fork: the child of a process with threads must not load anything.
    """
    prctl = ctypes.CDLL(None).prctl
    prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong]

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    return in_child
