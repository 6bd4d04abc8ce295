"""Moments as certificates carry them: whole seconds of UTC."""

from datetime import UTC, datetime, timedelta

DAY_MS = 86_400_000


def moment(millis: int) -> datetime:
    """Unix milliseconds as a moment of a certificate."""
    return datetime.fromtimestamp(millis // 1000, UTC)


def millis(at: datetime) -> int:
    """A moment of a certificate as Unix milliseconds."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
