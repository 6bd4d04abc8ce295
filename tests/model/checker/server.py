"""The server's record of the account in the model."""

from typing import NamedTuple

from libs.domain.state import Rotation


class Server(NamedTuple):
    """The rotation, and two things that only the model knows."""

    r: Rotation = Rotation()
    proven: bool = False  # something was proven live, ever
    fresh: bool = False  # no fault has changed the password since the comparison behind the proof
