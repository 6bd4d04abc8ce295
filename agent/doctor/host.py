"""The host around the agent: room for its journal, what keeps it running, and SELinux's labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agent.doctor.finding import Finding
from libs.wire.troubles import Trouble

LEAST_BYTES: Final = 4 * 1024 * 1024
_WRONG_TYPES: Final = frozenset(
    {"tmp_t", "user_tmp_t", "user_home_t", "admin_home_t", "default_t", "unlabeled_t", "file_t", "mnt_t"}
)


@dataclass(frozen=True, slots=True)
class Place:
    """What was seen. `labels` are SELinux's by path; None where the host does not use it."""

    state: str
    free_bytes: int | None
    service: str
    installed: bool
    running: bool
    service_said: str = ""
    labels: Mapping[str, str] | None = None


def findings(place: Place) -> list[Finding]:
    """Disk, service, labels."""
    return [_disk(place), _service(place), *_labels(place)]


def _disk(place: Place) -> Finding:
    if place.free_bytes is None:
        return Finding("disk", f"{place.state} cannot be looked at", Trouble.STATE_DISK_FULL)
    seen = f"{place.free_bytes // 1024} KiB are free for {place.state}"
    return Finding("disk", seen, Trouble.STATE_DISK_FULL if place.free_bytes < LEAST_BYTES else None)


def _service(place: Place) -> Finding:
    if not place.installed:
        return Finding("service", f"{place.service}: not installed", Trouble.SERVICE_NOT_INSTALLED)
    if not place.running:
        said = f"; it said: {place.service_said}" if place.service_said else ""
        return Finding("service", f"{place.service}: not running{said}", Trouble.SERVICE_NOT_RUNNING)
    return Finding("service", f"{place.service}: running")


def _labels(place: Place) -> list[Finding]:
    if place.labels is None:
        return [Finding("SELinux", "this host does not use it")]
    wrong = [f"{path} is {label}" for path, label in sorted(place.labels.items()) if _odd(path, label)]
    if wrong:
        return [Finding("SELinux", "; ".join(wrong), Trouble.SELINUX_LABEL)]
    return [Finding("SELinux", ", ".join(f"{path} is {label}" for path, label in sorted(place.labels.items())))]


def _odd(path: str, label: str) -> bool:
    kind = label.split(":")[2] if label.count(":") > 1 else label
    return kind != "shadow_t" if path.endswith("/shadow") else kind in _WRONG_TYPES
