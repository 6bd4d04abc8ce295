"""When a process has ended, told before its number can be another one's."""

import subprocess
import sys

from deploy.local.app import exit_of


def test_a_process_has_ended_once_it_has() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        ended = exit_of(process.pid)
        assert not ended()
        process.kill()
        process.wait()
        assert ended()
    assert exit_of(process.pid)()
