"""What is wrong with an agent, in words: what happened, what it means, what to do next."""

from enum import StrEnum
from typing import NamedTuple

from services.api.agents.schemas import AgentView, SaidView
from services.api.resources.schemas import AgentBrief
from services.api.words import ago, clock

SILENT_AFTER = 5 * 60 * 1_000
"""Milliseconds. A held poll ends within a minute, so an agent that can call is heard far more often."""


class Condition(StrEnum):
    """What an agent's certificate and its calls tell; most urgent first."""

    QUARANTINED = "quarantined"
    SILENT = "silent"
    UNHEARD = "unheard"
    REVOKED = "revoked"
    LEFT = "left"


class Trouble(NamedTuple):
    """What is wrong."""

    condition: Condition
    sentences: tuple[str, str, str]


SAID_FOR = 24 * 3_600 * 1_000
"""Milliseconds for which a page shows what an agent told of its machine."""


def lately(agent: AgentView, now: int) -> tuple[SaidView, ...]:
    """What its machine met within a day, newest first."""
    return tuple(each for each in agent.said if now - each.last_at < SAID_FOR)


def is_silent(agent: AgentBrief | None, now: int) -> bool:
    """Whether an agent that has called before should have called since; `now` in Unix milliseconds."""
    heard = None if agent is None or agent.state != "active" else agent.last_seen
    return heard is not None and now - heard >= SILENT_AFTER


def trouble(agent: AgentView, now: int) -> Trouble | None:
    """What is wrong with `agent`, if anything is; `now` in Unix milliseconds."""
    if agent.state == "revoked":
        because = f": {agent.revoked_because.rstrip('.')}" if agent.revoked_because else ""
        return Trouble(
            Condition.REVOKED,
            (
                f"The agent was revoked and gets no work{because}.",
                "The passwords of its machine are kept.",
                "Build a package for this machine to give it another agent.",
            ),
        )
    if agent.state == "left":
        return Trouble(
            Condition.LEFT,
            (
                f"The agent was removed from its machine {ago(agent.revoked_at or now, now)}.",
                "It handed over what it knew, and the passwords of its machine are kept.",
                "Build a package for this machine to manage it again.",
            ),
        )
    if agent.machines:
        return Trouble(Condition.QUARANTINED, _two_machines(agent))
    if now - (agent.last_seen or agent.enrolled_at) < SILENT_AFTER:
        return None
    if agent.last_seen is None:
        return Trouble(
            Condition.UNHEARD,
            (
                f"It was let in {ago(agent.enrolled_at, now)} and has not called since.",
                "Nothing is known of its machine yet.",
                "On the machine, as root: sh installAgent-service.sh status",
            ),
        )
    return Trouble(
        Condition.SILENT,
        (
            f"It last called {ago(agent.last_seen, now)}. Changes wait until it calls again.",
            f"All states of its machine are from {clock(agent.last_seen, now)}.",
            "On the machine, as root: sh installAgent-service.sh status",
        ),
    )


def _two_machines(agent: AgentView) -> tuple[str, str, str]:
    named = ", and ".join(f"{each.host_name or 'a machine'} at {each.address}" for each in agent.machines)
    chosen = next((each for each in agent.machines if each.chosen), None)
    return (
        f"More than one machine uses this agent's identity: {named}.",
        "Nothing is sent to any of them, and the vault keeps every password.",
        "An administrator chooses the right one."
        if chosen is None
        else f"{chosen.host_name or 'One'} was chosen. It gets other keys at its next contact, and the others are out.",
    )
