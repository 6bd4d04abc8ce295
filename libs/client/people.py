"""People's part of the client: sessions, users, groups, and what is shared."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from libs.client import models
from libs.client.transport import DEFAULT_LIMIT, Transport, part
from libs.wire.secret import Secret

Confirm = Callable[[Secret, Secret | None], None]
"""Sends a password, and the code of a second factor."""

Again = Callable[[Confirm], None]
"""Asks a person who they are, and sends what they say."""


class PeopleCalls(ABC):
    """Calls about people, on the transport of whoever has them."""

    _http: Transport

    @abstractmethod
    def _begin(self, signed_in: models.SignedIn) -> models.SignedIn:
        """Goes on with this session."""

    # ---- sessions

    def set_up(self, code: str, name: str, password: Secret) -> models.SignedIn:
        """Makes the first administrator by the first-run code, and signs in."""
        body = {"code": code, "name": name, "password": password.reveal().decode()}
        return self._begin(self._http.post("/v1/setup", models.SignedIn, body))

    def sign_in(self, name: str, password: Secret, code: Secret | None = None) -> models.SignedIn:
        """Signs in, with the code of a second factor where there is one; this client goes on with the session."""
        body = {"name": name, "password": password.reveal().decode()} | _typed(code)
        return self._begin(self._http.post("/v1/sessions", models.SignedIn, body))

    def confirm(self, password: Secret, code: Secret | None = None) -> None:
        """Says again who you are: for five minutes this session may reveal, and change who may do what."""
        self._http.send("/v1/sessions/confirm", {"password": password.reveal().decode()} | _typed(code))

    def sign_out(self) -> None:
        """Ends the session."""
        self._http.delete("/v1/sessions/current")

    def who(self) -> models.Session:
        """Who is signed in, and until when."""
        return self._http.get("/v1/sessions/current", models.Session)

    def sessions(self) -> list[models.OwnSession]:
        """Where you are signed in."""
        return self._http.items("/v1/sessions", models.OwnSession, limit=10_000)

    def end_session(self, key: str) -> None:
        self._http.delete(f"/v1/sessions/{part(key)}")

    def change_password(self, own: Secret, new: Secret, code: Secret | None = None) -> models.SignedIn:
        """Changes your password; you are signed out everywhere, and this client goes on with a fresh session."""
        body = {"own": own.reveal().decode(), "password": new.reveal().decode()} | _typed(code)
        return self._begin(self._http.post("/v1/sessions/password", models.SignedIn, body))

    # ---- the second factor

    def second_factor(self) -> models.SecondFactor:
        """Whether you have one."""
        return self._http.get("/v1/second-factor", models.SecondFactor)

    def begin_second_factor(self, password: Secret, code: Secret | None = None) -> models.Begun:
        """A secret for an app, which counts once `confirm_second_factor` was given a code of it."""
        body = {"password": password.reveal().decode()} | _typed(code)
        return self._http.post("/v1/second-factor", models.Begun, body)

    def confirm_second_factor(self, code: Secret) -> tuple[str, ...]:
        """The recovery codes, which are shown this once."""
        return self._http.post("/v1/second-factor/confirm", models.RecoveryCodes, _typed(code)).recovery_codes

    def end_second_factor(self, password: Secret, code: Secret) -> None:
        """Ends your own."""
        body = {"password": password.reveal().decode()} | _typed(code)
        self._http.send("/v1/second-factor/remove", body)

    def sign_out_user(self, user: str) -> None:
        """Ends every session of a person; their access tokens go on."""
        self._http.delete(f"/v1/users/{part(user)}/sessions")

    def take_second_factor(self, user: str) -> None:
        """Ends that of somebody who lost phone and recovery codes."""
        self._http.delete(f"/v1/users/{part(user)}/second-factor")

    # ---- access tokens

    def access_tokens(self) -> list[models.AccessToken]:
        """Your own, newest first."""
        return self._http.items("/v1/access-tokens", models.AccessToken, limit=10_000)

    def make_access_token(
        self, name: str, scopes: list[str], days: int, password: Secret, code: Secret | None = None
    ) -> models.MadeAccessToken:
        """A token for a program, which is shown this once."""
        body = {"name": name, "scopes": scopes, "days": days, "password": password.reveal().decode()} | _typed(code)
        return self._http.post("/v1/access-tokens", models.MadeAccessToken, body)

    def end_access_token(self, key: str) -> None:
        self._http.delete(f"/v1/access-tokens/{part(key)}")

    # ---- users

    def users(self, limit: int = DEFAULT_LIMIT) -> list[models.User]:
        return self._http.items("/v1/users", models.User, limit=limit)

    def add_user(self, name: str, password: Secret, role: str) -> models.User:
        body = {"name": name, "password": password.reveal().decode(), "role": role}
        return self._http.post("/v1/users", models.User, body)

    def change_user(self, key: str, *, role: str | None = None, disabled: bool | None = None) -> models.User:
        """Another role, or kept out, or let in again; the user's sessions end."""
        body = {"role": role, "disabled": disabled}
        given = {name: value for name, value in body.items() if value is not None}
        return self._http.patch(f"/v1/users/{part(key)}", models.User, given)

    # ---- groups

    def groups(self, limit: int = DEFAULT_LIMIT) -> list[models.Group]:
        """Newest first."""
        return self._http.items("/v1/groups", models.Group, limit=limit)

    def add_group(self, name: str) -> models.Group:
        return self._http.post("/v1/groups", models.Group, {"name": name})

    def remove_group(self, key: str) -> None:
        """Ends a group, and what was shared with it."""
        self._http.delete(f"/v1/groups/{part(key)}")

    def members(self, group: str, limit: int = 10_000) -> list[models.Member]:
        """Who is in a group, by name."""
        return self._http.items(f"/v1/groups/{part(group)}/members", models.Member, limit=limit)

    def join(self, group: str, user_name: str) -> models.Member:
        """Puts a person into a group."""
        return self._http.post(f"/v1/groups/{part(group)}/members", models.Member, {"user_name": user_name})

    def leave(self, group: str, user: str) -> None:
        """Takes a person out of a group."""
        self._http.delete(f"/v1/groups/{part(group)}/members/{part(user)}")

    # ---- shares

    def shares(self, *, resource: str | None = None, account: str | None = None) -> list[models.Share]:
        """What is shared of a resource, or of one account; oldest first."""
        return self._http.items("/v1/shares", models.Share, limit=10_000, resource=resource, account=account)

    def share(
        self,
        level: str,
        *,
        resource: str | None = None,
        account: str | None = None,
        person: str | None = None,
        group: str | None = None,
    ) -> models.Share:
        """Shares a resource or an account with a person or a group; one that is there gets the level."""
        body = {"resource": resource, "account": account, "person": person, "group": group, "level": level}
        given = {name: value for name, value in body.items() if value is not None}
        return self._http.post("/v1/shares", models.Share, given)

    def end_share(self, key: str) -> None:
        self._http.delete(f"/v1/shares/{part(key)}")


def _typed(code: Secret | None) -> dict[str, str]:
    return {} if code is None else {"code": code.reveal().decode()}
