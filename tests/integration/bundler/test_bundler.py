"""The three requests over a real broker and a real store, kill -9 included."""

import asyncio
import hashlib
import io
import json
import time
import urllib.error
import urllib.request
import zipfile

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from deploy.local.deployment import Deployment
from libs.broker.topology import QueueName
from libs.broker.topology import Service as BrokerUser
from libs.pki.check import Authorities, check_agent_certificate
from libs.store.certificates import Certificates
from libs.store.errors import StoreDeniedError
from libs.store.mongo.store import MongoStore
from libs.store.packages import Packages
from libs.store.runtimes import Runtimes
from libs.store.schema import CollectionName
from libs.store.tokens import EnrolmentToken, Tokens
from libs.wire.events import AgentEnrolled
from libs.wire.ids import Noun, new_id
from libs.wire.requests import (
    Certified,
    CertifyContent,
    ComposeContent,
    Composed,
    Declined,
    Enrolled,
    Platform,
    TokenBounds,
)
from libs.wire.seal import SUITE, Box, Context, Purpose, Sealed, key_id, open_sealed
from libs.wire.secret import Secret
from tests.integration.bundler.conftest import broker_as
from tests.integration.bundler.gateway import Gateway
from tests.unit.bundler.parts import Host

pytestmark = pytest.mark.real


async def downloaded(gateway: Gateway, store: MongoStore, uses: int = 1) -> tuple[ComposeContent, bytes]:
    """A package as a gateway makes it: the runtime's first bytes from the store, then the tail."""
    private = X25519PrivateKey.generate()
    content = ComposeContent(
        package=new_id(Noun.PACKAGE),
        token=new_id(Noun.TOKEN),
        platform=Platform.LINUX,
        server_name="keyturn",
        server_port=7272,
        user_name="ops",
        bounds=TokenBounds(uses=uses, user_names=("ops",)),
        recipient=private.public_key().public_bytes_raw(),
    )
    answered = await gateway.ask(content)
    assert answered.declined is None, answered.declined
    composed = Composed.model_validate(answered.answer)
    published = await Runtimes(store).get(composed.runtime)
    assert published is not None
    prefix = (await Runtimes(store).whole(published))[: composed.prefix_bytes]
    box = Sealed(suite=SUITE, boxes=(Box(recipient=key_id(private.public_key()), box=composed.tail),))
    tail = open_sealed(box, Context(content.package, content.token, Purpose.PACKAGE), private).reveal()
    return content, prefix + tail


async def token_in(package: bytes) -> Secret:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        assert archive.testzip() is None
        return Secret(archive.read("token").strip())


async def test_the_gateways_certificate(deployment: Deployment, gateway: Gateway) -> None:
    private = generate(SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(private, SHA256())
    answered = await gateway.ask(CertifyContent(csr=csr.public_bytes(Encoding.DER), names=("keyturn", "127.0.0.1")))
    leaf = x509.load_pem_x509_certificate(Certified.model_validate(answered.answer).certificate)
    leaf.verify_directly_issued_by(Authorities.load(deployment.keys / "public").server)
    assert leaf.public_key() == private.public_key()


@pytest.mark.usefixtures("runtime")
async def test_a_package_and_its_agent(deployment: Deployment, gateway: Gateway, store: MongoStore) -> None:
    content, package = await downloaded(gateway, store)
    listed = await Packages(store).get(content.package)
    assert listed is not None
    assert (listed.sha256, listed.size) == (hashlib.sha256(package).hexdigest(), len(package))
    token, host = await token_in(package), Host()
    first, again = [Enrolled.model_validate((await gateway.ask(host.content(token))).answer) for _ in range(2)]
    assert first == again
    authority = Authorities.load(deployment.keys / "public").agent
    identity = check_agent_certificate(first.certificate, authority)
    assert (identity.agent, identity.resource) == (first.agent, first.resource)
    other = Declined.model_validate((await gateway.ask(Host("copy").content(token))).declined)
    assert other.code == "token_used"
    await hears_of(deployment, first.agent)


@pytest.mark.usefixtures("runtime")
async def test_the_gateway_may_read_and_change_nothing_here(gateway: Gateway, store: MongoStore) -> None:
    content, _ = await downloaded(gateway, store)
    tokens = store.collection(CollectionName.TOKENS)
    with pytest.raises(StoreDeniedError):
        await tokens.update(content.token, set={"uses_left": 5})
    with pytest.raises(StoreDeniedError):
        await tokens.insert({"_id": new_id(Noun.TOKEN), "sha256": "0" * 64})
    with pytest.raises(StoreDeniedError):
        await store.collection(CollectionName.AUDIT_BUNDLER).insert({"_id": new_id(Noun.AUDIT)})


@pytest.mark.usefixtures("runtime")
async def test_kill_9_while_machines_enrol(deployment: Deployment, gateway: Gateway, store: MongoStore) -> None:
    """Each machine asks until it has an answer; the bundler is killed twice meanwhile. Nobody is admitted twice."""
    machines = 24
    content, package = await downloaded(gateway, store, uses=machines)
    token, hosts = await token_in(package), [Host(f"h{n}") for n in range(machines)]
    bundler = deployment.process("bundler")

    async def enrol(host: Host) -> Enrolled:
        return Enrolled.model_validate((await gateway.ask(host.content(token), timeout_s=5)).answer)

    async def minted() -> EnrolmentToken:
        found = await Tokens(store).get(content.token)
        assert found is not None
        return found

    admitted: list[int] = []

    async def kill() -> None:
        for _ in range(2):
            await asyncio.sleep(0.05)
            bundler.kill()
            admitted.append(len((await minted()).used_by))
            await asyncio.to_thread(bundler.restart)

    *found, _ = await asyncio.gather(*map(enrol, hosts), kill())
    agents = {each.agent for each in found if each is not None}
    assert len(agents) == machines
    assert admitted[0] < machines, "it was killed too late, so nothing was shown"
    spent = await minted()
    assert (spent.uses_left, len(spent.used_by)) == (0, machines)
    for agent in agents:
        assert len(await Certificates(store).of_agent(agent)) == 1
    last = Declined.model_validate((await gateway.ask(Host("late").content(token))).declined)
    assert last.code == "token_used"


async def test_it_waits_for_a_store_that_is_away(deployment: Deployment, gateway: Gateway) -> None:
    bundler = deployment.process("bundler")
    bundler.kill()
    deployment.store.kill()
    process = await asyncio.to_thread(bundler.launch)
    says = await asyncio.to_thread(until_it_says, bundler.health_url, "waiting for the store")
    assert not says["ready"]
    assert process.alive
    await asyncio.to_thread(deployment.store.restart)
    await asyncio.to_thread(bundler.wait_until_ready)
    unknown = Declined.model_validate((await gateway.ask(Host().content(Secret("no such token")))).declined)
    assert unknown.code == "token_unknown"


async def hears_of(deployment: Deployment, agent: str) -> None:
    """The scheduler's queue gets the event from the certificate's outbox."""
    async with (
        asyncio.timeout(30),
        broker_as(deployment, BrokerUser.SCHEDULER) as broker,
        broker.consume(QueueName.ENROLLED, prefetch=10) as deliveries,
    ):
        async for delivery in deliveries:
            await delivery.ack()
            if AgentEnrolled.read(delivery.read()).agent == agent:
                return


def until_it_says(url: str, sentence: str) -> dict[str, object]:
    """The health page once its part `store` says so; bounded by the tries."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5) as page:  # noqa: S310 - a loopback address
                raw = page.read()
        except urllib.error.HTTPError as error:
            raw = error.read()
        except OSError:
            raw = b"{}"
        found: dict[str, dict[str, dict[str, object]]] = json.loads(raw)
        if found.get("parts", {}).get("store", {}).get("says") == sentence:
            return found["parts"]["store"]
        time.sleep(0.1)
    raise AssertionError(f"{url} never said {sentence!r}")
