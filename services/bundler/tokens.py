"""Enrolment tokens: 256 random bits in a package, their SHA-256 in the store, and what each admits. Pure.

A token is consumed together with the hash of the key that used it. So the same key may come again after a lost answer,
for a bounded time and whatever became of the token meanwhile; another key at a used-up token is an incident, because
somebody copied a package. Where a person must approve, the use is taken when the machine asks, and given back when the
person denies: the key stays known, and gets nothing by this token.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from libs.store.tokens import EnrolmentToken, TokenState, Use
from libs.wire.ids import Noun, derived_id
from libs.wire.requests import EnrolContent, Platform
from libs.wire.secret import Secret
from services.bundler.bounds import check_host, check_network
from services.bundler.errors import Code, DeclinedError, TokenCopiedError

RETRY_MS = 7 * 86_400_000
"""How long after its use a token still gives its key the same certificate: longer than a network is usually cut."""


class Admitted(NamedTuple):
    """A use of a token; `after` is to be saved first, and is None where the use is there already."""

    use: Use
    after: EnrolmentToken | None


def mint(entropy: Callable[[int], bytes] = secrets.token_bytes) -> Secret:
    """A new token of 256 bits, in letters that need no quoting anywhere."""
    return Secret(urlsafe_b64encode(entropy(32)).rstrip(b"="))


def hashed(token: Secret) -> str:
    """What the store keeps of a token: SHA-256, hexadecimal."""
    return hashlib.sha256(token.reveal()).hexdigest()


def admit(
    token: EnrolmentToken,
    key_hash: str,
    content: EnrolContent,
    platform: Platform | None,
    *,
    now: int,
    decided_at: int | None = None,
) -> Admitted:
    """Whether this key may enrol by this token.

    Args:
        token: As it was read.
        key_hash: Of the key in the certificate request.
        content: What the gateway asks.
        platform: What the token's package was built for; None where no package is known.
        now: Unix milliseconds.
        decided_at: When a person decided on this use, in Unix milliseconds.

    Raises:
        TokenCopiedError: other keys used it up.
        DeclinedError: with the code that says which bound it breaks.
    """
    if token.state is TokenState.REVOKED:
        raise DeclinedError(Code.TOKEN_REVOKED, "This enrolment token was revoked. Download a new package.")
    use = use_of(token, key_hash)
    if use is not None and now > (decided_at or use.at) + RETRY_MS:
        raise DeclinedError(Code.TOKEN_USED, "This machine used its token too long ago. Download a new package.")
    if use is None and token.uses_left < 1:
        raise TokenCopiedError
    if use is None and now > token.expires:
        raise DeclinedError(Code.TOKEN_EXPIRED, "This enrolment token has expired. Download a new package.")
    if content.owner_name not in token.user_names:
        names = ", ".join(token.user_names)
        raise DeclinedError(
            Code.USER_NAME_NOT_ALLOWED,
            f"UserName={content.owner_name} is not among those that this package may use: {names}"[:500],
        )
    if platform is not None and platform is not content.platform:
        raise DeclinedError(
            Code.PLATFORM_MISMATCH,
            f"This package is for {platform}, and the machine is {content.platform}. Download the right one.",
        )
    if use is not None:
        # What a machine is called and where it stands may change after its token was used.
        return Admitted(use, None)
    check_host(token, content)
    check_network(token, content)
    return _used(token, key_hash, now)


def use_of(token: EnrolmentToken, key_hash: str) -> Use | None:
    """How this key used the token, if it did."""
    return next((each for each in token.used_by if each.key_hash == key_hash), None)


def given_back(token: EnrolmentToken, key_hash: str) -> EnrolmentToken | None:
    """The token after a person denied this key; None where there is nothing to give back, or it was done."""
    use = use_of(token, key_hash)
    if use is None or use.returned:
        return None
    return replace(
        token,
        used_by=tuple(replace(each, returned=True) if each == use else each for each in token.used_by),
        uses_left=token.uses_left + 1,
        state=TokenState.ACTIVE if token.state is TokenState.SPENT else token.state,
        rev=token.rev + 1,
    )


def revoked(token: EnrolmentToken) -> EnrolmentToken | None:
    """The token after its end; None where it has come already."""
    if token.state is TokenState.REVOKED:
        return None
    return replace(token, state=TokenState.REVOKED, rev=token.rev + 1)


def _used(token: EnrolmentToken, key_hash: str, now: int) -> Admitted:
    # Derived, so that a repeat meets itself; from token and key, so that another enrolment is another agent.
    use = Use(
        key_hash=key_hash,
        at=now,
        agent=derived_id(Noun.AGENT, token.id, key_hash),
        resource=token.resource or derived_id(Noun.RESOURCE, token.id, key_hash),
    )
    left = token.uses_left - 1
    after = replace(
        token,
        used_by=(*token.used_by, use),
        uses_left=left,
        state=TokenState.ACTIVE if left else TokenState.SPENT,
        rev=token.rev + 1,
    )
    return Admitted(use, after)
