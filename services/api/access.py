"""Who may see and use what: an administrator everything, anybody else the resources that they own.

Somebody else's thing answers exactly as if it were not there, so that no identifier can be tried out.
"""

from dataclasses import dataclass
from typing import Literal

from libs.wire.requests import Person
from services.api.errors import NotAllowedError, NotThereError
from services.api.users.schemas import Role

Via = Literal["page", "api", "command"]


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in person, and by which session."""

    id: str
    name: str
    role: Role
    session: str
    address: str
    via: Via

    @property
    def is_administrator(self) -> bool:
        return self.role is Role.ADMINISTRATOR

    def to_person(self) -> Person:
        """Who asked, for a signed request and for the audit."""
        return Person(id=self.id, name=self.name, via=self.via, address=self.address)


def administrator(caller: Caller) -> None:
    """Returns for an administrator.

    Raises:
        NotAllowedError: the person is none.
    """
    if not caller.is_administrator:
        raise NotAllowedError("Only an administrator may do this. Ask one of yours.")


def owned(caller: Caller, owner: str, noun: str) -> None:
    """Returns where the person may see what `owner` owns.

    Raises:
        NotThereError: it is somebody else's.
    """
    if not caller.is_administrator and caller.id != owner:
        raise NotThereError(noun)
