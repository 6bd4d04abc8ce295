"""Story 3: clocks. A machine whose clock is ten days off enrols, is managed, and shows how far it is off."""

from datetime import datetime

import pytest

from tests.e2e.faults.clocks import variables
from tests.e2e.site import OLD, Site, until

pytestmark = [pytest.mark.real, pytest.mark.host]

DAYS = 10 * 86_400
NEAR = 60
CLOCK, DROP_IN = "/run/keyturn-clock", "/etc/systemd/system/keyturn-agent.service.d/clock.conf"


@pytest.mark.parametrize(("name", "off"), [("dmz-fast", DAYS), ("dmz-slow", -DAYS)])
def test_a_machine_ten_days_ahead_or_behind_works_and_its_skew_is_shown(running: Site, name: str, off: int) -> None:
    host = running.lab.host(name)
    host.boot()
    try:
        host.add_user("deploy", OLD)
        host.write(CLOCK, f"{off:+d}\n".encode())
        host.run(["mkdir", "-p", DROP_IN.rpartition("/")[0]])
        lines = "".join(f"Environment={key}={value}\n" for key, value in variables(CLOCK).items())
        host.write(DROP_IN, f"[Service]\n{lines}".encode())
        running.install(host)  # its first contact is with a clock that is off: certificate, token and signatures count
        deploy = until(lambda: running.find("deploy", name), "its account")
        before = datetime.now().astimezone()
        task = running.resets(deploy, "Whatever-the-clock-says-1")
        assert task.state == "done", task
        assert host.opens("deploy", b"Whatever-the-clock-says-1")
        proof = running.account(deploy).proof
        assert proof is not None
        assert 0 <= (proof.at - before).total_seconds() < NEAR  # by the server's clock
        assert running.verifies(deploy).opens is True
        (agent,) = [each for each in running.client.agents() if each.resource.name == name]
        assert agent.clock_skew_seconds is not None
        assert abs(agent.clock_skew_seconds - off) < NEAR

        # It is put right while the agent runs, and the next session says so.
        host.write(CLOCK, b"+0\n")
        assert running.resets(deploy, "And-put-right-again-1").state == "done"
        host.run(["systemctl", "restart", "keyturn-agent.service"])

        def right() -> bool | None:
            seen = next(each for each in running.client.agents() if each.resource.name == name)
            return seen.clock_skew_seconds == 0 or None

        until(right, "the clock to be shown right")
    finally:
        host.down()
