"""Exit statuses, for scripts.

0  done
1  something went wrong that has no status of its own
2  wrong use: the line says what would be right
3  the task ended without doing it: refused, cancelled, expired
4  not known yet: the task was still open when the waiting ended, or no answer came
5  verify: the password does not open the account
6  verify: cannot tell
7  not signed in, or not allowed
8  not there, or not yours to see
9  the server, or something behind it, cannot be reached now
"""

from enum import IntEnum

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


_FORBIDDEN = 403
_INVALID = (400, 409, 422)


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
    match error:
        case errors.NotSignedInError():
            return Exit.NOT_ALLOWED
        case errors.NotThereError():
            return Exit.NOT_THERE
        case errors.UnavailableError() | errors.NotReachableError() | errors.NotTrustedError():
            return Exit.NOT_REACHABLE
        case errors.RefusedError(status=status) if status == _FORBIDDEN:
            return Exit.NOT_ALLOWED
        case errors.RefusedError(status=status) if status in _INVALID:
            return Exit.NOT_DONE
        case _:
            return Exit.WRONG
