"""What the nouns promise beyond reading and writing: who wins, what is counted, what is found."""

import asyncio
from dataclasses import replace
from typing import Any

from libs.domain.state import Kind
from libs.store.accounts import Accounts
from libs.store.agents import AgentDocument, AgentDocuments
from libs.store.audit import Audit, AuditRecord, AuditTrail, Who
from libs.store.budgets import Budgets
from libs.store.certificates import Certificate, Certificates, CertificateState
from libs.store.epoch import Epoch, EpochStore
from libs.store.jobs import JobDocument, Jobs, JobState
from libs.store.nonces import Nonces
from libs.store.outbox import Outbox
from libs.store.ports import Store
from libs.store.presence import Presence, Presences
from libs.store.receipts import Receipts
from libs.store.requests import RequestDocument, Requests
from libs.store.resources import Resource, Resources
from libs.store.results import ResultDocument, Results
from libs.store.runtimes import Runtimes
from libs.store.schema import CollectionName, Service
from libs.store.tasks import OPEN, Tasks, TaskState
from libs.store.tokens import EnrolmentToken, Tokens
from libs.wire.chain import Chain
from libs.wire.events import AgentFetched, TaskRequested
from libs.wire.ids import Noun
from libs.wire.requests import Platform
from tests.contract.store.samples import ACCOUNT, KEY, NOW, RECORDS, SIGNED, TASK, some

HOUR = 3_600_000


def sample(kind: type[Any]) -> Any:
    return next(record for record in RECORDS if type(record) is kind)


def job(n: int, state: JobState = JobState.WAITING, agent: str = "agt_a") -> JobDocument:
    return JobDocument(
        id=some(Noun.JOB, n),
        task=some(Noun.TASK, n),
        account="acc_a",
        agent=agent,
        state=state,
        signed=SIGNED,
        created_at=NOW + n,
    )


async def test_presence_is_written_in_bulk_and_a_contact_writes_the_whole(store: Store) -> None:
    presences = Presences(store)
    contact: Presence = sample(Presence)
    await presences.contact(contact)
    await presences.touch_many({contact.id: NOW + 7, "agt_b": NOW + 8})
    assert await presences.get(contact.id) == replace(contact, last_seen=NOW + 7)
    assert await presences.get("agt_b") == Presence(id="agt_b", last_seen=NOW + 8)
    assert await presences.seen_since(NOW + 8) == 1


async def test_a_nonce_is_claimed_once(store: Store) -> None:
    nonces = Nonces(store)
    won = await asyncio.gather(*(nonces.claim("key", "nonce", NOW + 9) for _ in range(4)))
    assert sum(won) == 1
    assert await nonces.claim("another key", "nonce", NOW + 9)
    assert await nonces.claim("key", "another nonce", NOW + 9)


async def test_the_newest_certificate_in_force_is_the_active_one(store: Store) -> None:
    certificates = Certificates(store)
    first: Certificate = replace(sample(Certificate), state=CertificateState.ACTIVE, rev=0)
    renewed = replace(first, id=f"{first.agent}.0b", serial="0b", created_at=NOW + 5)
    assert await certificates.active(first.agent) is None
    await certificates.insert(first)
    await certificates.insert(renewed)
    assert await certificates.active(first.agent) == renewed
    assert await certificates.of_key(KEY) == renewed
    assert await certificates.save(renewed, replace(renewed, state=CertificateState.REVOKED, rev=1))
    assert await certificates.active(first.agent) == first
    assert await certificates.in_state(CertificateState.ACTIVE) == 1
    assert await certificates.created(NOW, NOW + 9) == [first]


async def test_a_token_is_found_by_its_hash_alone(store: Store) -> None:
    tokens = Tokens(store)
    token: EnrolmentToken = sample(EnrolmentToken)
    await tokens.insert(token)
    assert await tokens.hashed(token.sha256) == token
    assert await tokens.hashed("0" * 64) is None
    assert token.sha256 not in repr(token)


async def test_a_budget_is_spent_exactly_whoever_races(store: Store) -> None:
    budgets = Budgets(store)
    spent = await asyncio.gather(*(budgets.spend("reveal:usr_a", NOW, 5, until=NOW + HOUR) for _ in range(9)))
    assert sum(spent) == 5
    assert await budgets.spent("reveal:usr_a", NOW) == 5
    assert await budgets.spend("reveal:usr_a", NOW + HOUR, 5, until=NOW + 2 * HOUR)
    assert await budgets.spend("reveal:usr_b", NOW, 5, until=NOW + HOUR)


async def test_an_epoch_only_grows(store: Store) -> None:
    epoch = EpochStore(store)
    assert await epoch.current_or(100) == Epoch(100)
    assert await epoch.current_or(200) == Epoch(100)
    begun = await epoch.begin(150)
    assert begun == Epoch(150, 0, settled=False)
    assert (await epoch.begin(150)).began == 151
    assert not await epoch.settle(begun)
    assert (await epoch.begin(10)).began == 152
    assert await epoch.settle(await epoch.current_or(0))
    assert await epoch.current_or(0) == Epoch(152)
    assert len(set(await asyncio.gather(*(epoch.begin(10) for _ in range(4))))) == 4


async def test_each_generation_is_counted_once(store: Store) -> None:
    epoch = EpochStore(store)
    seen = await epoch.current_or(100)
    first = await epoch.give(seen)
    assert first == Epoch(100, 1)
    assert await epoch.give(seen) is None
    assert await epoch.give(first) == Epoch(100, 2)
    assert await epoch.current_or(0) == Epoch(100, 2)


async def test_fetch_and_withdrawal_compete(store: Store) -> None:
    jobs = Jobs(store)
    for n in range(6):
        await jobs.insert(job(n))
        fetched, withdrawn = await asyncio.gather(
            jobs.fetch(job(n).id, NOW, AgentFetched(job=job(n).id).envelope(NOW)), jobs.withdraw(job(n).id)
        )
        assert fetched is not withdrawn
        found = await jobs.get(job(n).id)
        assert found is not None
        assert found.state is (JobState.FETCHED if fetched else JobState.WITHDRAWN)
        assert (found.fetched_at is not None) is fetched


async def test_an_agent_is_given_what_waits_and_what_it_did_not_answer(store: Store) -> None:
    jobs = Jobs(store)
    for n, state in enumerate(JobState):
        await jobs.insert(job(n, state))
    await jobs.insert(job(8, agent="agt_b"))
    mine = await jobs.of_agent("agt_a")
    assert [each.state for each in mine] == [JobState.WAITING, JobState.FETCHED]
    assert await jobs.agents_with_mail() == {"agt_a", "agt_b"}
    assert await jobs.close(mine[1].id)
    assert not await jobs.close(mine[1].id)
    assert not await jobs.close(mine[0].id)
    assert [each.state for each in await jobs.of_agent("agt_a")] == [JobState.WAITING]
    answered = replace(mine[1], state=JobState.ANSWERED)
    assert await jobs.in_state(JobState.ANSWERED, NOW + 11, patience=10) == [answered]


async def test_what_nobody_took_is_found_again(store: Store) -> None:
    requests = Requests(store)
    one = RequestDocument(id=some(Noun.TASK), signed=SIGNED, created_at=NOW)
    await requests.insert(one)
    await requests.insert(replace(one, id=some(Noun.TASK, 2), created_at=NOW + 5))
    assert await requests.waiting(NOW + 9, patience=5) == [one]
    assert await requests.mark_taken(one.id)
    assert not await requests.mark_taken(one.id)
    assert await requests.waiting(NOW + 9, patience=5) == []


async def test_what_a_clock_that_was_ahead_wrote_is_found_at_once(store: Store) -> None:
    """The server's clock was an hour ahead, and is put back: nobody looked at what it had written for that hour."""
    requests = Requests(store)
    old, ahead = (RequestDocument(id=some(Noun.TASK, n), signed=SIGNED, created_at=NOW + n) for n in (1, 3_600_000))
    await requests.insert(ahead)
    await requests.insert(old)
    assert await requests.waiting(NOW + 5_001, patience=5_000) == [old, ahead]
    assert await requests.waiting(NOW + 5_001, patience=5_000, limit=1) == [old]


async def test_receipts_of_a_machine_only_grow(store: Store) -> None:
    receipts = Receipts(store)
    assert await receipts.next("res_a", NOW) == NOW
    assert await receipts.next("res_a", NOW + 9) == NOW + 9
    assert await receipts.next("res_a", NOW - 3_600_000) == NOW + 10
    assert await receipts.next("res_b", NOW - 3_600_000) == NOW - 3_600_000
    given = await asyncio.gather(*(receipts.next("res_a", NOW) for _ in range(8)))
    assert sorted(given) == list(range(NOW + 11, NOW + 19))


async def test_the_answer_that_nobody_took_comes_first(store: Store) -> None:
    results = Results(store)
    old: ResultDocument = replace(sample(ResultDocument), why=None)
    new = replace(old, id=some(Noun.REPORT, 2), receipt=old.receipt + 1)
    assert await results.of_job(old.job) is None
    await results.insert(new)
    await results.insert(old)
    assert await results.of_job(old.job) == old
    await results.mark_taken(old.id, why="stale")
    assert await results.of_job(old.job) == new
    await results.mark_taken(new.id)
    assert await results.of_job(old.job) == replace(new, taken=True)


async def test_accounts_by_resource_by_due_and_by_what_ended(store: Store) -> None:
    accounts = Accounts(store)
    names = ["www-data", "root", "daemon", "backup"]
    for n, name in enumerate(names):
        await accounts.insert(replace(ACCOUNT, id=some(Noun.ACCOUNT, n), name=name, uid=n, due_at=NOW + n, ended=()))
    await accounts.insert(replace(ACCOUNT, resource=some(Noun.RESOURCE, "other"), due_at=None))
    assert [each.name for each in await accounts.of_resource(ACCOUNT.resource)] == sorted(names)
    page = await accounts.of_resource_after(ACCOUNT.resource, limit=3)
    rest = await accounts.of_resource_after(ACCOUNT.resource, limit=3, after=(page[-1].name, page[-1].id))
    assert [each.name for each in (*page, *rest)] == sorted(names)
    assert [each.name async for each in accounts.each_of_resource(ACCOUNT.resource)] == sorted(names)
    assert [each.name for each in await accounts.due(NOW + 1)] == names[:2]
    assert [each.id for each in await accounts.with_ended()] == [ACCOUNT.id]
    assert await accounts.forget_ended(ACCOUNT.id, ACCOUNT.ended[0].task)
    assert await accounts.with_ended() == []
    assert await accounts.look_again(page[0], None)
    assert not await accounts.look_again(replace(page[1], rev=1), NOW)


async def test_tasks_by_person_newest_first_and_how_many_are_open(store: Store) -> None:
    tasks = Tasks(store)
    for n, state in enumerate(TaskState):
        await tasks.insert(replace(TASK, id=some(Noun.TASK, n), state=state, created_at=NOW - n * 50 * 24 * HOUR))
    other = replace(TASK, id=some(Noun.TASK, "other"), requester=None, account="acc_b", kind=Kind.VERIFY)
    await tasks.insert(other)
    assert TASK.requester is not None
    mine = await tasks.page(now=NOW, limit=100, requester=TASK.requester.id)
    assert [each.state for each in mine] == list(TaskState)
    first = await tasks.page(now=NOW, limit=2, requester=TASK.requester.id)
    rest = await tasks.page(now=NOW, limit=100, requester=TASK.requester.id, after=(first[-1].created_at, first[-1].id))
    assert first + rest == mine
    assert await tasks.page(now=NOW, limit=5, account="acc_b") == [other]
    assert len(await tasks.page(now=NOW, limit=100)) == len(TaskState) + 1
    assert await tasks.waiting(TASK.requester.id) == len(OPEN)
    assert await tasks.triggered(TASK.requester.id, Kind.RESET) == len(TaskState)
    assert await tasks.triggered(TASK.requester.id, Kind.VERIFY) == 0
    assert await tasks.in_state(TaskState.REFUSED) == 2
    oldest = await tasks.oldest(TaskState.REFUSED)
    assert oldest is not None
    assert oldest.created_at < NOW
    assert await tasks.oldest(TaskState.QUEUED) == mine[0]


async def test_resources_by_owner(store: Store) -> None:
    resources = Resources(store)
    one: Resource = sample(Resource)
    other = replace(one, id=some(Noun.RESOURCE, 2), owner="usr_b", agent="agt_b", created_at=NOW + HOUR)
    await resources.insert(one)
    await resources.insert(other)
    assert await resources.page(now=NOW, limit=5) == [other, one]
    assert await resources.page(now=NOW, limit=5, owner="usr_b") == [other]
    assert await resources.of_agent("agt_b") == other


async def test_the_audit_is_written_once_and_read_as_one(store: Store) -> None:
    audits = {service: Audit(store, service) for service in Service}
    for n in range(9):
        service = list(Service)[n % 3]
        record = AuditRecord(
            id=some(Noun.AUDIT, n),
            at=NOW + n,
            who=Who(id=f"usr_{n % 2}", name="ada"),
            what="account.reveal",
            account=f"acc_{n % 4}",
        )
        assert await audits[service].append(record)
        assert not await audits[service].append(replace(record, what="forged"))
    trail = AuditTrail(store)
    whole = await trail.page(now=NOW, limit=100)
    assert [told.record.at for told in whole] == list(range(NOW + 8, NOW - 1, -1))
    assert [told.service for told in whole[:3]] == list(Service)[::-1]
    assert {told.record.what for told in whole} == {"account.reveal"}
    first = await trail.page(now=NOW, limit=4)
    rest = await trail.page(now=NOW, limit=100, after=(first[-1].record.at, first[-1].record.id))
    assert first + rest == whole
    assert [told.record.at - NOW for told in await trail.page(now=NOW, limit=100, account="acc_1")] == [5, 1]
    assert [told.record.at - NOW for told in await trail.page(now=NOW, limit=2, who="usr_1")] == [7, 5]
    between = await trail.page(now=NOW + 9, limit=100, since=NOW + 2, until=NOW + 4)
    assert [told.record.at - NOW for told in between] == [4, 3, 2]


async def test_each_services_audit_is_one_chain_whoever_writes_it(store: Store) -> None:
    """Two processes of one service append at the same time, and one of them begins again."""
    writers = [Audit(store, Service.GATEWAY), Audit(store, Service.GATEWAY), Audit(store, Service.SCHEDULER)]
    records = [
        AuditRecord(id=some(Noun.AUDIT, n), at=NOW + n % 5, who=None, what="session.opened", extra={"n": n})
        for n in range(30)
    ]
    written = await asyncio.gather(*(writers[n % 3].append(each) for n, each in enumerate(records)))
    assert all(written)
    again = Audit(store, Service.GATEWAY)
    assert not await again.append(records[0])
    assert await again.append(replace(records[0], id=some(Noun.AUDIT, 99), at=NOW - HOUR))
    found = [each async for each in AuditTrail(store).whole(since=0, until=NOW + HOUR)]
    chains: dict[Service, Chain] = {service: Chain() for service in Service}
    for service, document in found:
        chains[service].add(document)
    assert {service: list(chain.check()) for service, chain in chains.items() if list(chain.check())} == {}
    ends = {service: (chain.end.seq, chain.gaps) for service, chain in chains.items()}
    assert ends == {Service.GATEWAY: (21, 0), Service.SCHEDULER: (10, 0), Service.BUNDLER: (0, 0)}


async def test_the_outbox_gives_each_event_until_it_is_published(store: Store) -> None:
    requests, outbox = Requests(store), Outbox(store, Service.GATEWAY)
    jobs = Jobs(store)
    later, sooner = TaskRequested(task=some(Noun.TASK)).envelope(NOW + 5), AgentFetched(job=job(1).id).envelope(NOW)
    await requests.insert(RequestDocument(id=some(Noun.TASK), signed=SIGNED, created_at=NOW), later)
    await jobs.insert(job(1))
    await jobs.fetch(job(1).id, NOW, sooner)
    waiting = await outbox.waiting()
    assert [(each.collection, each.envelope) for each in waiting] == [
        (CollectionName.JOBS, sooner),
        (CollectionName.REQUESTS, later),
    ]
    await outbox.published(waiting[0])
    await outbox.published(waiting[0])
    assert [each.envelope for each in await outbox.waiting()] == [later]
    assert await Outbox(store, Service.SCHEDULER).waiting() == []


async def test_a_runtime_is_read_back_byte_by_byte(store: Store) -> None:
    runtimes = Runtimes(store)
    raw = bytes(range(256)) * 5_000
    assert await runtimes.publish(raw, Platform.LINUX, "0.1.0", 17, now=NOW)
    assert not await runtimes.publish(raw, Platform.LINUX, "0.1.0", 17, now=NOW)
    assert await runtimes.publish(raw[1:], Platform.LINUX, "0.2.0", 17, now=NOW + 1)
    newest = await runtimes.newest(Platform.LINUX)
    assert newest is not None
    assert newest.release == "0.2.0"
    assert newest.chunks == 2
    assert await runtimes.whole(newest) == raw[1:]
    assert await runtimes.newest(Platform.WINDOWS) is None


async def test_the_agents_that_were_revoked_lately_are_found(store: Store) -> None:
    agents = AgentDocuments(store)
    for name, revoked_at in (("agt_a", None), ("agt_b", NOW), ("agt_c", NOW + 5)):
        assert await agents.insert(
            AgentDocument(id=name, revoked=SIGNED if revoked_at else None, revoked_at=revoked_at)
        )
    assert await agents.revoked_since(NOW) == {"agt_b", "agt_c"}
    assert await agents.revoked_since(NOW + 1) == {"agt_c"}
