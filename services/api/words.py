"""Times in plain words, as sentences use them. Moments are Unix milliseconds; clock times are UTC."""

from datetime import UTC, datetime

_SECOND = 1_000
_MINUTE, _HOUR, _DAY = 60 * _SECOND, 3_600 * _SECOND, 86_400 * _SECOND


def ago(at: int, now: int) -> str:
    """How long ago `at` was: "just now", "3 s ago", "19 min ago", "5 h ago", "2 days ago"."""
    passed = max(0, now - at)
    if passed < _SECOND:
        return "just now"
    if passed < _MINUTE:
        return f"{passed // _SECOND} s ago"
    if passed < _HOUR:
        return f"{passed // _MINUTE} min ago"
    if passed < 2 * _DAY:
        return f"{passed // _HOUR} h ago"
    return f"{passed // _DAY} days ago"


def when(at: int, now: int) -> str:
    """How long ago `at` was, up to seven days; after that its date, which says more than many days do."""
    return ago(at, now) if now - at <= 7 * _DAY else f"{datetime.fromtimestamp(at / _SECOND, UTC):%Y-%m-%d}"


def clock(at: int, now: int) -> str:
    """The time of day of `at`, with its date where that is another day."""
    moment = datetime.fromtimestamp(at / _SECOND, UTC)
    if moment.date() == datetime.fromtimestamp(now / _SECOND, UTC).date():
        return f"{moment:%H:%M} UTC"
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def time_of_day(at: int) -> str:
    """The time of day of `at`, to the second."""
    return f"{datetime.fromtimestamp(at / _SECOND, UTC):%H:%M:%S}"


def seconds(at: int, now: int) -> str:
    """The time of day of `at` to the second, with its date where that is another day."""
    moment = datetime.fromtimestamp(at / _SECOND, UTC)
    same_day = moment.date() == datetime.fromtimestamp(now / _SECOND, UTC).date()
    return time_of_day(at) if same_day else f"{moment:%Y-%m-%d %H:%M:%S}"
