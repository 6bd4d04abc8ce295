"""Story 2: the task key is rolled over while agents run, and back from each phase; one agent is off for all of it."""

import pytest

from deploy.admin.kinds import Kind
from deploy.admin.rolls import Phase
from tests.e2e.identity.rolling import follows, phase, restart, sets, steps
from tests.e2e.site import OLD, Site, until

pytestmark = [pytest.mark.real, pytest.mark.host]


def test_the_task_key_forth_and_back_and_to_the_end(running: Site) -> None:
    account = running.add_account("signed-for")
    away = running.lab.host("dmz-off-01")
    away.boot()
    try:
        away.add_user("sleeper", OLD)
        running.install(away)
        sleeper = until(lambda: running.find("sleeper", away.name), "its account")
        away.run(["systemctl", "stop", "keyturn-agent.service"])

        steps(running, Kind.TASKS, "announce")
        follows(running)
        said = steps(running, Kind.TASKS, "status")
        assert f"not yet: {away.name} (last heard" in said
        sets(running, account, "Announced-1")
        steps(running, Kind.TASKS, "back")  # from announced
        follows(running)
        assert phase(running, Kind.TASKS) is Phase.STEADY
        sets(running, account, "As-before-2")

        steps(running, Kind.TASKS, "announce", "use")
        restart(running, "scheduler")
        sets(running, account, "In-use-3")
        steps(running, Kind.TASKS, "back")  # from in use
        restart(running, "scheduler")
        sets(running, account, "Back-in-the-middle-4")

        steps(running, Kind.TASKS, "use", "retire")
        restart(running, "scheduler")
        follows(running)
        sets(running, account, "Retired-5")
        steps(running, Kind.TASKS, "back")  # from retired
        restart(running, "scheduler")
        follows(running)
        sets(running, account, "Back-from-retired-6")

        steps(running, Kind.TASKS, "use", "retire", "end")
        restart(running, "scheduler")
        sets(running, account, "At-the-end-7")

        # Its package knows the first key alone, which nobody has any more.
        task = running.reset(sleeper, "After-the-long-sleep-1")
        away.run(["systemctl", "start", "keyturn-agent.service"])
        assert running.ends(task).state == "done"
        follows(running, away)
        sets(running, sleeper, "And-again-2")
    finally:
        away.down()
