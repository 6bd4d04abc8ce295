"""What can go wrong between a person and the server.

ClientError              its text says what was wrong and what to do
    WrongUseError        what the caller gave cannot be used; nothing was sent
    RefusedError         the server said no: a stable code and its HTTP status
        NotSignedInError   401
        ConfirmFirstError  401: the session is good, and its person has to say again who they are
        NotThereError      404, also for what is somebody else's
        UnavailableError   429 and 503: retryable
    NotReachableError    nobody answered, or something in between did: retryable
    NotTrustedError      the server's certificate is not of the authority that this client was given
    DamagedError         what was downloaded is not what the server said it would be
"""

from libs.wire.agent_api import Problem


class ClientError(Exception):
    """The base of the tree."""


class WrongUseError(ClientError):
    """Something given that cannot be used."""


class RefusedError(ClientError):
    """The server refused, with a stable code."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(": ".join(part for part in (problem.title, problem.detail) if part))
        self.code, self.status, self.problem = problem.code, problem.status, problem


class NotSignedInError(RefusedError):
    """No session, or it is over."""


class ConfirmFirstError(RefusedError):
    """It was too long ago that the person said who they are."""


class NotThereError(RefusedError):
    """It is not there, or not yours to see."""


class UnavailableError(RefusedError):
    """Something behind the server is away, or you are too fast."""


class NotReachableError(ClientError):
    """No answer of the server."""


class NotTrustedError(ClientError):
    """Another server, or something that opens TLS on the way."""


class DamagedError(ClientError):
    """Bytes that do not fit their hash."""


_KINDS = {401: NotSignedInError, 404: NotThereError, 429: UnavailableError, 503: UnavailableError}


def refusal(problem: Problem) -> RefusedError:
    """The error of this problem."""
    if problem.code == "confirm_first":
        return ConfirmFirstError(problem)
    return _KINDS.get(problem.status, RefusedError)(problem)
