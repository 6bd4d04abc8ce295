"""What can be wrong with an agent, or between it and its server: a stable code each, what it means and what to do.

The same codes stand in the agent's status and log, in what `doctor` says on the host, and on the agent's page. Those
that also end a task are reasons (`libs.wire.reasons`), whose sentences count there.
"""

from enum import StrEnum
from typing import NamedTuple

from libs.wire.reasons import SENTENCES, Reason


class Trouble(StrEnum):
    """Every code that no task ends with."""

    # the way to the server
    SETTINGS_WRONG = "settings_wrong"
    PACKAGE_DAMAGED = "package_damaged"
    SERVER_NAME_UNKNOWN = "server_name_unknown"
    NO_CONTACT = "no_contact"
    PROXY_UNREACHABLE = "proxy_unreachable"
    PROXY_NEEDS_SIGN_IN = "proxy_needs_sign_in"
    PROXY_IN_THE_WAY = "proxy_in_the_way"
    CERTIFICATE_NOT_TRUSTED = "certificate_not_trusted"
    CLOCK_SKEW = "clock_skew"
    # being let in
    TOKEN_MISSING = "token_missing"  # noqa: S105 - a code
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a code
    USER_NAME_UNKNOWN = "user_name_unknown"
    NOT_LET_IN = "not_let_in"
    AGENT_QUARANTINED = "agent_quarantined"
    # the host
    CRYPT_UNAVAILABLE = "crypt_unavailable"
    TOOL_MISSING = "tool_missing"
    STATE_DISK_FULL = "state_disk_full"
    SERVICE_NOT_INSTALLED = "service_not_installed"
    SERVICE_NOT_RUNNING = "service_not_running"
    SELINUX_LABEL = "selinux_label"


class Words(NamedTuple):
    """One trouble, in words."""

    means: str
    remedy: str


_NO_WORK = "The agent takes no work until this is mended."

WORDS: dict[Trouble, Words] = {
    Trouble.SETTINGS_WRONG: Words(
        "The agent does not start half configured.", "Correct the line in agent.conf, then restart the agent."
    ),
    Trouble.PACKAGE_DAMAGED: Words(
        "The agent does not start.", "Unpack the package anew and install it over this one."
    ),
    Trouble.SERVER_NAME_UNKNOWN: Words(
        _NO_WORK, "Correct ServerName in agent.conf, or have this host's name service know the name."
    ),
    Trouble.NO_CONTACT: Words(
        _NO_WORK, "Let this host connect to the server's port: look at firewalls on the way, and at ServerPort."
    ),
    Trouble.PROXY_UNREACHABLE: Words(_NO_WORK, "Correct Proxy in agent.conf, or let this host connect to the proxy."),
    Trouble.PROXY_NEEDS_SIGN_IN: Words(_NO_WORK, "Write Proxy=http://name:password@host:port in agent.conf."),
    Trouble.PROXY_IN_THE_WAY: Words(
        _NO_WORK, "Have the proxy, portal or balancer between let this host's calls through as they are."
    ),
    Trouble.CERTIFICATE_NOT_TRUSTED: Words(
        _NO_WORK,
        "Where a proxy opens TLS on purpose, name its authority in TrustFile; else see who answers under this name.",
    ),
    Trouble.CLOCK_SKEW: Words(
        "Nothing depends on it: the agent goes by the server's clock.", "Set this host's clock, for its own logs' sake."
    ),
    Trouble.TOKEN_MISSING: Words("This machine cannot be let in.", "Install a newly built package."),
    Trouble.TOKEN_REFUSED: Words(
        "This machine is not let in with this package.", "Build another package for it and install that."
    ),
    Trouble.USER_NAME_UNKNOWN: Words(
        "This machine is not let in.", "Correct UserName in agent.conf, or add that user to Keyturn."
    ),
    Trouble.NOT_LET_IN: Words(
        "The machine is unmanaged so far.", "Start the agent; if it waits for approval, approve it under Admin, Agents."
    ),
    Trouble.AGENT_QUARANTINED: Words(
        "Two machines use this agent's identity; nothing is sent to either.",
        "Choose the right one under Admin, Agents.",
    ),
    Trouble.CRYPT_UNAVAILABLE: Words(
        "No password can be compared on this host.", "Install the host's libcrypt (libcrypt1 or libxcrypt)."
    ),
    Trouble.TOOL_MISSING: Words(
        "No password can be set on this host.", "Install the package that has chpasswd: passwd."
    ),
    Trouble.STATE_DISK_FULL: Words(
        "The agent cannot write its journal, and begins nothing.", "Free space on the file system of its state folder."
    ),
    Trouble.SERVICE_NOT_INSTALLED: Words(
        "Nothing starts the agent on this host.",
        "sh /opt/keyturn-agent/installAgent-service.sh install, from a package.",
    ),
    Trouble.SERVICE_NOT_RUNNING: Words(_NO_WORK, "sh /opt/keyturn-agent/installAgent-service.sh start"),
    Trouble.SELINUX_LABEL: Words(
        "The service may not start, or the host's tools may not work, from the next boot on.",
        "restorecon -R on that path; then look for AVC lines: ausearch -m avc -ts recent",
    ),
}


def remedy_of(code: str) -> str:
    """What to do against a code of either kind; empty for one that this version does not know."""
    trouble = next((each for each in Trouble if each == code), None)
    if trouble is not None:
        return WORDS[trouble].remedy
    reason = next((each for each in Reason if each == code), None)
    return "" if reason is None else SENTENCES[reason].next
