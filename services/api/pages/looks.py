"""How states look: a glyph, a word and a tone. What a state means is decided elsewhere and only shown here.

Colour is never alone: each glyph has a shape of its own, and the word stands beside it.
"""

from typing import NamedTuple

from libs.domain.state import Kind, Phase, Status, VersionState
from libs.store.incidents import IncidentKind
from libs.store.shares import Level
from libs.store.users import Role
from libs.wire.requests import Platform
from services.api.access import AT_MOST, Caller
from services.api.accounts.schemas import AccountBrief, NextStep
from services.api.agents.words import Condition
from services.api.tasks.schemas import TaskState, TaskView


class Look(NamedTuple):
    """`glyph` names a symbol of glyphs.html, `tone` a class of components.css."""

    glyph: str
    word: str
    tone: str


STATUS: dict[Status, Look] = {
    Status.QUARANTINED: Look("octagon", "Quarantined", "quarantined"),
    Status.DRIFT: Look("triangle", "Drift", "drift"),
    Status.UNCERTAIN: Look("diamond", "Uncertain", "uncertain"),
    Status.PENDING: Look("clock", "Pending", "pending"),
    Status.IN_SYNC: Look("tick", "In sync", "sync"),
    Status.UNMANAGED: Look("dashed", "Unmanaged", "none"),
}
"""In the order of every list: most urgent first."""

AT_THE_AGENT = Look("half", "Pending, at the agent", "pending")
KINDS = {
    "locked": "locked",
    "expired": "expired",
    "no_password": "no password",
    "no_login_shell": "no log-in shell",
    "root_equivalent": "root-equivalent",
    "system": "system",
}
PLATFORMS = {Platform.LINUX: "Linux", Platform.WINDOWS: "Windows", Platform.WINDOWS_DOMAIN: "Domain"}
ACTIONS = {Kind.RESET: "Change Password", Kind.VERIFY: "Verify Password", Kind.ADOPT: "State Password"}
ASKED = {
    Kind.RESET: "asked for a new password",
    Kind.VERIFY: "asked for a comparison",
    Kind.ADOPT: "stated the live password",
}
DOING = {Kind.RESET: "is changing it", Kind.VERIFY: "is verifying it", Kind.ADOPT: "has it compared"}
VERSIONS: dict[VersionState, Look] = {
    VersionState.ESCROWED: Look("clock", "Not given to an agent yet", "pending"),
    VersionState.OFFERED: Look("half", "Given to the agent", "uncertain"),
    VersionState.PROVEN: Look("tick", "Proven", "sync"),
    VersionState.REFUSED: Look("cross", "Not live", "drift"),
    VersionState.WITHDRAWN: Look("minus", "Taken back", "none"),
    VersionState.STATED: Look("dashed", "Stated", "none"),
}
_TASKS: dict[TaskState, Look] = {
    TaskState.REQUESTED: Look("clock", "Waiting for the agent", "pending"),
    TaskState.QUEUED: Look("clock", "Waiting for the agent", "pending"),
    TaskState.OFFERED: Look("half", "At the agent", "pending"),
    TaskState.UNANSWERED: Look("diamond", "No answer", "uncertain"),
    TaskState.REFUSED: Look("cross", "Refused", "drift"),
    TaskState.CANCELLED: Look("minus", "Cancelled", "none"),
    TaskState.EXPIRED: Look("minus", "Ended at its deadline", "none"),
    TaskState.CANNOT_TELL: Look("diamond", "Cannot tell", "uncertain"),
}

AGENTS: dict[Condition, Look] = {
    Condition.QUARANTINED: Look("octagon", "On two machines", "quarantined"),
    Condition.SILENT: Look("slash", "Silent", "uncertain"),
    Condition.UNHEARD: Look("slash", "Not heard yet", "uncertain"),
    Condition.REVOKED: Look("minus", "Revoked", "none"),
    Condition.LEFT: Look("minus", "Left", "none"),
}
WAITS = Look("clock", "Waits for approval", "pending")
INCIDENTS = {
    IncidentKind.TOKEN_USED_BY_ANOTHER_KEY: Look("triangle", "A used package was tried again", "drift"),
    IncidentKind.IDENTITY_ON_TWO_MACHINES: Look("octagon", "One identity is on two machines", "quarantined"),
}
"""By the incident's kind."""

LEVELS = {
    Level.SEE: "States, proofs and history",
    Level.USE: "Change, verify and reveal as well",
    Level.MANAGE: "Share it as well, and replace its agent",
}
"""What a share allows."""

ROLES = {
    Role.USER: "Has the machines under their own name, and what is shared with them",
    Role.OPERATOR: "Sees and uses every machine",
    Role.AUDITOR: "Sees everything, reads the audit, changes nothing",
    Role.ADMINISTRATOR: "Does everything, adds people, reads the audit",
}

ADMIN = (("/admin/agents", "Agents"), ("/admin/about", "About"))
"""The pages at the side of *Admin*."""


def pages(caller: Caller) -> tuple[tuple[str, str, str], ...]:
    """The pages of the top bar for this person: path, name and word."""
    resources = ("/resources", "resources", "Resources")
    if not caller.is_overseer:
        return resources, ("/admin/agents", "admin", "Agents")
    others = (("/audit", "audit", "Audit"), ("/people", "people", "People"), ("/admin/agents", "admin", "Admin"))
    return resources, *others


def builds_packages(caller: Caller) -> bool:
    """Whether the person's role may build a package, for their own user name at least."""
    return AT_MOST.get(caller.role, Level.MANAGE) is Level.MANAGE


def of_account(view: AccountBrief) -> Look:
    """The look of an account's status."""
    at_agent = view.flight is not None and view.flight.phase is Phase.OFFERED
    return AT_THE_AGENT if view.status is Status.PENDING and at_agent else STATUS[view.status]


def of_task(task: TaskView) -> Look:
    """The look of a task: what became of it, or where it is."""
    if task.state is not TaskState.DONE:
        return _TASKS[task.state]
    if task.opens is False:
        return Look("triangle", "Does not open the account", "drift")
    return Look("tick", "Proven" if task.kind is Kind.RESET else "Opens the account", "sync")


class Step(NamedTuple):
    """One step of a task's way; `reach` says how far its line goes: not, half, whole."""

    glyph: str
    word: str
    tone: str
    at: int | None
    reach: str
    since: bool = False  # it lasts since `at`


def way(task: TaskView) -> tuple[Step, ...]:
    """The way of a task: asked, at the agent, and how it ended."""
    look, waits = of_task(task), task.offered_at is None and task.open
    first = Step("clock" if waits else "passed", "Queued", "pending", task.requested_at, "half" if waits else "whole")
    goal = Step("ring", "Proven" if task.kind is Kind.RESET else "Compared", "later", None, "not")
    agent = Step("ring", "At the agent", "later", None, "not")
    if task.offered_at is not None:
        now = task.state is TaskState.OFFERED
        agent = Step(
            "half" if now else "passed", "At the agent", "pending", task.offered_at, "half" if now else "whole"
        )
    if task.open and task.state is not TaskState.UNANSWERED:
        return first, agent, goal
    last = Step(look.glyph, look.word, look.tone, task.ended_at or task.offered_at, "not", since=task.open)
    return (first, last) if task.offered_at is None else (first, agent, last)


_SHOWN_MILLIS = 60_000


def has_way(task: TaskView, now: int) -> bool:
    """Whether a task's way is worth its room: while it is open, a minute after it went well, longer when it did not."""
    good = task.state in (TaskState.DONE, TaskState.CANCELLED) and task.opens is not False
    return task.open or not good or now - (task.ended_at or now) < _SHOWN_MILLIS


def button(view: AccountBrief) -> str | None:
    """The one button that a row shows: the next step, where it is a person's and not the first password."""
    if view.next_step is NextStep.SET_PASSWORD and view.status is not Status.UNMANAGED:
        return "change"
    if view.next_step is NextStep.VERIFY:
        return "verify"
    if may_cancel(view):
        return "cancel"
    return None


def may_cancel(view: AccountBrief) -> bool:
    """Whether a task waits that no agent has."""
    return view.flight is not None and view.flight.task is not None and view.flight.phase is Phase.QUEUED
