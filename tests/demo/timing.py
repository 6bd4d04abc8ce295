"""The parts of a reset's time, each as somebody on its way noted it.

queue    from the request to the scheduler's audit record of the offer
wake     from there until the agent had fetched the job, out of its held poll
set      the agent's own count: journal, set, compare, journal
report   from then until the scheduler had believed the result
"""

import json
from datetime import timedelta

from libs.client import models
from libs.client.client import Client
from tests.lab.host import Host


def parts(task: models.Task, client: Client, host: Host) -> dict[str, float]:
    """Seconds by part, of a reset that is done."""
    offered = next(each.at for each in client.audit(task=task.id) if each.what == "reset.offered")
    if task.offered_at is None or task.ended_at is None:
        raise ValueError(f"{task.id} never went to an agent")
    took = _count_of_the_agent(task, host)
    spans = {
        "queue": offered - task.requested_at,
        "wake": task.offered_at - offered,
        "set": took,
        "report": task.ended_at - task.offered_at - took,
    }
    return {name: round(span.total_seconds(), 3) for name, span in spans.items()}


def _count_of_the_agent(task: models.Task, host: Host) -> timedelta:
    journal = host.run(["journalctl", "--unit", "keyturn-agent", "--output", "cat", "--no-pager"], text=True).stdout
    lines = (json.loads(line) for line in journal.splitlines() if line.startswith("{"))
    return next(timedelta(seconds=line["seconds"]) for line in lines if line.get("task") == task.id)
