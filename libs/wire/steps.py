"""The named steps of a reset and a verify, and what a fault test may do to a process at one of them.

Each process calls `step` where something has just become true: a document was written, a tool was started. In service
this does nothing. Only a process whose environment names a file in KEYTURN_FAILPOINT looks at that file at each step;
one line in it, `STEP ACTION` or `STEP:WHAT ACTION`, says what happens there, once: the file is removed first.

    kill             the process ends as by kill -9
    stop             the process is stopped, until somebody lets it go on (SIGCONT)
    pause SECONDS    the process does nothing for so long
    fail             the step raises StepFailedError, an error that nobody foresaw

Whoever can set a process's environment owns it already, so this opens nothing to anybody.
"""

import os
import signal
import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

VARIABLE = "KEYTURN_FAILPOINT"


class Step(StrEnum):
    """`process.what_is_true_now`; those of the relay and of a queue's consumer are in every service."""

    GATEWAY_REQUEST_AUDITED = "gateway.request_audited"
    GATEWAY_REQUEST_WRITTEN = "gateway.request_written"
    GATEWAY_JOB_FETCHED = "gateway.job_fetched"
    GATEWAY_RESULT_STORED = "gateway.result_stored"
    GATEWAY_JOB_CLOSED = "gateway.job_closed"
    GATEWAY_OBSERVATION_STORED = "gateway.observation_stored"

    RELAY_FOUND = "relay.found"
    RELAY_CONFIRMED = "relay.confirmed"
    RELAY_TAKEN_AWAY = "relay.taken_away"

    CONSUMER_DELIVERED = "consumer.delivered"
    CONSUMER_DONE = "consumer.done"
    CONSUMER_ACKNOWLEDGED = "consumer.acknowledged"

    SCHEDULER_REQUEST_CHECKED = "scheduler.request_checked"
    SCHEDULER_ACCOUNT_SAVED = "scheduler.account_saved"
    SCHEDULER_PROJECTED = "scheduler.projected"
    SCHEDULER_CHANGE_TOLD = "scheduler.change_told"
    SCHEDULER_END_SHOWN = "scheduler.end_shown"
    SCHEDULER_OFFER_AUDITED = "scheduler.offer_audited"
    SCHEDULER_JOB_INSERTED = "scheduler.job_inserted"
    SCHEDULER_AGENT_WOKEN = "scheduler.agent_woken"
    SCHEDULER_REQUEST_TAKEN = "scheduler.request_taken"
    SCHEDULER_FETCH_READ = "scheduler.fetch_read"
    SCHEDULER_RESULT_CHECKED = "scheduler.result_checked"
    SCHEDULER_RESULT_TAKEN = "scheduler.result_taken"

    AGENT_FETCHED = "agent.fetched"
    AGENT_FENCE_JOURNALLED = "agent.fence_journalled"
    AGENT_INTENT_JOURNALLED = "agent.intent_journalled"
    AGENT_TOOL_STARTED = "agent.tool_started"
    AGENT_TOOL_JOURNALLED = "agent.tool_journalled"
    AGENT_TOOL_FED = "agent.tool_fed"
    AGENT_TOOL_ENDED = "agent.tool_ended"
    AGENT_COMPARED = "agent.compared"
    AGENT_END_JOURNALLED = "agent.end_journalled"
    AGENT_RESULT_SIGNED = "agent.result_signed"
    AGENT_ACKNOWLEDGED = "agent.acknowledged"
    AGENT_OBSERVED = "agent.observed"


class StepFailedError(Exception):
    """What a fault test asked for; nothing in the product foresees it."""


class _Failpoint:
    """The one of this process."""

    file: Path | None = None

    def look(self, file: Path, here: Step, what: str) -> None:
        try:
            where, _, action = file.read_text().strip().partition(" ")
        except FileNotFoundError:
            return
        if where in (here.value, f"{here.value}:{what}"):
            file.unlink()
            self._act(action, here)

    def _act(self, action: str, here: Step) -> None:
        word, _, seconds = action.partition(" ")
        if word == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif word == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif word == "pause":
            time.sleep(float(seconds))
        else:
            raise StepFailedError(f"at {here.value}, as asked")


_failpoint = _Failpoint()


def arm(environment: Mapping[str, str]) -> None:
    """Called once by a process, at its edge: from now on it looks at the file that its environment names, if any."""
    named = environment.get(VARIABLE)
    _failpoint.file = Path(named) if named else None


def step(here: Step, what: str = "") -> None:
    """Says that the process is here. `what` tells apart the times that one step is passed, such as a message's type."""
    if _failpoint.file is not None:
        _failpoint.look(_failpoint.file, here, what)
