"""Accounts for trials, made in batches: each is discovered, reset once, and in step with its host."""

import time
from itertools import count

from libs.wire.secret import Secret
from tests.e2e.faults.ground import Ground
from tests.e2e.faults.trial import Trial

BATCH = 20
PATIENCE_SECONDS = 90.0


class Accounts:
    """Gives each trial an account that no other one had."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._numbers = count(1)
        self._ready: list[Trial] = []
        self._used: list[str] = []

    def next(self) -> Trial:
        """A fresh trial."""
        if not self._ready:
            self._ready = self._make([f"f{next(self._numbers):04d}" for _ in range(BATCH)])
        trial = self._ready.pop(0)
        trial.begin()
        self._used.append(trial.name)
        return trial

    def forget(self) -> None:
        """What was made is made anew, because the host or the store is not what it was."""
        self._used += [trial.name for trial in self._ready]
        self._ready = []

    def _make(self, names: list[str]) -> list[Trial]:
        gone = " ".join(self._used)
        self._used = []
        lines = [f"for name in {gone}; do userdel --remove $name 2>/dev/null; done"] if gone else []
        lines.append(f"for name in {' '.join(names)}; do useradd --create-home --shell /bin/bash $name || exit 1; done")
        host = self._ground.site.host
        host.run(["sh", "-c", "\n".join(lines)], timeout=120)
        host.sync()
        ends = time.monotonic() + PATIENCE_SECONDS
        with self._ground.connect() as client:
            resource = next(each for each in client.resources() if each.name == host.name)
            while True:
                found = {each.name: each for each in client.accounts(resource.id) if each.name in names}
                if len(found) == len(names):
                    break
                if time.monotonic() > ends:
                    raise AssertionError(f"{len(found)} of {len(names)} new accounts were discovered")
                time.sleep(0.1)
            trials = [Trial(self._ground.connect, found[name], f"At-first-{name}".encode()) for name in names]
            tasks = [
                client.reset(t.account.id, password=Secret(t.passwords[0]), unlock=True, note="").task for t in trials
            ]
            for task in tasks:
                ended = client.wait(task.id, PATIENCE_SECONDS)
                if ended.state != "done":
                    raise AssertionError(f"the first reset of {ended.account.name} ended as {ended.state}")
        return trials
