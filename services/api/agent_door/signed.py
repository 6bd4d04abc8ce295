"""The signature of an agent's request: checked against the agent that its body names, and its nonce spent once."""

from collections.abc import Callable
from dataclasses import replace

from fastapi import Request

from libs.pki.check import Standing
from libs.store.nonces import Nonces
from libs.wire.agent_api import (
    FetchRequest,
    LeaveRequest,
    ObserveRequest,
    RenewRequest,
    ReportRequest,
    RuntimeRequest,
    SessionRequest,
)
from libs.wire.http_signature import MAX_AGE_SECONDS, RefusedError, Verified, verify
from services.api.agent_door.forks import Forks, Spoken
from services.api.agent_door.identities import Certified, Identities, Known, refused_for_good
from services.api.auth import address
from services.api.errors import AgentRefusedError

Body = SessionRequest | FetchRequest | ReportRequest | ObserveRequest | RenewRequest | LeaveRequest | RuntimeRequest

_KEPT_SECONDS = 3 * MAX_AGE_SECONDS


def target(request: Request) -> str:
    """Path and query as they came, before anything decoded them."""
    query = request.scope["query_string"]
    raw: bytes = request.scope["raw_path"] + (b"?" + query if query else b"")
    return raw.decode("latin-1")


class SignedRequests:
    """Admits signed requests. `clock` in Unix milliseconds; `refused` is told the code of each refusal."""

    def __init__(
        self,
        identities: Identities,
        nonces: Nonces,
        forks: Forks,
        clock: Callable[[], int],
        refused: Callable[[str], None],
    ) -> None:
        self._identities, self._nonces, self._forks = identities, nonces, forks
        self._clock, self._refused = clock, refused

    async def admit(self, request: Request, body: Body, *, expired: bool = False) -> Certified:
        """Who signed the request, which is the agent that its body names.

        With `expired` the certificate of its key may be past its end, or of a retired authority.

        Raises:
            AgentRefusedError: `signature_missing`, `signature_invalid`, `clock_skew` (with the server's time),
                `nonce_used`, `agent_unknown`, `agent_revoked`, `certificate_expired`, `agent_quarantined`, `run_over`,
                `request_late`.
        """
        raw = await request.body()
        try:
            known = await self._identities.known(body.agent)
            certified, signature = self._verified(request, raw, known)
            if (over := known.ended(certified.key)) is not None:
                raise refused_for_good(over)
            expires = (signature.created + _KEPT_SECONDS) * 1000
            if not await self._nonces.claim(signature.key, signature.nonce, expires):
                raise AgentRefusedError("This request came before. Sign it anew to repeat it.", "nonce_used")
            retired = certified.identity.standing is Standing.RETIRED
            if not expired and (retired or self._clock() > certified.identity.not_after):
                what = "is of a retired authority" if retired else "has expired"
                raise AgentRefusedError(f"This agent's certificate {what}. It must renew it.", "certificate_expired")
            created, key = signature.created * 1000, certified.key
            spoken = Spoken(
                agent=known.agent,
                run=body.run,
                signed_at=created,
                address=address(request),
                key=key,
                answered=not isinstance(body, SessionRequest),
                document=known.document,
            )
            passed = await self._forks.heard(spoken)
        except AgentRefusedError as error:
            self._refused(error.stable)
            raise
        renew_at = 0 if passed.must_renew else certified.renew_at
        return replace(certified, renew_at=renew_at, mail=passed.mail)

    def _verified(self, request: Request, raw: bytes, known: Known) -> tuple[Certified, Verified]:
        agent = known.agent
        refusal: RefusedError | None = None
        for certified in known.line:
            public = certified.identity.public_key
            try:
                signature = verify(
                    request.method,
                    target(request),
                    dict(request.headers),
                    raw,
                    lambda key, public=public: public if key == agent else None,  # type: ignore[misc]
                    now=self._clock(),
                )
            except RefusedError as error:
                # Only the key that made the signature gets as far as its time.
                refusal = error if refusal is None or error.code == "clock_skew" else refusal
                continue
            return certified, signature
        if refusal is None:
            raise AgentRefusedError("This server knows no such agent.", "agent_unknown")
        if refusal.code == "clock_skew":
            sentence = f"The signature's time is not the server's: {refusal}."
            raise AgentRefusedError(sentence, refusal.code, server_time=self._clock())
        raise AgentRefusedError(f"The signature does not count: {refusal}.", refusal.code)
