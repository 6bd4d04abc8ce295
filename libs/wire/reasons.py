"""Reason codes: why a task ended as it did, or why an agent is in trouble.

A code is stable and never used for another meaning. Each has three sentences: what happened, what it means for the
password, what to do next. "Nothing changed" stands only where the old password was compared live afterwards, where the
agent refused before it began, or where no agent ever had the task.
"""

from enum import StrEnum
from typing import NamedTuple


class Reason(StrEnum):
    """Every reason code of a task."""

    # the account and its flight
    ACCOUNT_BUSY = "account_busy"
    ACCOUNT_UNCERTAIN = "account_uncertain"
    ACCOUNT_QUARANTINED = "account_quarantined"
    ACCOUNT_UNKNOWN = "account_unknown"
    NOTHING_TO_VERIFY = "nothing_to_verify"
    PASSWORD_KNOWN = "password_known"  # noqa: S105 - a reason code
    STATED_NOT_LIVE = "stated_not_live"
    NO_AGENT = "no_agent"
    AGENT_REVOKED = "agent_revoked"
    REQUEST_NOT_TRUSTED = "request_not_trusted"
    REQUEST_TOO_LATE = "request_too_late"
    ALREADY_AT_AGENT = "already_at_agent"
    CANCELLED = "cancelled"
    DEADLINE_PASSED = "deadline_passed"
    NO_ANSWER = "no_answer"
    # the host
    PASSWORD_NOT_SETTABLE = "password_not_settable"  # noqa: S105 - a reason code
    NOT_A_LOCAL_ACCOUNT = "not_a_local_account"
    ACCOUNT_LOCKED = "account_locked"
    ACCOUNT_DB_BUSY = "account_db_busy"
    ETC_READ_ONLY = "etc_read_only"
    SHADOW_IMMUTABLE = "shadow_immutable"
    SHADOW_IS_MOUNT = "shadow_is_mount"
    DISK_FULL = "disk_full"
    NO_PRIVILEGE = "no_privilege"
    REFUSED_BY_HOST = "refused_by_host"
    NOT_LIVE_AFTER_SET = "not_live_after_set"
    HASH_NOT_KNOWN = "hash_not_known"
    TOOL_UNFINISHED = "tool_unfinished"
    # the agent's own rules
    STALE_GENERATION = "stale_generation"
    JOB_NOT_TRUSTED = "job_not_trusted"
    JOB_TOO_LATE = "job_too_late"
    JOURNAL_UNWRITABLE = "journal_unwritable"


class Sentences(NamedTuple):
    """One reason, in words."""

    happened: str
    means: str
    next: str


_SAFE = "Nothing changed."
_OLD_LIVE = "Nothing changed; the old password stays live."

SENTENCES: dict[Reason, Sentences] = {
    Reason.ACCOUNT_BUSY: Sentences(
        "Another task is changing or checking this account.", _SAFE, "Ask again when it has ended."
    ),
    Reason.ACCOUNT_UNCERTAIN: Sentences(
        "Which password is live is not certain, so none is set before a comparison has told.",
        "Nothing changed; Keyturn holds every candidate.",
        "Verify the account first; the comparison also runs by itself at the agent's next contact.",
    ),
    Reason.ACCOUNT_QUARANTINED: Sentences(
        "Two machines use this agent's identity.",
        "Nothing was sent; the passwords are kept.",
        "Choose the right machine under Agents.",
    ),
    Reason.ACCOUNT_UNKNOWN: Sentences(
        "The vault has no such account.", _SAFE, "Reload the list of accounts and ask again."
    ),
    Reason.NOTHING_TO_VERIFY: Sentences(
        "Keyturn has never set this password, so it has nothing to compare.", _SAFE, "Set a password first."
    ),
    Reason.PASSWORD_KNOWN: Sentences(
        "Keyturn has proven the live password of this account already.",
        _SAFE,
        "Verify it where you doubt that; where it was changed on the host, you can state it afterwards.",
    ),
    Reason.STATED_NOT_LIVE: Sentences(
        "The password that was stated does not open the account.",
        "Nothing was set; what is live on the host stays live.",
        "State the right one, or set a new password.",
    ),
    Reason.NO_AGENT: Sentences(
        "The resource has no agent with a valid certificate.", _SAFE, "Enrol the machine again with a new package."
    ),
    Reason.AGENT_REVOKED: Sentences(
        "The machine's agent was revoked before it had the task.",
        _SAFE,
        "Enrol the machine again with a package that is built for it, then ask again.",
    ),
    Reason.REQUEST_NOT_TRUSTED: Sentences(
        "The request's signature was not the gateway's.",
        _SAFE,
        "Tell your administrator: somebody may be writing to the store.",
    ),
    Reason.REQUEST_TOO_LATE: Sentences("The request was picked up only after its deadline.", _SAFE, "Ask again."),
    Reason.ALREADY_AT_AGENT: Sentences(
        "The agent has the task already, so it cannot be cancelled.",
        "Either password may open the account until it is proven.",
        "Wait for the answer, then change the password again if you need to.",
    ),
    Reason.CANCELLED: Sentences("Cancelled before an agent had it.", _SAFE, "Ask again when you want the change."),
    Reason.DEADLINE_PASSED: Sentences(
        "No agent took it before its deadline, so it ended.",
        _SAFE,
        "See whether the agent is in contact, then ask again.",
    ),
    Reason.NO_ANSWER: Sentences(
        "No answer came after the agent took the task.",
        "More than one password may be live; Keyturn holds every one of them.",
        "The comparison runs by itself at the agent's next contact; until then reveal shows every candidate.",
    ),
    Reason.PASSWORD_NOT_SETTABLE: Sentences(
        "A password must have 1 to 511 bytes and no line break or NUL.", _OLD_LIVE, "Choose another password."
    ),
    Reason.NOT_A_LOCAL_ACCOUNT: Sentences(
        "The account has no line in the host's own /etc/passwd, so it lives in a directory or is gone.",
        _OLD_LIVE,
        "Change it where it lives, or look at the list of accounts again.",
    ),
    Reason.ACCOUNT_LOCKED: Sentences(
        "The account has no password on the host: it was made without one, so only locked log-in is possible.",
        _SAFE,
        "Ask for the change with “and unlock” if it shall have a usable password.",
    ),
    Reason.ACCOUNT_DB_BUSY: Sentences(
        "Another program holds the lock of the host's account files.",
        _OLD_LIVE,
        "The detail names its process; ask again when it has ended.",
    ),
    Reason.ETC_READ_ONLY: Sentences(
        "The agent cannot write /etc/shadow: /etc is mounted read-only.", _OLD_LIVE, "Remount it, then ask again."
    ),
    Reason.SHADOW_IMMUTABLE: Sentences(
        "/etc/shadow carries the immutable attribute.",
        _OLD_LIVE,
        "Take it away with chattr -i if it is not meant, then ask again.",
    ),
    Reason.SHADOW_IS_MOUNT: Sentences(
        "/etc/shadow is a mount point, so no tool can replace it.",
        _OLD_LIVE,
        "Mount the folder instead of the file, then ask again.",
    ),
    Reason.DISK_FULL: Sentences(
        "The host's disk is full.", _OLD_LIVE, "Free some space on /etc's file system, then ask again."
    ),
    Reason.NO_PRIVILEGE: Sentences(
        "The agent may not write the account files.",
        _OLD_LIVE,
        "Run the agent as root with the unit that its package installs.",
    ),
    Reason.REFUSED_BY_HOST: Sentences(
        "The host refused the password.", _OLD_LIVE, "Read what the host said, choose another password."
    ),
    Reason.NOT_LIVE_AFTER_SET: Sentences(
        "The host's tool said it was done, but the new password does not open the account.",
        "The old password may still be live; Keyturn holds both.",
        "Look at the host's PAM configuration, then verify the account.",
    ),
    Reason.HASH_NOT_KNOWN: Sentences(
        "The host stores this password in a format that its own library cannot check.",
        "Whether the password opens the account cannot be told.",
        "Set a new password; the host then stores it in its current format.",
    ),
    Reason.TOOL_UNFINISHED: Sentences(
        "The host's tool was still at work when the agent had to answer.",
        "Either password may be live; Keyturn holds both.",
        "The agent compares again by itself; wait for its next contact.",
    ),
    Reason.STALE_GENERATION: Sentences(
        "The agent already knows a newer password, so it refused the older one.",
        _SAFE,
        "Look at the account's history.",
    ),
    Reason.JOB_NOT_TRUSTED: Sentences(
        "The agent refused the job: it was not signed by the scheduler for this agent.",
        _SAFE,
        "Tell your administrator: something between vault and agent may be altered.",
    ),
    Reason.JOB_TOO_LATE: Sentences(
        "The agent took the job only after its deadline and did not begin.", _SAFE, "Ask again."
    ),
    Reason.JOURNAL_UNWRITABLE: Sentences(
        "The agent cannot write its journal, so it did not begin.",
        _SAFE,
        "Free space in /var/lib/keyturn-agent, then ask again.",
    ),
}


class Remark(StrEnum):
    """What a comparison adds to its answer."""

    HASH_IGNORES_TAIL = "hash_ignores_tail"
    LOCKED = "locked"
    EXPIRED = "expired"
    HASH_IS_WEAK = "hash_is_weak"


VERSIONS: dict[str, str] = {
    "escrowed": "in the vault; no agent had it yet",
    "offered": "an agent had it; whether it is live was never compared",
    "proven": "compared live once",
    "refused": "an agent had it; compared not live",
    "withdrawn": "taken back before any agent had it",
    "stated": "a person stated it; not compared yet",
}
"""What is known of a password version, by its state."""

REMARKS: dict[Remark, str] = {
    Remark.HASH_IGNORES_TAIL: "The host's hash ignores the end of this password: other passwords open the account too.",
    Remark.LOCKED: "The account is locked on the host; the password was compared behind the lock.",
    Remark.EXPIRED: "The account or its password has expired on the host.",
    Remark.HASH_IS_WEAK: "The host stores this password with an outdated hash.",
}


class UpgradeTrouble(StrEnum):
    """Why an agent did not take a newer release, or did not keep it. It goes on as it was, whatever the code."""

    NOT_TRUSTED = "upgrade_not_trusted"
    TOO_OLD = "upgrade_too_old"
    EXPIRED = "upgrade_expired"
    OTHER_MACHINE = "upgrade_other_machine"
    LIBC_TOO_OLD = "upgrade_libc_too_old"
    DAMAGED = "upgrade_damaged"
    NO_SPACE = "upgrade_no_space"
    DOES_NOT_START = "upgrade_does_not_start"
    WENT_BACK = "upgrade_went_back"


UPGRADES: dict[UpgradeTrouble, tuple[str, str]] = {
    UpgradeTrouble.NOT_TRUSTED: (
        "The offered release is not signed by a release key that this agent trusts.",
        "Somebody may have altered the gateway or the store: see `keyturn-server runtime list`.",
    ),
    UpgradeTrouble.TOO_OLD: (
        "The offered release is older than one that this agent has run.",
        "Add a newer release. If none of yours is that old, the gateway may have turned.",
    ),
    UpgradeTrouble.EXPIRED: (
        "The offered release's time is over, by the machine's clock or the server's.",
        "Sign it again with `make runtime-linux`, or look at the two clocks.",
    ),
    UpgradeTrouble.OTHER_MACHINE: (
        "The offered release is for another kind of processor or platform.",
        "Add a runtime for this machine; until then it keeps the one that it has.",
    ),
    UpgradeTrouble.LIBC_TOO_OLD: (
        "The offered release needs a newer C library than this machine has.",
        "Add a runtime from `make runtime-linux-portable`, which runs from glibc 2.31 on.",
    ),
    UpgradeTrouble.DAMAGED: (
        "What was downloaded is not what the release signed.",
        "The agent tries again by itself. If it stays so, add the runtime again.",
    ),
    UpgradeTrouble.NO_SPACE: (
        "The machine has no space for the release beside the present one.",
        "Free some space on the file systems of /opt and /var/lib.",
    ),
    UpgradeTrouble.DOES_NOT_START: (
        "The release did not run on this machine when it was tried beside the present one.",
        "Read its words in the agent's log on the machine; the present one goes on.",
    ),
    UpgradeTrouble.WENT_BACK: (
        "The release was started, did not reach the server in time, and the one before was put back.",
        "The agent tries it twice more, a day apart. Take the release back if more machines say so.",
    ),
}
"""What happened, and what to do. No password is concerned: the release before goes on."""
