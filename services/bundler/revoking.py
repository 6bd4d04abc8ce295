"""Ending a token before its time. Agents that enrolled by it stay; machines that wait by it do not get in."""

from collections.abc import Callable
from dataclasses import dataclass

from libs.store.audit import Audit, AuditRecord, Who
from libs.store.tokens import Tokens
from libs.wire.ids import Noun, derived_id
from libs.wire.requests import Request, RevokeTokenContent, TokenRevoked
from services.bundler.errors import Code, ContendedError, DeclinedError
from services.bundler.tokens import revoked

_TRIES = 20


@dataclass(frozen=True)
class TokenRevocation:
    """Revokes tokens."""

    tokens: Tokens
    audit: Audit
    now: Callable[[], int]  # Unix milliseconds

    async def revoke(self, request: Request, content: RevokeTokenContent) -> TokenRevoked:
        """The token admits nobody from now on; safe to repeat.

        Raises:
            DeclinedError: `token_unknown`, or the request has no person.
            ContendedError: many machines enrol by it at this moment.
            StoreError: as `libs.store.errors` lists.
        """
        if request.person is None:
            raise DeclinedError(Code.REQUEST_NOT_TRUSTED, "A person revokes a token, and this request has none.")
        for _ in range(_TRIES):
            token = await self.tokens.get(content.token)
            if token is None:
                raise DeclinedError(Code.TOKEN_UNKNOWN, "There is no such token.")
            after = revoked(token)
            if after is None:
                return TokenRevoked(token=token.id)
            await self.audit.append(
                AuditRecord(
                    id=derived_id(Noun.AUDIT, "token.revoke", token.id, request.person.id),
                    at=self.now(),
                    who=Who(id=request.person.id, name=request.person.name),
                    what="token.revoke",
                    address=request.person.address,
                    extra={"token": token.id, "package": token.package, "uses_left": token.uses_left},
                )
            )
            if await self.tokens.save(token, after):
                return TokenRevoked(token=token.id)
        raise ContendedError("many machines enrol by this token at once")
