"""One sample of every message, from fixed values. `golden/` holds what each was when it was first published."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.wire import (
    agent_api,
    events,
    jobs,
    leaving,
    notice,
    observations,
    release,
    renewal,
    requests,
    results,
    revocation,
)
from libs.wire.model import Wire
from libs.wire.reasons import Reason, Remark
from libs.wire.seal import Box, Sealed
from libs.wire.sign import Prefix, Signed, sign

A, B = "a" * 26, "b" * 26
HASH, KEY = "0" * 64, "sha256:" + "1" * 64
SEALED = Sealed(suite="hpke-x25519-sha256-aes256gcm/1", boxes=(Box(recipient=KEY, box=b"\x00\x01"),))
CANDIDATE = jobs.Candidate(generation="1764044000.7", sealed=SEALED)
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNED: Signed = sign(b'{"version":1}', Prefix.JOB, SIGNER)
NOTICE = notice.Notice(
    serial=1_764_044_000,
    issued_at=1_764_044_000_000,
    server_authorities=(b"\x30\x01",),
    task_keys=(bytes(32), b"\x01" * 32),
    configuration_keys=(b"\x02" * 32,),
    release_keys=(),
    vault_keys=(b"\x03" * 32,),
    recovery_keys=(b"\x04" * 32,),
)
HOST = observations.HostFacts(hostname="dmz-web-01", system="Debian GNU/Linux 12", kernel="6.1", machine="x86_64")
PERSON = requests.Person(id=f"usr_{A}", name="ops", via="command", address="127.0.0.1")

RUN = agent_api.Run(id="0" * 32, boot=3, count=7, host_name="dmz-web-01")
SIDE = requests.ForkSide(run="0" * 32, boot=3, host_name="dmz-web-01", address="10.0.0.9", last=1_764_044_000_000)


def _request(content: requests.Content, noun: str = "tsk") -> requests.Request:
    return requests.Request(
        id=f"{noun}_{A}", issued_at=1_764_044_000_000, deadline=1_764_130_400_000, person=PERSON, content=content
    )


def _job(step: jobs.Step) -> jobs.Job:
    return jobs.Job(
        id=f"job_{A}",
        task=f"tsk_{A}",
        agent=f"agt_{A}",
        resource=f"res_{A}",
        recipient=KEY,
        nonce=B,
        fence="1764044000.7",
        issued_at=1,
        deadline=2,
        steps=(step,),
    )


def _result(outcome: results.Outcome) -> results.Result:
    return results.Result(
        task=f"tsk_{A}",
        job=f"job_{A}",
        agent=f"agt_{A}",
        nonce=B,
        fence="1764044000.7",
        finished_at=3,
        outcomes=(outcome,),
    )


def _event(body: events.Event) -> Wire:
    return body.envelope(1_764_044_000_000, entropy=bytes)


SAMPLES: dict[str, Wire] = {
    "job.reset.1": _job(
        jobs.ResetStep(account=f"acc_{A}", name="root", uid=0, password=CANDIDATE, escrow=SEALED, unlock=True)
    ),
    "job.verify.1": _job(jobs.VerifyStep(account=f"acc_{A}", name="root", uid=0, candidates=(CANDIDATE,))),
    "job.verify.known.1": _job(
        jobs.VerifyStep(account=f"acc_{A}", name="root", uid=0, candidates=(), known=("1764044000.7",))
    ),
    "result.reset.1": _result(
        results.ResetOutcome(
            account=f"acc_{A}",
            generation="1764044000.7",
            answer=results.ResetAnswer.REFUSED,
            reason=Reason.DISK_FULL,
            detail="no space",
            fingerprint=HASH,
        )
    ),
    "result.verify.1": _result(
        results.VerifyOutcome(
            account=f"acc_{A}",
            answer=results.VerifyAnswer.OPENS,
            generation="1764044000.7",
            remarks=(Remark.LOCKED,),
            fingerprint=HASH,
        )
    ),
    "result.verify.escrow.1": _result(
        results.VerifyOutcome(
            account=f"acc_{A}",
            answer=results.VerifyAnswer.DOES_NOT_OPEN,
            escrow=(results.Escrowed(generation="1764044000.8", sealed=SEALED),),
        )
    ),
    "observation.1": observations.Observation(
        id=f"obs_{A}",
        agent=f"agt_{A}",
        resource=f"res_{A}",
        sequence=1,
        seen_at=3,
        accounts=(
            observations.SeenAccount(
                name="root",
                uid=0,
                gid=0,
                shell="/bin/bash",
                kinds=(observations.Kind.ROOT_EQUIVALENT,),
                fingerprint=HASH,
            ),
        ),
        skipped=(observations.SkippedLine(line=9, rule="begins with +"),),
        host=HOST,
    ),
    "request.reset.1": _request(requests.ResetContent(account=f"acc_{A}", typed=SEALED, note="after use")),
    "request.verify.1": _request(requests.VerifyContent(account=f"acc_{A}")),
    "request.adopt.1": _request(requests.AdoptContent(account=f"acc_{A}", typed=SEALED)),
    "request.cancel.1": _request(requests.CancelContent(task=f"tsk_{B}"), "req"),
    "request.reveal.1": _request(
        requests.RevealContent(account=f"acc_{A}", recipient=bytes(32), reason="console work"), "req"
    ),
    "request.enrol.1": _request(
        requests.EnrolContent(
            token=HASH,
            csr=b"\x30",
            owner=f"usr_{A}",
            owner_name="ops",
            resource_name="dmz-web-01",
            platform=requests.Platform.LINUX,
            host=HOST,
        ),
        "req",
    ),
    "request.compose.1": _request(
        requests.ComposeContent(
            package=f"pkg_{A}",
            token=f"tok_{A}",
            platform=requests.Platform.LINUX,
            server_name="keyturn",
            server_port=7272,
            user_name="ops",
            bounds=requests.TokenBounds(user_names=("ops",)),
            recipient=bytes(32),
        ),
        "req",
    ),
    "request.compose.bounds.1": _request(
        requests.ComposeContent(
            package=f"pkg_{A}",
            token=f"tok_{A}",
            platform=requests.Platform.LINUX,
            server_name="keyturn",
            server_port=7272,
            user_name="ops",
            bounds=requests.TokenBounds(
                user_names=("ops",),
                host_pattern="dmz-*",
                networks=("10.20.0.0/16", "2001:db8::/32"),
                approval=True,
                resource=f"res_{A}",
            ),
            recipient=bytes(32),
        ),
        "req",
    ),
    "request.settle.1": _request(
        requests.SettleContent(enrolment=f"enr_{A}", approve=True, resource=f"res_{A}", key_hash=HASH), "req"
    ),
    "request.revoke_token.1": _request(requests.RevokeTokenContent(token=f"tok_{A}"), "req"),
    "request.certify.1": _request(requests.CertifyContent(csr=b"\x30", names=("keyturn", "127.0.0.1")), "req"),
    "agent_api.session.1": agent_api.SessionRequest(
        agent=f"agt_{A}", agent_version="0.1.0", boot=3, sequence=2, digest=HASH
    ),
    "agent_api.fetch_answer.1": agent_api.FetchAnswer(jobs=(SIGNED,)),
    "agent_api.fetch_answer.observe.1": agent_api.FetchAnswer(jobs=(), observe=True),
    "agent_api.report.1": agent_api.ReportRequest(agent=f"agt_{A}", results=(SIGNED,)),
    "event.task.requested.1": _event(events.TaskRequested(task=f"tsk_{A}")),
    "event.task.cancel_requested.1": _event(events.TaskCancelRequested(request=f"req_{A}")),
    "event.task.reported.1": _event(events.TaskReported(job=f"job_{A}")),
    "event.agent.fetched.1": _event(events.AgentFetched(job=f"job_{A}")),
    "event.agent.observed.1": _event(events.AgentObserved(observation=f"obs_{A}")),
    "event.agent.enrolled.1": _event(events.AgentEnrolled(agent=f"agt_{A}")),
    "event.rpc.reveal.1": _event(events.RevealAsked(signed=SIGNED)),
    "event.rpc.settle.1": _event(events.SettleAsked(signed=SIGNED)),
    "event.rpc.revoke_token.1": _event(events.RevokeTokenAsked(signed=SIGNED)),
    "event.rpc.answer.1": _event(events.Answered(declined={"code": "token_used", "sentence": "It was used."})),
    "event.agent.wake.1": _event(events.AgentWake(agent=f"agt_{A}")),
    "event.agent.revoked.1": _event(events.AgentRevoked(agent=f"agt_{A}")),
    "event.task.changed.1": _event(events.TaskChanged(task=f"tsk_{A}", requester=f"usr_{A}", rev=4)),
    "event.account.changed.1": _event(events.AccountChanged(account=f"acc_{A}", resource=f"res_{A}", rev=4)),
    "event.resource.changed.1": _event(events.ResourceChanged(resource=f"res_{A}", rev=1)),
    "agent_api.renew.1": agent_api.RenewRequest(agent=f"agt_{A}", renewal=SIGNED),
    "request.renew.1": _request(requests.RenewContent(agent=f"agt_{A}", renewal=SIGNED, address="10.0.0.9"), "req"),
    "notice.1": NOTICE,
    "notice.moves.1": NOTICE.model_copy(
        update={
            "moves": (
                notice.Move(
                    old=notice.Place(name="keyturn", port=7272), new=notice.Place(name="keyturn.example.net", port=443)
                ),
            )
        }
    ),
    "notice.signed.1": notice.sign_notice(NOTICE, [SIGNER]),
    "agent_api.session.notice.1": agent_api.SessionRequest(
        agent=f"agt_{A}", agent_version="0.1.0", boot=3, sequence=2, digest=HASH, notice=1_764_044_000
    ),
    "agent_api.session.astray.1": agent_api.SessionRequest(
        agent=f"agt_{A}",
        agent_version="0.1.0",
        boot=3,
        sequence=2,
        digest=HASH,
        notice=1_764_044_000,
        place=notice.Place(name="keyturn", port=7272),
        astray="no_contact: keyturn.example.net:443 cannot be reached",
    ),
    "request.revoke_agent.1": _request(requests.RevokeAgentContent(agent=f"agt_{A}", reason="stolen"), "req"),
    "event.agent.revoke_requested.1": _event(events.AgentRevokeRequested(request=f"req_{A}")),
    "revocation.1": revocation.Revocation(agent=f"agt_{A}", revoked_at=1_764_044_000_000, reason="stolen"),
    "revocation.key.1": revocation.Revocation(agent=f"agt_{A}", key=KEY, revoked_at=1_764_044_000_000, reason="a copy"),
    "agent_api.session.clock.1": agent_api.SessionRequest(
        agent=f"agt_{A}", agent_version="0.1.0", boot=3, sequence=2, digest=HASH, clock=1_764_044_000_000
    ),
    "agent_api.session.said.1": agent_api.SessionRequest(
        agent=f"agt_{A}",
        agent_version="0.1.0",
        boot=3,
        sequence=2,
        digest=HASH,
        said=(
            agent_api.Said(
                code="no_contact",
                sentence="nobody answers",
                first_at=1_764_044_000_000,
                last_at=1_764_044_060_000,
                times=7,
            ),
        ),
    ),
    "agent_api.problem.revoked.1": agent_api.Problem(
        title="Not allowed", status=403, code="agent_revoked", revocation=SIGNED
    ),
    "agent_api.fetch.run.1": agent_api.FetchRequest(agent=f"agt_{A}", run=RUN),
    "event.agent.fork_reported.1": _event(events.AgentForkReported(request=f"req_{A}")),
    "event.agent.choose_requested.1": _event(events.AgentChooseRequested(request=f"req_{A}")),
    "request.fork.1": _request(requests.ForkContent(agent=f"agt_{A}", sides=(SIDE, SIDE)), "req"),
    "request.choose.1": _request(
        requests.ChooseContent(agent=f"agt_{A}", fork=f"req_{B}", run="0" * 32, reason="the one in rack 7"), "req"
    ),
    "leaving.1": leaving.Leaving(
        agent=f"agt_{A}",
        resource=f"res_{A}",
        at=1_764_044_000_000,
        held=(leaving.Held(account=f"acc_{A}", generation="1764044000.7", sealed=SEALED),),
    ),
    "agent_api.leave.1": agent_api.LeaveRequest(agent=f"agt_{A}", leaving=SIGNED, run=RUN),
    "request.leave.1": _request(requests.LeaveContent(agent=f"agt_{A}", leaving=SIGNED), "req"),
    "event.agent.leave_reported.1": _event(events.AgentLeaveReported(request=f"req_{A}")),
    "request.hand_over.1": _request(
        requests.HandOverContent(resource=f"res_{A}", owner=f"usr_{B}", owner_name="ben"), "req"
    ),
    "event.rpc.hand_over.1": _event(events.HandOverAsked(signed=SIGNED)),
    "agent_api.session_answer.1": agent_api.SessionAnswer(
        token="v3.a.1.2.3.e.m",
        expires_in=600,
        hold=50,
        server_time=1_764_044_000_000,
        observe=True,
        renew=True,
        notice=1_764_044_000,
    ),
    "agent_api.session_answer.upgrade.1": agent_api.SessionAnswer(
        token="v2.a.1.2.m", expires_in=600, hold=50, server_time=1_764_044_000_000, observe=False, upgrade=SIGNED
    ),
    "agent_api.session.upgrade.1": agent_api.SessionRequest(
        agent=f"agt_{A}",
        agent_version="0.1.0",
        boot=3,
        sequence=2,
        digest=HASH,
        upgrade=agent_api.UpgradeNews(release="0.2.0", code="upgrade_went_back", detail="0.1.0 goes on"),
    ),
    "agent_api.runtime.1": agent_api.RuntimeRequest(agent=f"agt_{A}", runtime=HASH, offset=262_144, run=RUN),
    "agent_api.runtime_answer.1": agent_api.RuntimeAnswer(piece=b"\x00\x01"),
    "release.statement.1": release.ReleaseStatement(
        platform=requests.Platform.LINUX,
        release="0.2.0",
        machine="x86_64",
        libc="glibc 2.31",
        size=16_995_310,
        sha256=HASH,
        issued_at=1_764_044_000_000,
        expires_at=1_798_604_000_000,
    ),
    "renewal.1": renewal.Renewal(agent=f"agt_{A}", csr=b"\x30\x00"),
}
