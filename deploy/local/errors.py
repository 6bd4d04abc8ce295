"""What can go wrong while the embedded default starts or stops.

LocalError
├── PortTakenError      retryable: another process was quicker; the next port is tried
├── StateInUseError   permanent: another supervisor holds this state folder
├── NotUpError        permanent: there is nothing to stop or to ask
├── PartMissingError  permanent: a program that is needed could not be had
└── StartError        permanent: a process ended or stayed silent; the sentence carries the end of its log
"""

from typing import ClassVar


class LocalError(Exception):
    """The root: its text is a sentence for the person at the terminal."""

    retryable: ClassVar[bool] = False


class PortTakenError(LocalError):
    retryable = True


class StateInUseError(LocalError):
    pass


class NotUpError(LocalError):
    pass


class PartMissingError(LocalError):
    pass


class StartError(LocalError):
    pass
