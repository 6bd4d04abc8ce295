"""Messages of the product, as tests send them."""

from libs.wire.envelope import Envelope
from libs.wire.events import AgentWake, Answered, RevealAsked, TaskReported, TaskRequested
from libs.wire.ids import Noun, new_id
from libs.wire.sign import Signed
from tests.contract.broker.rig import NOW


def requested() -> Envelope:
    return TaskRequested(task=new_id(Noun.TASK)).envelope(NOW)


def reported() -> Envelope:
    return TaskReported(job=new_id(Noun.JOB)).envelope(NOW)


def wake() -> Envelope:
    return AgentWake(agent=new_id(Noun.AGENT)).envelope(NOW)


def asked() -> Envelope:
    return RevealAsked(signed=Signed(payload=b"what is asked", key="sha256:" + 64 * "0", signature=bytes(64))).envelope(
        NOW
    )


def answered(to: Envelope) -> Envelope:
    return Answered(answer={"to": to.id}).envelope(NOW)
