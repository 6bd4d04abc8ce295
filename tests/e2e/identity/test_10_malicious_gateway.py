"""Story 10: whoever runs the gateway's code. He has its keys and its rights in the store, and sees and changes whatever
agent and server say to each other. What he can do is what docs/threat-model.md says, and no more; each test names its
line.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from pymongo import MongoClient

from libs.pki.check import load_authority
from libs.store.jobs import JobDocument
from libs.store.record import Codec
from libs.store.results import ResultDocument
from libs.wire.agent_api import EnrolAnswer, FetchAnswer
from libs.wire.ids import Noun, new_id
from libs.wire.jobs import Job
from libs.wire.notice import Notice, sign_notice
from libs.wire.results import ResetAnswer, Result
from libs.wire.revocation import Revocation, revocation
from libs.wire.sign import Prefix, Signed, sign
from services.api.signing import load_request_key
from tests.e2e.faults.front import INSTEAD, PASS, page
from tests.e2e.hunt import has
from tests.e2e.identity.behind import Behind, machine_behind
from tests.e2e.identity.test_02_revocation import agent_of, files
from tests.e2e.site import Site, until

pytestmark = [pytest.mark.real, pytest.mark.host]

NAME = "dmz-betrayed-01"
LATER = page(b"503 Service Unavailable", b"")


@pytest.fixture(scope="module")
def betrayed(running: Site) -> Iterator[Behind]:
    """A machine whose gateway has turned: the front shows the gateway's own certificate."""
    keys = running.server.keys / "gateway"
    with machine_behind(running, NAME, keys / "tls.pem", keys / "tls.key") as made:
        made.leads_to(made.front.address)
        yield made


@pytest.fixture(autouse=True)
def honest_again(betrayed: Behind) -> Iterator[None]:
    """Each test leaves the gateway as it should be."""
    yield
    betrayed.front.rule = lambda _: PASS
    betrayed.front.rewrite = lambda _, body: body


class Rogue:
    """What the gateway's process can do beside answering: its request key, and its user of the store."""

    def __init__(self, site: Site) -> None:
        self._keys = site.server.keys / "gateway"
        self.key = load_request_key(self._keys / "request.key")
        password = (self._keys / "store_password").read_text().strip()
        self.store: MongoClient[dict[str, Any]] = MongoClient(
            site.server.store.url, username="gateway", password=password, retryWrites=False
        )

    def stores(self, job: str, agent: str, signed: Signed) -> str:
        """A result, as the gateway stores one."""
        now = time.time_ns() // 1_000_000
        document = ResultDocument(
            id=new_id(Noun.REPORT), job=job, agent=agent, signed=signed, created_at=now, receipt=10**9
        )
        self.store["desk"]["results"].insert_one(Codec(ResultDocument).to_document(document))
        return document.id

    def why_not(self, result: str) -> str:
        """Why the scheduler did not believe a stored result."""

        def look() -> str | None:
            found = self.store["desk"]["results"].find_one({"_id": result})
            return found["why"] if found is not None and found["taken"] else None

        return until(look, "the scheduler to look at it")


@pytest.fixture(scope="module")
def rogue(running: Site) -> Iterator[Rogue]:
    made = Rogue(running)
    yield made
    made.store.close()


def jobs_of(body: bytes) -> Sequence[Signed]:
    return FetchAnswer.model_validate_json(body).jobs


def read(signed: Signed) -> Job:
    return Job.model_validate_json(signed.payload)


@contextmanager
def answering(
    betrayed: Behind, jobs: Sequence[Signed] = (), *, alter: Callable[[Signed], Signed] = lambda true: true
) -> Iterator[list[Signed]]:
    """While it is open every fetch brings `jobs`, then the true ones as `alter` makes them; yields the true ones."""
    seen: list[Signed] = []

    def rewrite(path: str, body: bytes) -> bytes:
        if not path.endswith("/fetch"):
            return body
        true = jobs_of(body)
        seen.extend(true)
        return FetchAnswer(jobs=(*jobs, *map(alter, true))).to_bytes()

    betrayed.front.rewrite = rewrite
    yield seen
    betrayed.front.rewrite = lambda _, body: body


def withheld(betrayed: Behind, what: str) -> None:
    betrayed.front.page, betrayed.front.rule = LATER, lambda path: INSTEAD if path.endswith(what) else PASS
    betrayed.front.answered.clear()


def released(betrayed: Behind) -> None:
    betrayed.front.rule = lambda _: PASS


# ---- keys


def test_a_certificate_for_other_keys_is_not_taken_and_the_true_one_is_asked_for_again(betrayed: Behind) -> None:
    """It cannot point a password at another agent: nor an agent at another's name."""
    other = betrayed.site.host
    pem = other.read("/var/lib/keyturn-agent/certificate.pem")
    identity = json.loads(other.read("/var/lib/keyturn-agent/identity.json"))
    false = EnrolAnswer(agent=identity["agent"], resource=identity["resource"], certificate=pem)
    betrayed.front.rewrite = lambda path, body: false.to_bytes() if path.endswith("/enrol") else body
    betrayed.set()
    betrayed.says("certificate_not_ours")
    assert "identity.json" not in files(betrayed.host)
    betrayed.front.rewrite = lambda _, body: body
    betrayed.sets("The-first-of-all-1")


# ---- jobs


Alter = Callable[[Signed, Rogue], Signed]


def flipped(signed: Signed, _: Rogue) -> Signed:
    body = bytearray(signed.payload)
    body[len(body) // 2] ^= 1
    return signed.model_copy(update={"payload": bytes(body)})


def cut(signed: Signed, _: Rogue) -> Signed:
    return signed.model_copy(update={"payload": signed.payload[:-20]})


def for_root(signed: Signed, _: Rogue) -> Signed:
    """The same password for another account of the machine."""
    return signed.model_copy(update={"payload": signed.payload.replace(b'"deploy"', b'"root"')})


def signed_anew(signed: Signed, rogue: Rogue) -> Signed:
    return sign(signed.payload, Prefix.JOB, rogue.key)


def named_as_the_schedulers(signed: Signed, rogue: Rogue) -> Signed:
    return sign(signed.payload, Prefix.JOB, rogue.key).model_copy(update={"key": signed.key})


@pytest.mark.parametrize("alter", [flipped, cut, for_root, signed_anew, named_as_the_schedulers])
def test_a_job_is_the_schedulers_or_nothing(betrayed: Behind, rogue: Rogue, alter: Alter) -> None:
    """It cannot alter or invent a job."""
    account = betrayed.account()
    before = betrayed.site.revealed(account)[0]
    root = betrayed.host.shadow_field("root")

    def altered(true: Signed) -> Signed:
        false = alter(true, rogue)
        assert false != true
        return false

    with answering(betrayed, alter=altered):
        task = betrayed.site.reset(account, f"True-after-{alter.__name__}-1")
        betrayed.says("job_not_trusted")
        assert betrayed.host.opens("deploy", before)
        assert betrayed.host.shadow_field("root") == root
        assert betrayed.site.client.task(task.id).open
    assert betrayed.site.ends(task).state == "done"
    assert betrayed.host.opens("deploy", f"True-after-{alter.__name__}-1".encode())


def test_a_job_of_another_agent_is_refused(betrayed: Behind, rogue: Rogue) -> None:
    """It cannot point a password at another agent."""
    other = betrayed.site.add_account("pointed-at")
    task = betrayed.site.resets(other, "For-the-other-machine-1")
    document = rogue.store["mail"]["jobs"].find_one({"task": task.id})
    assert document is not None
    signed = Codec(JobDocument).from_document(document).signed
    if signed is None:  # an answered job keeps no password
        pytest.fail("the job was emptied before it could be stolen")
    with answering(betrayed, [signed]):
        betrayed.restart()
        betrayed.says("job_not_trusted")
    assert betrayed.site.account(other).status == "in_sync"


def test_an_older_job_sets_nothing_whatever_the_order_in_which_it_comes(betrayed: Behind) -> None:
    """It cannot replay an older job."""
    account = betrayed.account()
    with answering(betrayed) as seen:
        betrayed.sets("The-older-one-1")
        betrayed.sets("The-newer-one-2")
    older, newer = seen
    for replayed in ([older], [newer, older], [older, newer, older]):
        with answering(betrayed, replayed):
            betrayed.restart()
            verified = betrayed.site.verifies(account)
        assert verified.opens is True
        assert betrayed.host.opens("deploy", b"The-newer-one-2")
        assert betrayed.site.settles(account).status == "in_sync"
        assert betrayed.site.revealed(account)[0] == b"The-newer-one-2"


def test_what_is_withheld_is_late_and_open_and_nothing_is_forgotten(betrayed: Behind) -> None:
    """It can delay and drop."""
    account = betrayed.account()
    before = betrayed.site.revealed(account)[0]
    withheld(betrayed, "/fetch")
    task = betrayed.site.reset(account, "Withheld-for-a-while-1")
    assert betrayed.front.answered.wait(30)
    assert betrayed.site.client.task(task.id).open
    assert betrayed.host.opens("deploy", before)
    withheld(betrayed, "/report")
    assert betrayed.front.answered.wait(30)
    assert betrayed.site.client.task(task.id).open
    assert set(betrayed.site.revealed(account)) >= {before, b"Withheld-for-a-while-1"}
    released(betrayed)
    assert betrayed.site.ends(task).state == "done"
    assert betrayed.host.opens("deploy", b"Withheld-for-a-while-1")


def test_an_answer_that_is_cut_is_asked_for_again(betrayed: Behind) -> None:
    """It can drop half of an answer too."""
    cuts = iter(range(3))
    betrayed.front.rewrite = lambda _, body: body[: len(body) // 2] if next(cuts, None) is not None else body
    betrayed.restart()
    betrayed.sets("Cut-in-the-middle-1")


# ---- results


def test_a_result_counts_only_for_its_job_and_with_its_agents_signature(betrayed: Behind, rogue: Rogue) -> None:
    """It cannot claim that a password was set."""
    account, agent = betrayed.account(), agent_of(betrayed.site, betrayed.host).id
    with answering(betrayed) as seen:
        betrayed.sets("Set-and-told-1")
        (before,) = seen
        found = rogue.store["desk"]["results"].find_one({"job": read(before).id})
        assert found is not None
        told = Codec(ResultDocument).from_document(found).signed

        withheld(betrayed, "/fetch")
        task = betrayed.site.reset(account, "Never-seen-by-the-host-2")
        job = until(lambda: rogue.store["mail"]["jobs"].find_one({"task": task.id}), "its job")
        said = Result.model_validate_json(told.payload)
        (outcome,) = said.outcomes
        order = Job.model_validate_json(Codec(JobDocument).from_document(job).signed.payload)  # type: ignore[union-attr]
        step = order.steps[0]
        assert step.kind == "reset"
        claim = said.model_copy(
            update={
                "job": order.id,
                "task": order.task,
                "nonce": order.nonce,
                "fence": order.fence,
                "outcomes": (
                    outcome.model_copy(update={"generation": step.password.generation, "answer": ResetAnswer.APPLIED}),
                ),
            }
        )
        forged = sign(claim.to_bytes(), Prefix.RESULT, rogue.key)
        lies = (
            told,
            forged,
            forged.model_copy(update={"key": told.key}),
            told.model_copy(update={"payload": claim.to_bytes()}),
        )
        for lie in lies:
            assert rogue.why_not(rogue.stores(order.id, agent, lie))
        seen_now = betrayed.site.account(account)
        assert betrayed.site.client.task(task.id).open
        assert seen_now.flight is not None
        assert betrayed.host.opens("deploy", b"Set-and-told-1")
        released(betrayed)
    assert betrayed.site.ends(task).state == "done"
    assert betrayed.host.opens("deploy", b"Never-seen-by-the-host-2")


# ---- trust


def test_a_notice_that_the_two_keys_have_not_signed_is_not_followed(betrayed: Behind, rogue: Rogue) -> None:
    """It cannot change what agents trust."""
    own = (rogue.key.public_key().public_bytes_raw(),)
    authority = load_authority(betrayed.site.server.ca_file).public_bytes(Encoding.DER)
    false = Notice(
        # Above each that this installation has published: those have the second at which they were made.
        serial=time.time_ns() // 1_000_000_000 + 1_000_000,
        issued_at=time.time_ns() // 1_000_000,
        server_authorities=(authority,),
        task_keys=own,
        configuration_keys=own,
        release_keys=own,
        vault_keys=own,
        recovery_keys=own,
    )
    body = json.dumps({"notices": [json.loads(sign_notice(false, [rogue.key]).to_bytes())]}).encode()

    def rewrite(path: str, answer: bytes) -> bytes:
        if path.endswith("/session"):
            return json.dumps(json.loads(answer) | {"notice": false.serial}).encode()
        return body if path.endswith("/notices") else answer

    betrayed.front.rewrite = rewrite
    betrayed.restart()
    betrayed.says("notice_not_taken", ever=True)
    betrayed.front.rewrite = lambda _, answer: answer
    betrayed.restart()
    betrayed.sets("By-the-true-keys-1")


def test_a_revocation_that_the_scheduler_has_not_signed_ends_nobody(betrayed: Behind, rogue: Rogue) -> None:
    """It can say that an agent is revoked; the agent keeps its identity and goes on."""
    agent = agent_of(betrayed.site, betrayed.host).id
    word = revocation(Revocation(agent=agent, revoked_at=1, reason="a lie"), rogue.key)
    problem = {"title": "Revoked.", "status": 403, "code": "agent_revoked", "revocation": json.loads(word.to_bytes())}
    betrayed.front.page = page(b"403 Forbidden", json.dumps(problem).encode(), b"application/problem+json")
    betrayed.front.rule = lambda _: INSTEAD
    betrayed.restart()
    betrayed.says("revocation_not_trusted", ever=True)
    assert {"identity.json", "certificate.pem"} <= files(betrayed.host)
    released(betrayed)
    betrayed.sets("Still-here-1")


# ---- passwords


def memory_of(pid: int) -> Iterator[bytes]:
    """What a process has in its memory."""
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        span, rights, *_ = line.split()
        first, last = (int(each, 16) for each in span.split("-"))
        if rights.startswith("rw"):
            with Path(f"/proc/{pid}/mem").open("rb") as memory:
                memory.seek(first)
                yield memory.read(last - first)


def test_a_generated_password_was_never_in_the_gateway(betrayed: Behind) -> None:
    """It can listen to what people type; a generated password it never has, and what is sealed it cannot open."""
    account, passed = betrayed.account(), [b""]

    def rewrite(_: str, body: bytes) -> bytes:
        passed.append(body)
        return body

    betrayed.front.rewrite = rewrite
    typed = betrayed.site.resets(account, "Typed-by-a-person-and-heard-1")
    assert typed.state == "done"
    generated = betrayed.site.resets(account)
    assert generated.state == "done"
    password = betrayed.site.revealed(account)[0].decode()
    assert betrayed.host.opens("deploy", password.encode())
    gateway = betrayed.site.server.process("gateway")
    assert gateway.pid is not None
    name = account.id.encode()
    pieces = list(memory_of(gateway.pid))
    assert any(name in piece for piece in pieces), "this looks at the right memory"
    assert not [piece for piece in (*pieces, *passed, *map(str.encode, betrayed.front.heads)) if has(piece, password)]
