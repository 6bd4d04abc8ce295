"""Whether the server lets this machine in: its token, its user, and what the server said last."""

from dataclasses import dataclass

from agent.doctor.finding import Finding
from libs.wire.reasons import Reason
from libs.wire.troubles import Trouble


@dataclass(frozen=True, slots=True)
class Standing:
    """What lies on this host's disk. `said` is the server's last refusal."""

    user_name: str
    agent: str | None = None
    token: bool = False
    token_error: str = ""
    said: str = ""
    revoked: str = ""


def findings(standing: Standing) -> list[Finding]:
    """Token and user name."""
    code, _, words = standing.said.partition(": ")
    if standing.revoked:
        return [Finding("identity", standing.revoked, Reason.AGENT_REVOKED)]
    if standing.agent is not None:
        found = [Finding("token", f"used: the server let this machine in as {standing.agent}")]
        if code == Trouble.AGENT_QUARANTINED:
            found.append(Finding("identity", words, Trouble.AGENT_QUARANTINED))
        return found
    return [_token(standing, code, words), _user(standing, code, words)]


def _token(standing: Standing, code: str, words: str) -> Finding:
    if standing.token_error:
        return Finding("token", standing.token_error, Trouble.PACKAGE_DAMAGED)
    if not standing.token:
        return Finding("token", "the package has none, and the machine was not let in yet", Trouble.TOKEN_MISSING)
    if code.startswith("token_"):
        return Finding("token", f"{code}: {words}", Trouble.TOKEN_REFUSED)
    return Finding("token", "there is one, not used yet")


def _user(standing: Standing, code: str, words: str) -> Finding:
    if code == Trouble.USER_NAME_UNKNOWN:
        return Finding("user name", f"{standing.user_name}: {words}", Trouble.USER_NAME_UNKNOWN)
    seen = f"{standing.user_name}; the server has not let this machine in yet"
    return Finding("user name", f"{seen} ({standing.said})" if standing.said else seen, Trouble.NOT_LET_IN)
