"""What must hold after each experiment, whatever was broken in it.

lost     the password that is live on the host, by the host's own /etc/shadow, is not among those that the vault reveals
lie      something shown is untrue: a status, a proof, how a task ended
stuck    something stays open: a flight, a task, an uncertain account, a document that nobody took, an event unsent
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from libs.client import models
from libs.client.errors import ClientError
from tests.e2e.faults.ground import Ground
from tests.e2e.faults.trial import Trial
from tests.lab import shadow

PATIENCE_SECONDS = 90.0
_CERTAIN = ("in_sync", "drift", "unmanaged")


@dataclass
class Verdict:
    """What was found; all empty is good."""

    lost: list[str] = field(default_factory=list)
    lies: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    status: str = ""
    tasks: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        return not (self.lost or self.lies or self.stuck)


def truth(ground: Ground, trial: Trial) -> None:
    """While the fault lasts, where the server answers and the host is on: the vault must show the live password.

    What is wrong is noted in the trial.
    """
    try:
        before = ground.site.host.shadow_field(trial.name)
        shown = trial.revealed()
        account = trial.look()
        after = ground.site.host.shadow_field(trial.name)
    except ClientError:
        return
    if before == after and not any(shadow.opens(before, password) for password in shown):
        trial.lost_meanwhile.append(f"while {account.status}, none of {len(shown)} revealed passwords was the live one")


def judge(ground: Ground, trial: Trial, began: float) -> Verdict:
    """Waits until the account has come to rest, and looks at everything then. `began` is when the healing began."""
    verdict = Verdict(lost=list(trial.lost_meanwhile))
    trial.settle_asking()
    open_things = _wait_for_rest(ground, trial)
    verdict.seconds = time.monotonic() - began
    verdict.stuck += open_things
    account, tasks = trial.look(), trial.tasks()
    verdict.status = account.status
    verdict.tasks = [f"{task.kind} {task.state}" for task in tasks]
    hashed = ground.site.host.shadow_field(trial.name)
    shown = trial.revealed() if account.versions else []
    _passwords(verdict, trial, account, hashed, shown)
    for task in tasks:
        verdict.lies += _of_task(trial, task, tasks, hashed)
    if verdict.good:
        verdict.stuck += _goes_on(ground, trial)
        ends = {task.id: task.state for task in trial.tasks()}
        verdict.lies += [
            f"a {task.kind} ended as {task.state}, and later as {ends.get(task.id)}"
            for task in tasks
            if ends.get(task.id) != task.state
        ]
    if verdict.good and trial.then_drifts:
        verdict.lies += _notices_drift(ground, trial)
    return verdict


def _passwords(verdict: Verdict, trial: Trial, account: models.Account, hashed: str, shown: list[bytes]) -> None:
    live = [password for password in (*trial.passwords, *shown) if shadow.opens(hashed, password)]
    opening = [password for password in shown if shadow.opens(hashed, password)]
    if not opening:
        what = live[0].decode() if live else "unknown"
        verdict.lost.append(f"{account.status}: the live password ({what}) is not among {len(shown)} revealed")
    if account.status == "in_sync" and (len(shown) != 1 or not opening):
        verdict.lies.append(f"in_sync, but {len(opening)} of {len(shown)} revealed passwords open the account")
    if account.status == "in_sync" and account.proof is None:
        verdict.lies.append("in_sync without a proof")
    if account.status in ("drift", "unmanaged") and opening:
        verdict.lies.append(f"{account.status}, but a revealed password opens the account")


def _of_task(trial: Trial, task: models.Task, tasks: list[models.Task], hashed: str) -> Iterator[str]:
    if task.kind != "reset":
        if task == tasks[0] and task.opens is not None and not trial.rolled_back:
            opens = any(shadow.opens(hashed, password) for password in trial.passwords)
            if task.opens is not opens:
                yield f"a {task.kind} says {'open' if task.opens else 'not open'}, which is not so"
        return
    password = trial.password_of(task)
    later = [each for each in tasks[: tasks.index(task)] if each.kind == "reset" and each.state == "done"]
    if password is None or later or trial.rolled_back:
        return
    opens = shadow.opens(hashed, password)
    if task.state == "done" and not opens:
        yield "a reset is done, and its password does not open the account"
    if task.state in ("refused", "cancelled", "expired") and opens:
        yield f"a reset is {task.state}, and its password opens the account"


def _goes_on(ground: Ground, trial: Trial) -> list[str]:
    """A further reset of the same account must simply work."""
    asking = trial.reset()
    asked = asking.answered()
    if asked is None:
        return [f"a further reset was not accepted: {asking.error}"]
    with ground.connect() as client:
        ended = client.wait(asked.id, 30.0)
    if ended.state != "done":
        return [f"a further reset ended as {ended.state} ({ended.reason.code if ended.reason else ''}): {ended.detail}"]
    if not ground.site.host.opens(trial.name, trial.passwords[-1]) or trial.revealed() != [trial.passwords[-1]]:
        return ["a further reset is done, but host and vault do not both have its password"]
    return []


def _notices_drift(ground: Ground, trial: Trial) -> list[str]:
    """Somebody changes the password on the host: what was proven must not be shown for ever."""
    ground.site.host.run(["chpasswd"], input=f"{trial.name}:changed-on-the-host\n".encode())
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        if trial.look().status != "in_sync":
            return []
        time.sleep(0.2)
    return ["the password was changed on the host, and the account is shown as in_sync"]


def _wait_for_rest(ground: Ground, trial: Trial) -> list[str]:
    ends = time.monotonic() + PATIENCE_SECONDS
    while True:
        ground.supervise()
        try:
            found = list(_restless(ground, trial))
        except (ClientError, PyMongoError) as error:
            found = [f"{type(error).__name__}: {error}"]
        if not found or time.monotonic() > ends:
            return found
        time.sleep(0.1)


def _restless(ground: Ground, trial: Trial) -> Iterator[str]:
    account = trial.look()
    if account.flight is not None:
        yield f"a {account.flight.kind} is {account.flight.phase}"
    if account.status not in _CERTAIN:
        yield f"the account is {account.status}"
    yield from (f"a {task.kind} is {task.state}" for task in trial.tasks() if task.open)
    if trial.rolled_back and not any(ground.site.host.opens(trial.name, each) for each in trial.revealed()):
        # What was proven before is shown until the agent of the host that went back has made its first contact.
        yield f"the host was put back, and the account is shown as {account.status}"
    yield from _in_the_store(ground.store, account.id)


def _in_the_store(store: MongoClient[dict[str, Any]], account: str) -> Iterator[str]:
    """Documents about the account that wait for somebody."""
    requests = list(store["desk"]["requests"].find({"account": account}))
    jobs = list(store["mail"]["jobs"].find({"account": account}))
    results = [each for job in jobs for each in store["desk"]["results"].find({"job": job["_id"]})]
    yield from (f"request {each['_id']} was not taken" for each in requests if not each["taken"])
    yield from (f"result of {each['job']} was not taken" for each in results if not each["taken"])
    yield from (f"job {each['_id']} is {each['state']}" for each in jobs if each["state"] in ("waiting", "fetched"))
    for each in (*requests, *jobs, *results):
        if each.get("outbox"):
            yield f"an event of {each['_id']} was not sent"
    document = store["vault"]["accounts"].find_one({"_id": account})
    if document is None or document.get("ended"):
        yield "an end was not shown"
