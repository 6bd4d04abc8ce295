"""Whom the scheduler seals to: the pair that the pinned one asked for, whoever else writes to the store."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from libs.pki.check import check_agent_certificate
from libs.pki.csr import key_hash
from libs.pki.issue import issue_agent
from libs.store.certificates import Certificates, certificate_id
from libs.store.jobs import Jobs
from libs.store.tasks import TaskState
from libs.wire.identity import agent_csr
from libs.wire.jobs import Job
from libs.wire.renewal import renewal
from libs.wire.seal import key_id
from libs.wire.sign import Prefix, Signed, verify
from tests.unit.scheduler.host import Host
from tests.unit.scheduler.world import AGENTS, KEYS, World


@pytest.fixture
async def host(here: World) -> Host:
    return await here.machine()


class Pair:
    def __init__(self) -> None:
        self.signing, self.sealing = generate_private_key(SECP256R1()), X25519PrivateKey.generate()

    def csr(self) -> bytes:
        return agent_csr(self.signing, self.sealing.public_key())


async def certifies(here: World, host: Host, pair: Pair, said: Signed | None, *, resource: str | None = None) -> None:
    """What the bundler's key made of a pair, whoever had it do so, and why."""
    certificates, now = Certificates(here.admin), here.clock.now()
    pem = issue_agent(pair.csr(), host.agent, resource or host.resource, AGENTS, now=now, days=30)
    serial = check_agent_certificate(pem, AGENTS.certificate).serial
    (first, *_) = await certificates.of_agent(host.agent)
    made = replace(
        first,
        id=certificate_id(host.agent, serial),
        serial=serial,
        pem=pem,
        key_hash=key_hash(pair.signing.public_key()),
        sealing_key=pair.sealing.public_key().public_bytes_raw(),
        created_at=now,
        renewal=said,
        rev=0,
    )
    assert await certificates.insert(made)


def asks(host: Host, pair: Pair, present: EllipticCurvePrivateKey) -> Signed:
    return renewal(host.agent, pair.csr(), present)


async def recipient(here: World, host: Host) -> str:
    """To whose key the next job is sealed."""
    await here.resets(host.account())
    await here.passes()
    job = (await Jobs(here.admin).of_agent(host.agent))[-1]
    assert job.signed is not None
    return Job.model_validate_json(verify(job.signed, Prefix.JOB, KEYS.task.public_key())).recipient


async def test_the_pair_that_the_pinned_one_asked_for_is_sealed_to_and_believed(here: World, host: Host) -> None:
    second, third = Pair(), Pair()
    await here.passes(60)
    await certifies(here, host, second, asks(host, second, host.signing))
    await here.passes(60)
    await certifies(here, host, third, asks(host, third, second.signing))
    assert await recipient(here, host) == key_id(third.sealing.public_key())


async def test_an_answer_that_the_pair_before_signed_still_counts(here: World, host: Host) -> None:
    task = await here.resets(host.account(), "Set-by-the-pair-before-1")
    await here.passes()
    new = Pair()
    await certifies(here, host, new, asks(host, new, host.signing))
    await host.works()
    await here.passes()
    assert (await here.task(task)).state is TaskState.DONE


async def test_no_other_pair_takes_its_place(here: World, host: Host) -> None:
    """Each is certified by the real authority, as a stolen bundler or a written store could have it."""
    mine = key_id(host.sealing.public_key())
    thief, real = Pair(), Pair()
    await here.passes(60)
    await certifies(here, host, thief, None)
    await certifies(here, host, Pair(), asks(host, thief, thief.signing))
    crossed = Pair()
    await certifies(here, host, crossed, asks(host, real, host.signing))  # the real word, of another pair
    half = Pair()
    half.signing = real.signing
    await certifies(here, host, half, asks(host, real, host.signing))  # the same signing key, another sealing key
    moved = Pair()
    await certifies(here, host, moved, asks(host, moved, host.signing), resource="res_" + "b" * 26)
    assert await recipient(here, host) == mine


async def test_a_pinned_pair_that_was_taken_away_is_nobodys(here: World, host: Host) -> None:
    """Where its certificate is gone from the store, no other one of the same agent is pinned instead."""
    certificates = Certificates(here.admin)
    (first,) = await certificates.of_agent(host.agent)
    await certifies(here, host, Pair(), None)
    await certificates.forget(first)
    task = await here.resets(host.account())
    await here.passes()
    assert (await here.task(task)).state is TaskState.REFUSED
