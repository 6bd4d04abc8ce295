"""Agents, as their certificates and contacts tell."""

from pydantic import Field

from libs.wire.requests import RevokeReason, RunName
from services.api.fields import Body, Moment, Ref, View, example


class RevokeBody(Body):
    model_config = example({"reason": "The machine was stolen; ticket 4711."})

    reason: RevokeReason = Field(description="Why, for the record; the machine's administrator reads it too.")


class ChooseBody(Body):
    model_config = example({"run": "0123456789abcdef0123456789abcdef", "reason": "The one in rack 7."})

    run: RunName = Field(description="Which machine it is: `run` of one of the agent's `machines`.")
    reason: RevokeReason = Field(description="Why, for the record.")


class MachineView(View):
    """One of two machines that use one identity."""

    run: str
    host_name: str
    address: str
    starts: int = Field(description="How often its agent was started, as its disk counts.")
    since: Moment
    last_seen: Moment
    chosen: bool = Field(description="A person chose it. It gets other keys at its next contact.")


class UpgradeView(View):
    """Why an agent did not take a newer release, or did not keep it."""

    release: str
    code: str
    happened: str
    next: str
    detail: str = Field(description="What the agent saw; may be empty.")


class SaidView(View):
    """Something that went wrong on the machine, which its agent told of at a later contact."""

    code: str
    sentence: str
    remedy: str = Field(description="What to do against it; empty for a code that this server does not know.")
    first_at: Moment
    last_at: Moment
    times: int


class AgentView(View):
    id: str
    resource: Ref
    state: str = Field(
        description="`active`, `quarantined` (on two machines), `revoked` or `left` (removed from its machine)."
    )
    version: str
    last_seen: Moment | None
    clock_skew_seconds: int | None = Field(
        description="How far the machine's clock is ahead of the server's at the last session; behind is negative."
        " Null where the agent has not told. Nothing depends on it."
    )
    said: tuple[SaidView, ...] = Field(description="What its machine met lately, newest first, as the agent told.")
    enrolled_at: Moment
    expires_at: Moment = Field(description="When its certificate ends.")
    revoked_at: Moment | None = Field(description="Since when nothing of it counts any more.")
    upgrade: UpgradeView | None = Field(
        description="The latest trouble with a newer release; null while there is none."
    )
    machines: tuple[MachineView, ...] = Field(description="Of a quarantined agent: choose one.")
    revoked_because: str | None = Field(description="Why; empty until the scheduler has signed the revocation.")
