"""Whether passwords can be set and compared on this host: privilege, the host's tool and library, the account files."""

from dataclasses import dataclass
from typing import Final

from agent.backends.ports import Busy
from agent.backends.preflight import Obstacle
from agent.doctor.finding import Finding
from libs.wire.reasons import Reason
from libs.wire.troubles import Trouble

NEEDED: Final = {"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_FOWNER": 3}
"""What the host's own tool was seen to need, by its bit."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What was seen. `user` and `capabilities` are those of the agent where it runs, else of whoever looks."""

    user: int
    capabilities: int
    has_tool: bool
    crypt_error: str = ""
    obstacle: Obstacle | None = None
    busy: Busy | None = None


def findings(ground: Ground) -> list[Finding]:
    """Privilege, tool, library, account files, their lock."""
    return [
        _privilege(ground),
        Finding("tool", "chpasswd is there")
        if ground.has_tool
        else Finding("tool", "there is no chpasswd", Trouble.TOOL_MISSING),
        Finding("library", ground.crypt_error, Trouble.CRYPT_UNAVAILABLE)
        if ground.crypt_error
        else Finding("library", "libcrypt compares passwords as the host does"),
        Finding("account files", ground.obstacle.sentence, ground.obstacle.reason)
        if ground.obstacle
        else Finding("account files", "/etc/shadow can be replaced, as the host's tool does"),
        Finding("their lock", ground.busy.sentence, Reason.ACCOUNT_DB_BUSY)
        if ground.busy
        else Finding("their lock", "nobody holds it"),
    ]


def _privilege(ground: Ground) -> Finding:
    if ground.user != 0:
        return Finding("privilege", f"it runs as user {ground.user}, not as root", Reason.NO_PRIVILEGE)
    lacks = [name for name, bit in NEEDED.items() if not ground.capabilities >> bit & 1]
    if lacks:
        return Finding("privilege", f"root, but without {', '.join(lacks)}", Reason.NO_PRIVILEGE)
    return Finding("privilege", "root, with every capability that is needed")
