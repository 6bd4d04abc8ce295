"""What must hold after every step: read from the documents, the hosts' disks and their live passwords, never asked of
the code that is under test.

I1   the live password of an account that Keyturn set is in the vault, or in the agent's escrow
I2   IN_SYNC means: compared live, and no contact since spoke against it; what is not live now was changed out of band
I3   an agent never sets a generation older than the proven one, unless its host was rolled back or the store put back
I4   a generation is one password, for ever
I5   a request ends at most once (and at the end of a run each has: see `rest`)
I6   a version stays, and never goes back to "no agent had it"
I7   one job at most can be offered for an account, and it is the one in flight
I8   the audit record lies in the store before an offer or a reveal leaves
I10  no plain password in the store, the broker, an answer of the gateway or the disk of an agent
R    a reveal would show the live password at any moment, unless it was changed out of band since the last comparison
"""

import re
from base64 import b64encode
from typing import Any

from pydantic import TypeAdapter

from libs.domain.accounts import Account
from libs.domain.state import Generation, Rotation, Status, VersionState
from libs.domain.versions import may_be_live
from libs.store.memory.store import MemoryServer
from libs.store.record import Codec
from libs.store.schema import CollectionName
from libs.vault.open import Opener
from libs.wire.envelope import Envelope
from libs.wire.events import Answered, RevealAsked
from libs.wire.ids import Noun, derived_id
from libs.wire.jobs import Job, ResetStep
from libs.wire.requests import Request
from libs.wire.seal import CannotOpenError, Sealed
from libs.wire.sign import Signed
from services.scheduler.reveals import SHOWN
from tests.model.sim.host import Host
from tests.model.sim.trace import Trace

OVER = frozenset({"done", "refused", "cancelled", "expired", "cannot_tell"})
_PASSING = {CollectionName.NONCES, CollectionName.PRESENCE, CollectionName.SESSIONS, CollectionName.BUDGETS}
_WATCHED = frozenset(CollectionName) - _PASSING
_CODEC = Codec(Account)
_SEALED: TypeAdapter[Sealed] = TypeAdapter(Sealed)
_NEVER_OFFERED = (VersionState.ESCROWED, VersionState.WITHDRAWN)
_NOT_OFFERED_YET = (VersionState.ESCROWED, VersionState.WITHDRAWN, VersionState.STATED)


class Invariants:
    """The checker of one run."""

    def __init__(self, server: MemoryServer, opener: Opener, trace: Trace) -> None:
        self.hosts: list[Host] = []
        self.accounts: dict[str, Account] = {}
        self.secrets: dict[tuple[str, Generation], bytes] = {}
        """Every generation that the vault ever gave, opened."""
        self.put_back = 0
        """How often the store was put back to an earlier copy."""
        self._server, self._opener, self._trace = server, opener, trace
        self._seen: dict[CollectionName, dict[str, Any]] = {name: {} for name in _WATCHED}
        self._boxes: dict[tuple[str, Generation], Sealed] = {}
        self._stated: set[tuple[str, Generation]] = set()
        self._plain: set[bytes] = set()
        self._pattern: re.Pattern[bytes] | None = None

    def on(self, host: Host) -> None:
        """Watches a host from now on."""
        self.hosts.append(host)
        host.backend.changed = lambda name: self._host_changed(host, name)
        host.backend.set_begins = lambda name, secret: self._set_begins(host, name, secret)

    def account_of(self, host: Host, name: str) -> Account | None:
        """The account document of a login on a host."""
        for each in self.accounts.values():
            if each.resource == host.resource and each.name == name:
                return each
        return None

    def host_of(self, account: Account) -> Host | None:
        return next((each for each in self.hosts if each.resource == account.resource), None)

    # ---- the store

    def wrote(self, name: CollectionName) -> None:
        """Somebody wrote to a collection: looks at each document that is another one now."""
        if name not in _WATCHED:
            return
        seen, now = self._seen[name], self._server.shelf(name)._documents
        for key, document in now.items():
            before = seen.get(key)
            if before is not document:
                seen[key] = document
                self._trace.steps += 1
                self._written(name, document, before)
        if len(now) < len(seen):
            for key in [key for key in seen if key not in now]:
                del seen[key]
                self._trace.violated(f"{key} was taken out of {name}")

    def restored(self) -> None:
        """The store is an earlier copy now: what was kept since then is past."""
        self.put_back += 1
        for name in _WATCHED:
            self._seen[name] = dict(self._server.shelf(name)._documents)
        found = self._seen[CollectionName.ACCOUNTS].values()
        self.accounts = {each["_id"]: _CODEC.from_document(each) for each in found}

    def _written(self, name: CollectionName, document: Any, before: Any) -> None:
        match name:
            case CollectionName.ACCOUNTS:
                self._account(_CODEC.from_document(document))
            case CollectionName.TASKS:
                self._task(document, before)
            case CollectionName.JOBS:
                self._job(document, before)
            case CollectionName.AUDIT_SCHEDULER | CollectionName.AUDIT_GATEWAY | CollectionName.AUDIT_BUNDLER:
                self._holds(before is None, f"audit record {document['_id']} was changed")
            case CollectionName.REQUESTS | CollectionName.RESULTS | CollectionName.OBSERVATIONS:
                taken = document["taken"]
                if before is None or before["taken"] != taken:
                    self._trace.say("desk", f"{document['_id']} taken={taken} why={document.get('why')}")
        self.nothing_plain(repr(document).encode(), str(name))
        if document.get("signed"):
            self.nothing_plain(payload(document), f"what is signed in {name}")

    def _account(self, account: Account) -> None:
        before, r = self.accounts.get(account.id), account.rotation
        self.accounts[account.id] = account
        if before is None or _shown(before) != _shown(account):
            self._trace.say("vault", _shown(account))
        for version in r.versions:
            if version.sealed is not None:
                self._version(account.id, version.generation, version.sealed)
            if version.state is VersionState.STATED:
                self._stated.add((account.id, version.generation))
        if before is not None:
            self._kept(before.rotation, account)
            told = {each.task: each for each in before.ended}
            for each in account.ended:
                earlier = self._seen[CollectionName.TASKS].get(each.task)
                again = each.task not in told and earlier is not None and earlier["state"] in OVER
                self._holds(not again, f"I5 {each.task} ended a second time, now {each.end}")
        self._check(account)

    def _version(self, account: str, generation: Generation, sealed: Sealed) -> None:
        key = (account, generation)
        if self._boxes.get(key) == sealed:
            return
        secret = self._opener.at_rest(sealed, account, str(generation)).reveal()
        self._holds(self.secrets.setdefault(key, secret) == secret, f"I4 {generation} of {account} is two passwords")
        self._boxes[key] = sealed
        self.is_secret(secret)

    def _kept(self, before: Rotation, account: Account) -> None:
        now = {each.generation: each for each in account.rotation.versions}
        for old in before.versions:
            fresh = now.get(old.generation)
            if fresh is None:
                self._holds(False, f"I6 version {old.generation} of {account.name} was dropped")
            elif old.state not in _NOT_OFFERED_YET:
                self._holds(
                    fresh.state not in _NEVER_OFFERED,
                    f"I6 version {old.generation} of {account.name} went from {old.state} to {fresh.state}",
                )

    def _task(self, document: Any, before: Any) -> None:
        state = document["state"]
        if before is None or before["state"] != state:
            why = f" {document['reason']}" if document.get("reason") else ""
            self._trace.say("task", f"{document['_id']} {document['kind']} is {state}{why}")
        if before is not None and before["state"] in OVER:
            fields = ("state", "reason", "opens", "generation")
            was, now = ([each.get(field) for field in fields] for each in (before, document))
            self._holds(was == now, f"I5 {document['_id']} ended as {was}, and then as {now}")
        elif state in OVER and document["kind"] == "reset":
            self._ended(document)

    def _ended(self, task: Any) -> None:
        """What is said of a reset that ended must be so."""
        account = self.accounts.get(task["account"])
        host = None if account is None else self.host_of(account)
        if host is None or account is None or not task.get("generation"):
            return
        secret = self.secrets[account.id, Generation.parse(task["generation"])]
        known = host.backend.known[account.name]
        if task["state"] in ("cancelled", "expired"):
            self._holds(
                secret not in known.set_by_agent,
                f"I2 {task['_id']} is {task['state']}, and its password was set on {host.name}",
            )
        if task["state"] == "done":
            self._holds(secret in known.confirmed, f"I2 {task['_id']} is done, and nobody compared its password live")

    def _job(self, document: Any, before: Any) -> None:
        if before is None or before["state"] != document["state"]:
            self._trace.say("mail", f"{document['_id']} of {document['task']} is {document['state']}")
        if document["signed"] is None or document["state"] != "waiting":
            return
        job = _job(document)
        audit = derived_id(Noun.AUDIT, "offered", job.task, job.nonce)
        self._holds(self._audited(audit), f"I8 {job.id} lies in the mail without its audit record")
        if not isinstance(job.steps[0], ResetStep):
            return
        jobs = self._server.shelf(CollectionName.JOBS)._documents.values()
        waiting = [
            each["_id"]
            for each in jobs
            if (each["account"], each["state"]) == (document["account"], "waiting")
            and each["signed"] is not None
            and isinstance(_job(each).steps[0], ResetStep)
        ]
        self._holds(len(waiting) == 1, f"I7 {len(waiting)} resets of {document['account']} can be fetched")

    def _audited(self, key: str) -> bool:
        return key in self._server.shelf(CollectionName.AUDIT_SCHEDULER)._documents

    # ---- the broker and the network

    def answered(self, question: Envelope, answer: Envelope) -> None:
        """The scheduler answers a reveal."""
        if question.type != RevealAsked.TYPE or Answered.read(answer).answer is None:
            return
        request = Request.model_validate_json(RevealAsked.read(question).signed.payload)
        audit = derived_id(Noun.AUDIT, "reveal", request.id, "revealed")
        self._holds(self._audited(audit), f"I8 {request.id} is answered without its audit record")

    def is_secret(self, plain: bytes) -> None:
        """From now on this password must be nowhere."""
        if plain not in self._plain:
            self._plain |= {plain, b64encode(plain)}
            self._pattern = re.compile(b"|".join(map(re.escape, sorted(self._plain))))

    def nothing_plain(self, data: bytes, where: str) -> None:
        """No password that is known to this checker is in `data`."""
        if self._pattern is not None:
            self._holds(self._pattern.search(data) is None, f"I10 a plain password in {where}")

    # ---- the hosts

    def _host_changed(self, host: Host, name: str) -> None:
        self._trace.steps += 1
        account = self.account_of(host, name)
        if account is not None:
            self._check(account)

    def _set_begins(self, host: Host, name: str, secret: bytes) -> None:
        account = self.account_of(host, name)
        if account is None:
            self._trace.violated(f"{host.name} sets a password of {name}, which the vault does not know")
            return
        known = [key[1] for key, plain in self.secrets.items() if key[0] == account.id and plain == secret]
        self._holds(bool(known), f"I1 {host.name} sets a password of {name} that the vault never held")
        proof = account.rotation.proof
        if known and proof is not None and not (host.rolled_back or self.put_back):
            self._holds(known[-1] >= proof.generation, f"I3 {host.name} sets {known[-1]} after {proof.generation}")

    def _check(self, account: Account) -> None:
        """One account against its host."""
        host, r = self.host_of(account), account.rotation
        if host is None or account.name not in host.backend.known:
            return
        live, known = host.backend.live(account.name), host.backend.known[account.name]
        ours = live in known.set_by_agent and live in self.held(account)
        if live in known.set_by_agent and not ours:
            kept = self.put_back > 0 and live in self.in_escrow(account)
            self._holds(kept, f"I1 the live password of {account.name} on {host.name} is nowhere")
        compared = None if r.proof is None else self.secrets[account.id, r.proof.generation]
        untouched = compared is not None and known.confirmed.get(compared) == known.out_of_band
        if r.status is Status.IN_SYNC:
            self._in_sync(account, host, compared, untouched=untouched)
        if ours:
            shown = {self.secrets[account.id, v.generation] for v in may_be_live(r)[:SHOWN]}
            behind = r.status is Status.IN_SYNC or (r.status is Status.PENDING and r.back is Status.IN_SYNC)
            self._holds(
                live in shown or (behind and not untouched),
                f"R the live password of {account.name} on {host.name} would not be revealed ({r.status})",
            )

    def _in_sync(self, account: Account, host: Host, compared: bytes | None, *, untouched: bool) -> None:
        r, live = account.rotation, host.backend.live(account.name)
        known = host.backend.known[account.name]
        where = f"{account.name} on {host.name}"
        self._holds(compared is not None, f"I2 {where} is in sync without a proof")
        self._holds(compared in known.confirmed, f"I2 {where} is in sync, and nobody compared it live")
        self._holds(live == compared or not untouched, f"I2 {where} is in sync, is not, and nobody changed it")
        if r.seen is not None and r.seen.receipt > r.compared_receipt and r.fingerprint is not None:
            self._holds(r.seen.fingerprint == r.fingerprint, f"I2 {where} is in sync, and a contact spoke against it")

    def of_vault(self, account: Account) -> set[bytes]:
        """Every password of an account that the vault holds now."""
        return {self.secrets[account.id, each.generation] for each in account.rotation.versions}

    def held(self, account: Account) -> set[bytes]:
        """Those that it holds as the account's.

        What a person stated and took back before anybody compared it is not, even where it happens to be the live one:
        after a copy of the store was put back, it is the escrow that has that.
        """
        return {
            self.secrets[account.id, each.generation]
            for each in account.rotation.versions
            if each.state is not VersionState.WITHDRAWN or (account.id, each.generation) not in self._stated
        }

    def in_escrow(self, account: Account) -> set[bytes]:
        """Every password of an account that the journal of its host keeps, sealed."""
        host, found = self.host_of(account), set()
        for owner, mark, box in () if host is None else host.intents():
            if owner == account.id:
                try:
                    found.add(self._opener.at_rest(_SEALED.validate_python(box), owner, mark).reveal())
                except CannotOpenError:
                    self._trace.violated(f"I1 the escrow of {mark} of {account.name} does not open")
        return found

    def _holds(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self._trace.violated(otherwise)


def payload(document: Any) -> bytes:
    """The signed bytes in a document."""
    return Signed.model_validate(document["signed"]).payload


def _job(document: Any) -> Job:
    return Job.model_validate_json(payload(document))


def _shown(account: Account) -> str:
    r = account.rotation
    flight = "" if r.flight is None else f" {r.flight.kind}/{r.flight.phase} {r.flight.task}"
    waiting = "" if r.unanswered is None else f" unanswered {r.unanswered.task}"
    proof = "" if r.proof is None else f" proof {r.proof.generation.counter}"
    versions = " ".join(f"{v.generation.counter}:{v.state}" for v in r.versions)
    return f"{account.id} {account.name} {r.status}{flight}{waiting}{proof} [{versions}]"
