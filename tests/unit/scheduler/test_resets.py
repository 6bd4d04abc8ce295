"""A reset from its request to its end, whatever the end is."""

from dataclasses import replace

import pytest

from libs.domain.deadlines import DAY, HOUR, LEASE, RECHECK
from libs.domain.state import Status, VersionState
from libs.store.audit import AuditTrail
from libs.store.certificates import Certificates, CertificateState
from libs.store.jobs import Jobs, JobState
from libs.store.requests import Requests
from libs.store.tasks import TaskState
from libs.wire.jobs import ResetStep
from libs.wire.reasons import Reason
from libs.wire.requests import CancelContent
from libs.wire.results import ResetAnswer, ResetOutcome
from libs.wire.secret import Secret
from services.scheduler.offers import job_id
from tests.unit.scheduler.host import Host
from tests.unit.scheduler.world import PERSON, World, fresh


async def test_a_typed_password_is_set_proven_and_shown(here: World, host: Host) -> None:
    task, deploy = await here.resets(host.account(), "Typed-by-a-person-1"), host.account()
    await here.passes()
    queued = await here.task(task)
    assert (queued.state, queued.requester, queued.note) == (TaskState.QUEUED, PERSON, "why not")
    assert (queued.account_name, queued.resource_name) == ("deploy", "dmz-web-01")
    assert (await here.account(deploy)).rotation.status is Status.PENDING
    (job,) = await host.fetches()
    await here.passes()
    assert (await here.task(task)).state is TaskState.OFFERED
    await host.reports(host.does(job))
    await here.passes()
    done = await here.task(task)
    assert (done.state, done.generation) == (TaskState.DONE, str((await here.account(deploy)).rotation.newest))
    assert (await here.account(deploy)).rotation.status is Status.IN_SYNC
    assert host.login().live.reveal() == b"Typed-by-a-person-1"
    assert await here.reveals(deploy) == [("proven", b"Typed-by-a-person-1")]
    assert await host.works() == 0
    assert here.waiting() == {}
    assert await here.outboxes() == []


async def test_a_generated_password_is_what_the_host_has(here: World, host: Host) -> None:
    task = await here.resets(host.account())
    await here.settles(host, lambda: here.over(task))
    assert await here.reveals(host.account()) == [("proven", host.login().live.reveal())]


async def test_the_audit_tells_of_the_offer_before_the_job_lies_there(here: World, host: Host) -> None:
    task = await here.resets(host.account())
    await here.passes()
    (told,) = await AuditTrail(here.admin).page(now=here.clock.now(), limit=10, task=task)
    assert (told.record.what, told.record.extra["agent"]) == ("reset.offered", host.agent)
    (job,) = await Jobs(here.admin).of_agent(host.agent)
    assert told.record.at <= job.created_at


async def test_the_host_refuses(here: World, host: Host) -> None:
    host.login().refuses = Reason.DISK_FULL
    task = await here.resets(host.account(), fresh())
    await here.settles(host, lambda: here.over(task))
    ended = await here.task(task)
    assert (ended.state, ended.reason) == (TaskState.REFUSED, Reason.DISK_FULL)
    assert (await here.account(host.account())).rotation.status is Status.UNMANAGED
    host.login().refuses = None
    again = await here.resets(host.account(), "Set-without-waiting-1")
    await here.settles(host, lambda: here.over(again))
    assert (await here.task(again)).state is TaskState.DONE


async def test_a_refusal_lowers_nothing_that_a_person_sees(here: World, host: Host) -> None:
    await here.set_to(host, "First-1")
    host.login().refuses = Reason.ETC_READ_ONLY
    await here.set_to(host, "Second-1")
    assert await here.reveals(host.account()) == [("proven", b"First-1")]


@pytest.mark.parametrize("applied", [True, False])
async def test_no_answer_is_compared_without_being_asked(here: World, host: Host, applied: bool) -> None:
    await here.set_to(host, "First-1")
    task = await here.resets(host.account(), "Second-1")
    await here.passes()
    (job,) = await host.fetches()
    if applied:
        host.does(job)  # and the report is lost with the machine's power
    await here.passes(LEASE / 1000 + 3)
    assert (await here.account(host.account())).rotation.status is Status.UNCERTAIN
    assert (await here.task(task)).state is TaskState.UNANSWERED
    assert [each for _, each in await here.reveals(host.account())] == [b"Second-1", b"First-1"]
    compares = next(each for each in await host.fetches() if each.task != task)
    await host.reports(host.does(compares))
    await here.passes()
    account, ended = await here.account(host.account()), await here.task(task)
    assert account.rotation.status is Status.IN_SYNC
    assert ended.state is (TaskState.DONE if applied else TaskState.REFUSED)
    assert await here.reveals(host.account()) == [("proven", b"Second-1" if applied else b"First-1")]


async def test_no_candidate_opens_an_uncertain_account(here: World, host: Host) -> None:
    await here.set_to(host, "First-1")
    task = await here.resets(host.account(), "Second-1")
    await here.passes()
    await host.fetches()
    host.login().live = host.login("other", 7).live
    await here.passes(LEASE / 1000 + 3)
    compares = next(each for each in await host.fetches() if each.task != task)
    await host.reports(host.does(compares))
    await here.passes()
    assert (await here.account(host.account())).rotation.status is Status.DRIFT
    assert (await here.task(task)).state is TaskState.REFUSED
    assert [each for _, each in await here.reveals(host.account())] == [b"Second-1", b"First-1"]


async def test_applied_after_the_lease_counts(here: World, host: Host) -> None:
    task = await here.resets(host.account(), "Late-but-true-1")
    await here.passes()
    (job,) = await host.fetches()
    result = host.does(job)
    await here.passes(LEASE / 1000 + 3)
    assert (await here.task(task)).state is TaskState.UNANSWERED
    await host.reports(result)
    await here.passes()
    assert (await here.task(task)).state is TaskState.DONE
    assert (await here.account(host.account())).rotation.status is Status.IN_SYNC
    # The comparison that was under way is over too, and its answer changes nothing.
    assert not [each for each in await here.tasks_of(host.account()) if each.ended_at is None]
    await host.works()
    await here.passes()
    assert (await here.account(host.account())).rotation.status is Status.IN_SYNC


async def test_an_agent_that_cannot_tell_is_compared_at_once(here: World, host: Host) -> None:
    task = await here.resets(host.account(), "Applied-or-not-1")
    await here.passes()
    (job,) = await host.fetches()
    host.does(job)
    step = job.steps[0]
    assert isinstance(step, ResetStep)
    unknown = ResetOutcome(account=step.account, generation=step.password.generation, answer=ResetAnswer.UNKNOWN)
    await host.reports(host.says(job, unknown))
    await here.passes()
    assert (await here.task(task)).state is TaskState.UNANSWERED
    await here.settles(host, lambda: here.over(task), steps=2)
    assert (await here.task(task)).state is TaskState.DONE


async def test_a_host_that_cannot_compare_is_asked_again_in_a_while(here: World, host: Host) -> None:
    """It was asked at once, and answered at once: many times a second, for as long as its disk was full."""
    await here.set_to(host, "Set-and-proven-1")
    host.login().live = Secret("changed on the host")
    host.login().cannot_tell = True
    await host.observes()
    await here.passes()
    assert await host.works() == 1
    await here.passes()
    assert await host.works() == 0
    host.login().cannot_tell = False
    await here.passes(RECHECK / 1000 + 3)
    assert await host.works() == 1
    await here.passes()
    assert (await here.account(host.account())).rotation.status is Status.DRIFT


async def test_cancelled_before_any_agent_has_it(here: World, host: Host) -> None:
    task = await here.resets(host.account(), "Never-set-1")
    await here.passes()
    await here.cancels(task)
    await here.passes()
    ended = await here.task(task)
    assert (ended.state, ended.reason) == (TaskState.CANCELLED, Reason.CANCELLED)
    assert await host.works() == 0
    account = await here.account(host.account())
    assert account.rotation.status is Status.UNMANAGED
    assert [each.state for each in account.rotation.versions] == [VersionState.WITHDRAWN]
    assert await here.reveals(host.account()) == []
    again = await here.resets(host.account(), "Set-instead-1")
    await here.settles(host, lambda: here.over(again))
    assert host.login().live.reveal() == b"Set-instead-1"


@pytest.mark.parametrize("told", [True, False])
async def test_a_cancel_that_the_agent_outran_changes_nothing(here: World, host: Host, told: bool) -> None:
    task = await here.resets(host.account(), "Set-all-the-same-1")
    await here.passes()
    if told:
        (job,) = await host.fetches()
        await here.passes()
        cancel = await here.cancels(task)
    else:
        cancel = await here.cancels(task)  # both events wait; the compare-and-set in the mail decides
        (job,) = await host.fetches()
    await here.passes()
    assert (await here.task(task)).state is TaskState.OFFERED
    asked = await Requests(here.admin).get(cancel)
    assert asked is not None
    assert (asked.taken, asked.why) == (True, Reason.ALREADY_AT_AGENT)
    await host.reports(host.does(job))
    await here.passes()
    assert (await here.task(task)).state is TaskState.DONE


async def test_a_cancel_that_overtakes_its_request(here: World, host: Host) -> None:
    task = await here.resets(host.account(), "Never-set-1")
    cancel = await here.cancels(task)
    await here.graph.desk.take(cancel)
    await here.passes()
    assert (await here.task(task)).state is TaskState.CANCELLED
    assert await host.works() == 0


async def test_a_withdrawn_job_whose_account_was_never_told(here: World, host: Host) -> None:
    """The scheduler died between the two, and came back when the cancel's own time was over."""
    task = await here.resets(host.account(), "Never-set-1")
    await here.passes()
    flight = (await here.account(host.account())).rotation.flight
    assert flight is not None
    await here.kill()
    await here.asks(here.request(CancelContent(task=task), lifetime=HOUR))
    assert await Jobs(here.admin).withdraw(job_id(flight))
    await here.passes(HOUR / 1000 + 60)
    await here.start()
    await here.passes(15)
    assert (await here.task(task)).state is TaskState.CANCELLED
    assert (await here.account(host.account())).rotation.status is Status.UNMANAGED


async def test_nobody_fetched_it_before_its_deadline(here: World, host: Host) -> None:
    task = await here.resets(host.account(), "Never-set-1", lifetime=HOUR)
    await here.passes(HOUR / 1000 - 10)
    assert (await here.task(task)).state is TaskState.QUEUED
    await here.passes(13)
    ended = await here.task(task)
    assert (ended.state, ended.reason) == (TaskState.EXPIRED, Reason.DEADLINE_PASSED)
    assert await host.works() == 0
    assert (await here.account(host.account())).rotation.status is Status.UNMANAGED


async def test_a_request_without_end_ends_after_a_day(here: World, host: Host) -> None:
    task = await here.resets(host.account(), "Never-set-1", lifetime=365 * DAY)
    await here.passes(1)
    assert (await here.task(task)).state is TaskState.QUEUED
    flight = (await here.account(host.account())).rotation.flight
    assert flight is not None
    assert flight.deadline <= here.clock.now() + DAY


async def test_the_second_request_on_an_account_ends_with_its_reason(here: World, host: Host) -> None:
    first = await here.resets(host.account(), "First-1")
    await here.passes()
    second, verify = await here.resets(host.account(), "Second-1"), await here.verifies(host.account())
    await here.passes()
    for task in (second, verify):
        ended = await here.task(task)
        assert (ended.state, ended.reason) == (TaskState.REFUSED, Reason.ACCOUNT_BUSY)
    await here.settles(host, lambda: here.over(first))
    assert (await here.task(first)).state is TaskState.DONE
    assert host.login().live.reveal() == b"First-1"


async def test_a_reset_while_uncertain_is_refused_as_such(here: World, host: Host) -> None:
    await here.resets(host.account(), "First-1")
    await here.passes()
    await host.fetches()
    await here.passes(LEASE / 1000 + 3)
    again = await here.resets(host.account(), "Second-1")
    await here.passes()
    assert (await here.task(again)).reason is Reason.ACCOUNT_UNCERTAIN


async def test_an_account_that_is_not_there(here: World, host: Host) -> None:
    host.login("ghost", 4)
    task = await here.resets(host.account("ghost"))
    await here.passes()
    assert (await here.task(task)).reason is Reason.ACCOUNT_UNKNOWN


async def test_a_machine_without_an_agent(here: World, host: Host) -> None:
    await revoked(here, host)
    task = await here.resets(host.account(), "Never-set-1")
    await here.passes()
    ended = await here.task(task)
    assert (ended.state, ended.reason) == (TaskState.REFUSED, Reason.NO_AGENT)
    assert (await here.account(host.account())).rotation.versions == ()


async def test_an_agent_that_goes_before_the_offer_ends_no_request_wrongly(here: World, host: Host) -> None:
    """The account holds the flight; what is shown of it must not say that it was refused."""
    here.store.faults.fail_at(11)  # between the account's turn and the job
    task = await here.resets(host.account(), "Queued-for-long-1")
    await here.passes()
    assert (await here.account(host.account())).rotation.flight is not None
    assert not await Jobs(here.admin).of_agent(host.agent)
    await revoked(here, host)
    await here.passes(60)
    assert (await here.task(task)).state is TaskState.QUEUED
    asked = await Requests(here.admin).get(task)
    assert asked is not None
    assert asked.taken
    assert here.waiting() == {}
    await here.sleeps(DAY / 1000)
    assert (await here.task(task)).state is TaskState.EXPIRED


async def test_a_password_that_no_host_can_set(here: World, host: Host) -> None:
    task = await here.resets(host.account(), "first\nsvc-backup:injected")
    await here.passes()
    ended = await here.task(task)
    assert (ended.state, ended.reason) == (TaskState.REFUSED, Reason.PASSWORD_NOT_SETTABLE)
    assert (await here.account(host.account())).rotation.versions == ()


async def test_jobs_of_a_gateway_with_a_fast_clock_have_the_usual_lease(here: World, host: Host) -> None:
    await here.resets(host.account(), fresh())
    await here.passes()
    (job,) = await Jobs(here.admin).of_agent(host.agent)
    assert await Jobs(here.desk).fetch(job.id, here.clock.now() + 30 * DAY)
    fetched = await Jobs(here.admin).get(job.id)
    assert fetched is not None
    assert fetched.state is JobState.FETCHED
    await here.graph.fetches.fetched(replace(fetched))
    flight = (await here.account(host.account())).rotation.flight
    assert flight is not None
    assert flight.lease_until == here.clock.now() + LEASE


async def revoked(here: World, host: Host) -> None:
    certificates = Certificates(here.admin)
    for each in await certificates.of_agent(host.agent):
        assert await certificates.save(each, replace(each, state=CertificateState.REVOKED, rev=each.rev + 1))
