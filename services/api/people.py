"""The people's part of the gateway put together: who signs in, their groups, and what is shared with them."""

from collections.abc import Callable
from dataclasses import dataclass

from argon2 import PasswordHasher

from libs.store.access_tokens import AccessTokens as StoredTokens
from libs.store.factors import SecondFactors
from libs.store.groups import Groups as StoredGroups
from libs.store.groups import Members
from libs.store.ports import Store
from libs.store.resources import Resources
from libs.store.sessions import Sessions as StoredSessions
from libs.store.shares import Shares as StoredShares
from libs.store.users import Users as StoredUsers
from libs.wire.ids import Entropy
from services.api.access import Access
from services.api.access_tokens.service import AccessTokens
from services.api.audit.recording import Recorder
from services.api.auth import SignedIn, signed_in
from services.api.factors.codes import FactorKeys
from services.api.factors.own import OwnFactor
from services.api.factors.service import Factors
from services.api.groups.service import Groups
from services.api.pace import Pace
from services.api.sessions.hashing import Hashing
from services.api.sessions.mine import Mine
from services.api.sessions.service import Sessions
from services.api.sessions.slowdown import Slowdown
from services.api.sessions.tickets import Tickets
from services.api.shares.service import Shares
from services.api.users.service import Users


@dataclass(frozen=True)
class People:
    """What the routes of people, of the page and of the interface, are made on."""

    pace: Pace
    stored: StoredUsers
    hashing: Hashing
    users: Users
    sessions: Sessions
    mine: Mine
    factor: OwnFactor
    tokens: AccessTokens
    groups: Groups
    shares: Shares

    def signed_in(self, *, cookie: bool = False) -> SignedIn:
        """The dependency that gives whoever has a session or an access token; `cookie`: a browser's session too."""
        return signed_in(self.tokens.find, self.pace, cookie=cookie)

    def in_person(self, *, incomplete: bool = False) -> SignedIn:
        """That gives whoever has a session; `incomplete`: also who lacks the second factor that this server wants."""
        return signed_in(self.sessions.find, self.pace, incomplete=incomplete)


def build(
    store: Store,
    resources: Resources,
    access: Access,
    recorder: Recorder,
    *,
    hasher: PasswordHasher | None,
    session_secrets: tuple[bytes, ...],
    second_factor: bool,
    requests_per_minute: int,
    clock: Callable[[], int],
    entropy: Entropy,
    count: Callable[[str], None],
) -> People:
    """People on this store.

    `second_factor`: whether everybody must have one; what is kept of theirs is sealed by `session_secrets`.
    `requests_per_minute` of one person. `clock` in Unix milliseconds; `count` is told how each sign-in ended.
    """
    users, kept = StoredUsers(store), StoredSessions(store)
    groups, members, shares = StoredGroups(store), Members(store), StoredShares(store)
    hashing = Hashing(hasher)
    slowdown = Slowdown(clock)
    factors = Factors(
        SecondFactors(store),
        FactorKeys(session_secrets, entropy),
        slowdown,
        recorder,
        required=second_factor,
        clock=clock,
        entropy=entropy,
    )
    tickets = Tickets(session_secrets, clock)
    sessions = Sessions(
        kept,
        users,
        members,
        hashing,
        factors,
        slowdown=slowdown,
        tickets=tickets,
        recorder=recorder,
        clock=clock,
        count=count,
    )
    return People(
        pace=Pace(requests_per_minute, clock),
        stored=users,
        hashing=hashing,
        users=Users(users, kept, hashing, recorder, clock=clock, entropy=entropy),
        sessions=sessions,
        tokens=AccessTokens(
            StoredTokens(store), users, members, sessions, recorder=recorder, clock=clock, entropy=entropy
        ),
        factor=OwnFactor(factors, sessions, users),
        mine=Mine(kept, users, hashing, sessions, recorder=recorder, clock=clock),
        groups=Groups(groups, members, users, shares, recorder=recorder, clock=clock, entropy=entropy),
        shares=Shares(shares, resources, users, groups, access=access, recorder=recorder, clock=clock),
    )
