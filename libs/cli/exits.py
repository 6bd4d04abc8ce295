"""Exit statuses, for scripts.

0  done
1  something went wrong that has no status of its own, or you left
2  wrong use: the line says what would be right
3  not done: the server said not now, or the task ended refused, cancelled or expired
4  not known yet: the task was still open when the waiting ended, or no answer came
5  verify: the password does not open the account
6  verify: cannot tell
7  not signed in, or not allowed
8  not there, or not yours to see
9  the server, or something behind it, cannot be reached now
"""

from enum import IntEnum

from libs.cli.errors import NoSuchNameError, SignedOutError
from libs.client import errors
from libs.client.models import Task


class Exit(IntEnum):
    DONE = 0
    WRONG = 1
    USAGE = 2
    NOT_DONE = 3
    NOT_KNOWN = 4
    DOES_NOT_OPEN = 5
    CANNOT_TELL = 6
    NOT_ALLOWED = 7
    NOT_THERE = 8
    NOT_REACHABLE = 9


_OF_KIND: tuple[tuple[type[errors.ClientError], Exit], ...] = (
    (errors.WrongUseError, Exit.USAGE),
    (errors.NotSignedInError, Exit.NOT_ALLOWED),
    (SignedOutError, Exit.NOT_ALLOWED),
    (errors.ConfirmFirstError, Exit.NOT_ALLOWED),
    (errors.NotThereError, Exit.NOT_THERE),
    (NoSuchNameError, Exit.NOT_THERE),
    (errors.UnavailableError, Exit.NOT_REACHABLE),
    (errors.NotReachableError, Exit.NOT_REACHABLE),
    (errors.NotTrustedError, Exit.NOT_REACHABLE),
)
_OF_STATUS = {
    400: Exit.USAGE,
    403: Exit.NOT_ALLOWED,
    408: Exit.NOT_REACHABLE,
    409: Exit.NOT_DONE,
    413: Exit.USAGE,
    422: Exit.USAGE,
}
"""Of a refusal that is none of those kinds, by its HTTP status."""


def of_task(task: Task) -> Exit:
    """What became of a task."""
    if task.open:
        return Exit.NOT_KNOWN
    if task.state == "cannot_tell":
        return Exit.CANNOT_TELL
    if task.state != "done":
        return Exit.NOT_DONE
    return Exit.DOES_NOT_OPEN if task.opens is False else Exit.DONE


def of_error(error: errors.ClientError) -> Exit:
    """What went wrong."""
    for kind, status in _OF_KIND:
        if isinstance(error, kind):
            return status
    return _OF_STATUS.get(error.status, Exit.WRONG) if isinstance(error, errors.RefusedError) else Exit.WRONG
