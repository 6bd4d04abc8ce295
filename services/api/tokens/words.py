"""What a package's token still admits, in one sentence."""

from services.api.tokens.schemas import TokenState, TokenView
from services.api.words import ago, clock


def admits(token: TokenView, now: int) -> str:
    """What may still come in by it, or why nothing may; `now` in Unix milliseconds."""
    match token.state:
        case TokenState.REVOKED:
            return "Revoked. It admits nobody any more."
        case TokenState.SPENT:
            return "Used up. It admits nobody any more."
        case TokenState.EXPIRED:
            return f"Ended {ago(token.expires_at, now)}. It admits nobody any more."
        case TokenState.ACTIVE:
            return _active(token, now)


def _active(token: TokenView, now: int) -> str:
    machines = "1 machine" if token.uses_left == 1 else f"{token.uses_left} machines"
    named = "" if token.host_pattern is None else f" named {token.host_pattern}"
    seen = f" from {', '.join(token.networks)}" if token.networks else ""
    asked = " Each waits for an approval." if token.approval else ""
    return f"Admits {machines}{named}{seen} until {clock(token.expires_at, now)}.{asked}"
