"""Keeping a deployment up.

A part that ends unasked is said and started again; a part that keeps ending ends the whole.
"""

import time
from collections import defaultdict, deque
from collections.abc import Callable

from deploy.local.deployment import Deployment
from deploy.local.errors import StartError

LOOK_SECONDS = 1.0
RESTARTS = 5
WITHIN_SECONDS = 60.0


def watch(deployment: Deployment, say: Callable[[str], None]) -> None:
    """Returns never; raises StartError when one part ended six times within a minute, or does not come up again."""
    restarts: dict[str, deque[float]] = defaultdict(deque)
    while True:
        time.sleep(LOOK_SECONDS)
        for part in deployment.parts:
            if part.alive:
                continue
            recent = restarts[part.name]
            now = time.monotonic()
            while recent and now - recent[0] > WITHIN_SECONDS:
                recent.popleft()
            if len(recent) == RESTARTS:
                raise StartError(f"The {part.name} keeps ending; see {deployment.logs}/{part.name}.log.")
            recent.append(now)
            say(f"The {part.name} has ended; starting it again.")
            part.restart()
            deployment.write_run_file()
