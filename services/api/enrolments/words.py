"""What is said of an enrolment: who asks, and what a decision does."""

from libs.store.enrolments import EnrolmentDocument, EnrolmentState
from services.api.words import ago


def sentence(found: EnrolmentDocument, known: str | None, now: int) -> str:
    """One sentence.

    Args:
        found: The enrolment.
        known: The name of the resource that it takes over; None where it makes a new one.
        now: Unix milliseconds.
    """
    if found.state is EnrolmentState.DENIED:
        return f"Denied by {found.decided_by_name} {ago(found.decided_at or now, now)}; it got nothing."
    if found.state is EnrolmentState.APPROVED:
        return (
            f"Approved by {found.decided_by_name} {ago(found.decided_at or now, now)}; it comes in when it asks again."
        )
    asked = f"{found.host.hostname} asked {ago(found.created_at, now)} from {found.address or 'an unknown address'}"
    if known is None:
        return f"{asked} to be added under {found.owner_name}."
    return (
        f"{asked} to become the agent of {known}. If you approve, the agent that is there now ends, and the machine"
        f" gets every password of {known} to compare."
    )
