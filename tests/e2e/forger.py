"""Whoever holds the scheduler's task key, and lays a job of his own into an agent's mailbox: what must the agent not do
even then.
"""

import secrets
import time
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from libs.client import models
from libs.pki.check import AgentIdentity, Authorities, check_agent_certificate
from libs.store.jobs import JobDocument, JobState
from libs.store.record import Codec
from libs.store.results import ResultDocument
from libs.vault.seal import VaultKeys, in_flight
from libs.wire.ids import Noun, new_id
from libs.wire.jobs import Candidate, Job, ResetStep
from libs.wire.results import ResetOutcome, Result
from libs.wire.seal import key_id, seal
from libs.wire.secret import Secret
from libs.wire.sign import Prefix, sign
from tests.e2e.hunt import store_of
from tests.e2e.site import Site, until


class Forger:
    """Forges jobs for the agent of the site's host."""

    def __init__(self, site: Site) -> None:
        self._site = site
        key = load_pem_private_key((site.server.keys / "scheduler/task.key").read_bytes(), None)
        assert isinstance(key, Ed25519PrivateKey)
        self._key = key
        self._vault = VaultKeys.load(site.server.keys / "public")

    def resets(self, account: models.Account, passwords: Sequence[bytes]) -> list[ResetOutcome]:
        """The agent's answers to one job with a reset step for each password."""
        identity = self._identity()
        steps = tuple(self._step(account, identity, n, password) for n, password in enumerate(passwords, 1))
        now = time.time_ns() // 1_000_000
        job = Job(
            id=new_id(Noun.JOB),
            task=new_id(Noun.TASK),
            agent=identity.agent,
            resource=identity.resource,
            recipient=key_id(identity.sealing_key),
            nonce="".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(26)),
            fence=steps[-1].password.generation,
            issued_at=now,
            deadline=now + 600_000,
            steps=steps,
        )
        mail = JobDocument(
            id=job.id,
            task=job.task,
            account=account.id,
            agent=identity.agent,
            state=JobState.WAITING,
            signed=sign(job.to_bytes(), Prefix.JOB, self._key),
            created_at=now,
        )
        with store_of(self._site.server) as store:
            store["mail"]["jobs"].insert_one(Codec(JobDocument).to_document(mail))
            self._site.agent("restart")  # an agent fetches once at each start
            found = until(lambda: store["desk"]["results"].find_one({"job": job.id}), "the agent's answer")
        result = Result.model_validate_json(Codec(ResultDocument).from_document(found).signed.payload)
        return [outcome for outcome in result.outcomes if isinstance(outcome, ResetOutcome)]

    def _identity(self) -> AgentIdentity:
        pem = self._site.host.read("/var/lib/keyturn-agent/certificate.pem")
        return check_agent_certificate(pem, Authorities.load(self._site.server.keys / "public").agent)

    def _step(self, account: models.Account, identity: AgentIdentity, number: int, password: bytes) -> ResetStep:
        generation, secret = f"4000000000.{number}", Secret(password)
        sealed = seal(secret, in_flight(account.id, generation), [identity.sealing_key])
        return ResetStep(
            account=account.id,
            name=account.name,
            uid=account.uid,
            password=Candidate(generation=generation, sealed=sealed),
            escrow=self._vault.seal_at_rest(secret, account.id, generation),
        )
