"""What this server is."""

from collections.abc import Callable

from libs.store.users import Users
from services.api.about.schemas import AboutView


class About:
    """Says it to anyone. `clock` in Unix milliseconds."""

    def __init__(self, users: Users, version: str, clock: Callable[[], int]) -> None:
        self._users, self._version, self._clock = users, version, clock
        self._set_up = False

    async def show(self) -> AboutView:
        """Name, version, and whether the first administrator is still to be made."""
        # Once there is a user there always is one, so anonymous questions stop reaching the store.
        self._set_up = self._set_up or await self._users.any()
        return AboutView(
            name="Keyturn", version=self._version, setup_needed=not self._set_up, server_time=self._clock()
        )
