"""The gateway's own certificate: asked for, checked, kept, renewed."""

import asyncio
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from libs.broker.topology import QueueName
from libs.pki.issue import issue_server
from libs.wire.requests import Certified, CertifyContent, Request
from services.api.tls import CERTIFICATE_FILE, Certificate, UnfitCertificateError, check, context_of, own_key
from tests.unit.api.world import World, authorities

NAMES = ("keyturn.example", "127.0.0.1", "0000:0000:0000:0000:0000:0000:0000:0001")
DAY = 86_400


def certified(world: World, names: tuple[str, ...] | None = None, authority: int = 0) -> "type[None] | object":
    def answer(request: Request) -> Certified:
        assert isinstance(request.content, CertifyContent)
        content = request.content
        pem = issue_server(content.csr, names or content.names, authorities()[authority], now=world.clock.now(), days=9)
        return Certified(certificate=pem)

    return answer


def certificate(world: World, said: list[str | None]) -> Certificate:
    return Certificate(
        private=world.private,
        names=NAMES,
        authority=authorities()[0].certificate,
        calls=world.gateway.calls,
        clock=world.clock.now,
        sleep=world.clock.sleep,
        say=said.append,
    )


async def test_it_is_asked_for_once_and_kept(world: World) -> None:
    said: list[str | None] = []
    async with world.answering(QueueName.CERTIFICATES, certified(world)) as heard:  # type: ignore[arg-type]
        context = await certificate(world, said).ready()
        await certificate(world, said).ready()
    assert (len(heard), said) == (1, [None])
    assert context.num_tickets == 0
    assert stat.S_IMODE((world.private / "tls.key").stat().st_mode) == 0o600
    assert own_key(world.private) is not None


async def test_without_a_bundler_it_is_waited_for_and_said(world: World) -> None:
    said: list[str | None] = []
    world.node.stop()
    waiting = asyncio.create_task(certificate(world, said).ready())
    await world.clock.advance(10)
    assert not waiting.done()
    assert said[0] == "waits for its certificate from the bundler: The bundler does not answer."
    world.node.start()
    async with world.answering(QueueName.CERTIFICATES, certified(world)):  # type: ignore[arg-type]
        await world.clock.advance(30)
        await waiting
    assert said[-1] is None


@pytest.mark.parametrize(("names", "authority", "why"), [(("other",), 0, "not for keyturn"), (None, 1, "not a cert")])
async def test_a_certificate_that_does_not_serve_is_not_taken(
    world: World, names: tuple[str, ...] | None, authority: int, why: str
) -> None:
    said: list[str | None] = []
    async with world.answering(QueueName.CERTIFICATES, certified(world, names, authority)):  # type: ignore[arg-type]
        waiting = asyncio.create_task(certificate(world, said).ready())
        await world.clock.advance(1)
        waiting.cancel()
        await asyncio.wait([waiting])
    assert why in str(said[0])
    assert not (world.private / CERTIFICATE_FILE).exists()


async def test_it_is_renewed_at_two_thirds_of_its_life(world: World) -> None:
    said: list[str | None] = []
    async with world.answering(QueueName.CERTIFICATES, certified(world)) as heard:  # type: ignore[arg-type]
        context = await certificate(world, said).ready()
        keeping = asyncio.create_task(certificate(world, said).keep(context))
        # Nine days, back-dated by one: two thirds of ten lie five and two thirds after the start.
        await world.clock.advance(5 * DAY)
        assert len(heard) == 1
        await world.clock.advance(DAY)
        assert len(heard) == 2
        keeping.cancel()
        await asyncio.wait([keeping])


async def test_a_certificate_of_the_authority_before_serves_until_the_bundler_issues_by_the_new_one(
    world: World,
) -> None:
    """The gateway may be restarted before the bundler: its door opens all the same."""
    said: list[str | None] = []
    async with world.answering(QueueName.CERTIFICATES, certified(world)) as heard:  # type: ignore[arg-type]
        await certificate(world, said).ready()
    old, new = (each.certificate for each in authorities())
    rolled = replace(certificate(world, said), authority=new, beside=(old,))
    context = await rolled.ready()
    assert len(heard) == 1
    async with world.answering(QueueName.CERTIFICATES, certified(world)) as heard:  # type: ignore[arg-type]
        keeping = asyncio.create_task(rolled.keep(context))
        await world.clock.advance(90)
        assert len(heard) == 2  # at once, and after a minute: it was of the old one again
    async with world.answering(QueueName.CERTIFICATES, certified(world, None, 1)) as heard:  # type: ignore[arg-type]
        await world.clock.advance(3_000)
        assert len(heard) == 1
        keeping.cancel()
        await asyncio.wait([keeping])
    check((world.private / CERTIFICATE_FILE).read_bytes(), own_key(world.private), new, NAMES, world.clock.now())


def test_an_outlived_certificate_does_not_serve(tmp_path: Path) -> None:
    key = own_key(tmp_path)
    with pytest.raises(UnfitCertificateError):
        check(b"none", key, authorities()[0].certificate, NAMES, 0)
    with pytest.raises(FileNotFoundError):
        context_of(tmp_path)
