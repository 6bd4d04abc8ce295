"""Renewal: the bound key alone asks, also when its certificate has expired, and a lost answer costs nothing."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from libs.pki.check import check_agent_certificate
from libs.store.certificates import Certificates, CertificateState
from libs.store.schema import CollectionName
from libs.wire.identity import agent_csr
from libs.wire.ids import Noun, new_id
from libs.wire.renewal import renewal
from libs.wire.requests import Enrolled, RenewContent, Renewed
from services.bundler.renewal import KEPT
from tests.unit.bundler.parts import AGENTS, Host, Parts
from tests.unit.bundler.test_enrolment import add_token

DAY = 86_400_000


@pytest.fixture
def parts() -> Parts:
    return Parts()


async def enrolled(parts: Parts) -> tuple[Host, Enrolled]:
    host = Host()
    answered = await parts.ask(host.content(await add_token(parts)))
    return host, Enrolled.model_validate(answered.answer)


class Next:
    """The keys of the next pair."""

    def __init__(self) -> None:
        self.signing, self.sealing = generate_private_key(SECP256R1()), X25519PrivateKey.generate()

    def content(self, agent: str, present: EllipticCurvePrivateKey) -> RenewContent:
        csr = agent_csr(self.signing, self.sealing.public_key())
        return RenewContent(agent=agent, renewal=renewal(agent, csr, present), address="10.0.0.9")


async def renews(parts: Parts, content: RenewContent) -> bytes:
    answered = await parts.ask(content)
    assert answered.answer is not None, answered.declined
    return Renewed.model_validate(answered.answer).certificate


async def test_the_bound_key_gets_a_certificate_over_its_next_keys(parts: Parts) -> None:
    machine, was = await enrolled(parts)
    parts.clock.at += 20 * DAY
    new = Next()
    pem = await renews(parts, new.content(was.agent, machine.signing))
    identity = check_agent_certificate(pem, AGENTS.certificate, now=parts.clock())
    assert (identity.agent, identity.resource) == (was.agent, was.resource)
    assert identity.public_key == new.signing.public_key()
    assert identity.sealing_key.public_bytes_raw() == new.sealing.public_key().public_bytes_raw()
    line = await Certificates(parts.admin).line(was.agent)
    assert [each.pem for each in line] == [pem, was.certificate]
    audit = [each for each in await parts.all_of(CollectionName.AUDIT_BUNDLER) if each["what"] == "agent.renew"]
    assert [(each["resource"], each["address"]) for each in audit] == [(was.resource, "10.0.0.9")]


async def test_a_lost_answer_is_given_again_and_an_old_one_is_made_anew(parts: Parts) -> None:
    machine, was = await enrolled(parts)
    content = Next().content(was.agent, machine.signing)
    first = await renews(parts, content)
    parts.clock.at += DAY
    assert await renews(parts, content) == first
    parts.clock.at += 200 * DAY
    later = await renews(parts, content)
    assert later != first
    assert check_agent_certificate(later, AGENTS.certificate, now=parts.clock()).agent == was.agent


async def test_a_key_whose_certificate_expired_may_renew(parts: Parts) -> None:
    machine, was = await enrolled(parts)
    parts.clock.at += 200 * DAY
    pem = await renews(parts, Next().content(was.agent, machine.signing))
    assert check_agent_certificate(pem, AGENTS.certificate, now=parts.clock()).resource == was.resource


async def test_another_key_another_agent_or_a_revoked_one_gets_nothing(parts: Parts) -> None:
    machine, was = await enrolled(parts)
    other_machine, other = await enrolled(parts)
    assert await parts.code(Next().content(was.agent, other_machine.signing)) == "renewal_invalid"
    crossed = Next().content(other.agent, machine.signing)
    assert await parts.code(crossed.model_copy(update={"agent": was.agent})) == "renewal_invalid"
    assert await parts.code(Next().content(new_id(Noun.AGENT), machine.signing)) == "agent_revoked"
    garbage = RenewContent(agent=was.agent, renewal=renewal(was.agent, b"garbage", machine.signing))
    assert await parts.code(garbage) == "csr_invalid"
    certificates = Certificates(parts.admin)
    (certificate,) = await certificates.of_agent(was.agent)
    assert await certificates.save(certificate, replace(certificate, state=CertificateState.REVOKED, rev=1))
    assert await parts.code(Next().content(was.agent, machine.signing)) == "agent_revoked"


async def test_a_long_line_is_cut_at_its_old_end(parts: Parts) -> None:
    machine, was = await enrolled(parts)
    present = machine.signing
    for _ in range(KEPT + 4):
        parts.clock.at += 20 * DAY
        new = Next()
        await renews(parts, new.content(was.agent, present))
        present = new.signing
    line = await Certificates(parts.admin).line(was.agent)
    assert len(line) == KEPT
    assert was.certificate not in [each.pem for each in line]
