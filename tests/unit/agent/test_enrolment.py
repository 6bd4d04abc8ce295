"""Which certificate an agent takes for its own."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.enrolment import certifies
from agent.identity import Keys
from libs.pki.issue import Use, issue_agent, make_authority
from libs.wire.agent_api import EnrolAnswer
from libs.wire.identity import agent_csr

NOW = 1_764_000_000_000
AGENT, OTHER = "agt_" + "a" * 26, "agt_" + "b" * 26
RESOURCE, ANOTHER = "res_" + "a" * 26, "res_" + "b" * 26


def made() -> Keys:
    return Keys(generate_private_key(SECP256R1()), X25519PrivateKey.generate(), b"")


OURS = made()


def answer(signing: Keys = OURS, sealing: Keys = OURS, agent: str = AGENT, resource: str = RESOURCE) -> EnrolAnswer:
    csr = agent_csr(signing.signing, sealing.sealing.public_key())
    certificate = issue_agent(csr, agent, resource, make_authority(Use.AGENTS, now=NOW), now=NOW, days=1)
    return EnrolAnswer(agent=AGENT, resource=RESOURCE, certificate=certificate)


def test_a_certificate_for_these_keys_and_names_is_ours() -> None:
    assert certifies(answer(), OURS)


@pytest.mark.parametrize(
    "wrong",
    [
        answer(signing=made()),
        answer(sealing=made()),
        answer(agent=OTHER),
        answer(resource=ANOTHER),
        EnrolAnswer(agent=AGENT, resource=RESOURCE, certificate=b"-----BEGIN CERTIFICATE-----"),
    ],
)
def test_any_other_is_not(wrong: EnrolAnswer) -> None:
    assert not certifies(wrong, OURS)
