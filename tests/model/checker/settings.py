"""What is explored: how much of each may happen at once.

Each fault is met alone and in pairs; more of one kind is left to the large settings. A setting counts whole lives of an
account: requests come at any moment, also while the last one's stale jobs and answers are still under way.
"""

from tests.model.checker.bounds import Bounds
from tests.model.checker.explore import Setting

SETTINGS_SMALL = (
    Setting("two resets", Bounds(resets=2, cancels=1, refusals=1)),
    Setting("killed twice, refused, cancelled", Bounds(resets=1, kills=2, refusals=1, cancels=1)),
    Setting("somebody sets another password", Bounds(resets=1, kills=1, changes=1, checks=1)),
    Setting("what the host shows comes late", Bounds(resets=1, changes=1, delays=1)),
    Setting("a password is stated", Bounds(resets=1, adoptions=1, changes=1)),
    Setting("stated twice, checked, changed", Bounds(adoptions=2, checks=1, changes=1)),
    Setting("host rolled back, killed", Bounds(resets=1, rollbacks=1, kills=1)),
    Setting("server restored", Bounds(resets=1, restores=1, kills=1)),
    Setting("wiped and enrolled again", Bounds(resets=1, reinstalls=1, kills=1)),
    Setting("seen on two machines", Bounds(resets=1, clones=1, kills=1, cancels=1, refusals=1)),
)
"""Each under a million states; together a minute of one core at most."""

SETTINGS_LARGE = (
    Setting("two resets, killed, refused, cancelled", Bounds(resets=2, kills=1, refusals=1, cancels=1)),
    Setting("two resets, two kills", Bounds(resets=2, kills=2)),
    Setting("two resets, changed, checked", Bounds(resets=2, changes=1, checks=1)),
    Setting("two resets, late contacts, changed", Bounds(resets=2, changes=1, delays=1)),
    Setting("stated, reset, checked, changed", Bounds(resets=1, adoptions=1, changes=1, checks=1)),
    Setting("two resets, rolled back", Bounds(resets=2, rollbacks=1)),
    Setting("rolled back and changed, killed", Bounds(resets=1, rollbacks=1, changes=1, kills=1)),
    Setting("two resets, restored", Bounds(resets=2, restores=1)),
    Setting("restored and changed", Bounds(resets=1, restores=1, changes=1)),
    Setting("restored, killed, refused, cancelled", Bounds(resets=1, restores=1, kills=1, refusals=1, cancels=1)),
    Setting("restored and rolled back", Bounds(resets=1, restores=1, rollbacks=1)),
    Setting("two resets, wiped", Bounds(resets=2, reinstalls=1)),
    Setting("wiped and rolled back", Bounds(resets=1, reinstalls=1, rollbacks=1)),
    Setting("two machines, two resets", Bounds(resets=2, clones=1)),
    Setting("two machines, changed, stated", Bounds(resets=1, clones=1, changes=1, adoptions=1)),
)
SETTINGS_ALL = (*SETTINGS_SMALL, *SETTINGS_LARGE)
"""For `make prove`: minutes."""
