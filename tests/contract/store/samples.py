"""One full record of each noun, so that each field makes its way through each engine."""

from libs.domain.accounts import Account
from libs.domain.forks import Runs, Side
from libs.domain.state import (
    End,
    Ended,
    Flight,
    Generation,
    Kind,
    Phase,
    Proof,
    Rotation,
    Seen,
    Status,
    Version,
    VersionState,
)
from libs.store.access_tokens import AccessToken, Scope
from libs.store.agents import AgentDocument, EndedKey
from libs.store.audit import AuditRecord, Who
from libs.store.certificates import Certificate, CertificateState
from libs.store.closings import Closing
from libs.store.enrolments import EnrolmentDocument, EnrolmentState
from libs.store.factors import SecondFactor
from libs.store.groups import Group, Membership, membership_id
from libs.store.incidents import Incident, IncidentKind
from libs.store.jobs import JobDocument, JobState
from libs.store.observations import ObservationDocument
from libs.store.packages import Package
from libs.store.presence import Presence
from libs.store.replays import Replay
from libs.store.requests import RequestDocument
from libs.store.resources import Resource
from libs.store.results import ResultDocument
from libs.store.runs import RunsDocument
from libs.store.sessions import Session
from libs.store.setup_codes import SetupCode
from libs.store.shares import Level, Share, share_id
from libs.store.tasks import Requester, Task, TaskState
from libs.store.tokens import EnrolmentToken, TokenState, Use
from libs.store.users import Role, User
from libs.wire.ids import Noun, derived_id
from libs.wire.observations import HostFacts
from libs.wire.observations import Kind as AccountKind
from libs.wire.reasons import Reason, Remark
from libs.wire.requests import Platform
from libs.wire.seal import SUITE, Box, Sealed
from libs.wire.sign import Signed

NOW = 1_800_000_000_000
KEY = "sha256:" + "ab" * 32
SEALED = Sealed(suite=SUITE, boxes=(Box(recipient=KEY, box=bytes(range(256))), Box(recipient=KEY, box=b"\0")))
SIGNED = Signed(payload=b'{"f":1}\xff', key=KEY, signature=b"\x01" * 64)
HOST = HostFacts(hostname="dmz-web-01", system="Debian GNU/Linux 12 (bookworm)", kernel="6.1", libc="glibc 2.36")
OLD, NEW = Generation(1_700_000_000, 1), Generation(1_700_000_000, 2)


def some(noun: Noun, part: object = "sample") -> str:
    return derived_id(noun, str(part))


FLIGHT = Flight(
    task=some(Noun.TASK),
    kind=Kind.RESET,
    generation=NEW,
    nonce="a" * 26,
    requested_at=NOW,
    deadline=NOW + 5,
    phase=Phase.OFFERED,
    lease_until=NOW + 3,
    skip=2,
    unlock=True,
)

ACCOUNT = Account(
    id=some(Noun.ACCOUNT),
    resource=some(Noun.RESOURCE),
    name="björn",
    uid=2**32 - 1,
    gid=0,
    shell="/bin/sh",
    kinds=(AccountKind.LOCKED, AccountKind.ROOT_EQUIVALENT),
    seen_at=NOW,
    vanished_at=None,
    rotation=Rotation(
        status=Status.PENDING,
        back=Status.IN_SYNC,
        newest=NEW,
        proof=Proof(OLD, NOW - 5),
        versions=(
            Version(NEW, VersionState.OFFERED, NOW, SEALED, offered_at=NOW + 1),
            Version(OLD, VersionState.PROVEN, NOW - 9, SEALED, offered_at=NOW - 8, proven_at=NOW - 7),
        ),
        flight=FLIGHT,
        unanswered=FLIGHT,
        fingerprint="cd" * 32,
        compared_at=NOW - 5,
        seen=Seen(None, OLD, NOW - 2),
    ),
    ended=(
        Ended(
            task=some(Noun.TASK, 2),
            kind=Kind.VERIFY,
            end=End.DONE,
            at=NOW - 1,
            reason=Reason.NO_ANSWER,
            detail="said the host",
            generation=OLD,
            opens=False,
            remarks=(Remark.LOCKED,),
        ),
    ),
    due_at=NOW + 3,
    rev=7,
)

TASK = Task(
    id=some(Noun.TASK),
    kind=Kind.RESET,
    account=ACCOUNT.id,
    resource=ACCOUNT.resource,
    account_name="root",
    resource_name="dmz-web-01",
    requester=Requester(id=some(Noun.USER), name="ada", via="command", address="192.0.2.1"),
    note="quarterly",
    state=TaskState.REFUSED,
    created_at=NOW,
    queued_at=NOW + 1,
    offered_at=NOW + 2,
    ended_at=NOW + 3,
    deadline=NOW + 4,
    generation="1700000000.2",
    opens=None,
    reason=Reason.DISK_FULL,
    detail="No space left on device",
    remarks=(Remark.EXPIRED, Remark.LOCKED),
    group="wave",
    not_before=NOW,
    rev=3,
)

SIDE = Side("0" * 32, 3, "dmz-web-01", "192.0.2.1", NOW, NOW + 1, followed_at=NOW + 2)

RECORDS = [
    ACCOUNT,
    TASK,
    User(id=some(Noun.USER), name="ada", role=Role.ADMINISTRATOR, password_hash="$argon2id$x", created_at=NOW, rev=1),
    Session(id="ef" * 32, user=some(Noun.USER), created_at=NOW, last_used_at=NOW + 1, expires=NOW + 43_200_123),
    SetupCode(sha256="12" * 32, tries_left=5, expires=NOW + 1),
    Presence(id=some(Noun.AGENT), last_seen=NOW, address="::1", version="0.1.0", digest="34" * 32, boot=3, sequence=9),
    Certificate(
        id=f"{some(Noun.AGENT)}.0a",
        agent=some(Noun.AGENT),
        serial="0a",
        resource=ACCOUNT.resource,
        resource_name="dmz-web-01",
        platform=Platform.LINUX,
        owner=some(Noun.USER),
        owner_name="ada",
        pem=b"-----BEGIN CERTIFICATE-----\n",
        key_hash=KEY,
        sealing_key=bytes(32),
        state=CertificateState.REVOKED,
        created_at=NOW,
        not_after=NOW + 9,
        token=some(Noun.TOKEN),
        host=HOST,
        address="192.0.2.7",
        agent_version="0.1.0",
        rev=2,
    ),
    EnrolmentToken(
        id=some(Noun.TOKEN),
        sha256="56" * 32,
        user_names=("ada", "bob"),
        uses_left=0,
        expires=NOW + 5,
        used_by=(Use(key_hash=KEY, at=NOW, agent=some(Noun.AGENT), resource=ACCOUNT.resource),),
        state=TokenState.SPENT,
        created_at=NOW,
        created_by=some(Noun.USER),
        created_by_name="ada",
        package=some(Noun.PACKAGE),
        uses=3,
        host_pattern="dmz-*",
        networks=("10.20.0.0/16",),
        approval=True,
        resource=ACCOUNT.resource,
    ),
    EnrolmentDocument(
        id=some(Noun.ENROLMENT),
        token=some(Noun.TOKEN),
        package=some(Noun.PACKAGE),
        approver=some(Noun.USER),
        key_hash=KEY,
        agent=some(Noun.AGENT),
        resource=ACCOUNT.resource,
        known=True,
        resource_name="dmz-web-01",
        owner=some(Noun.USER),
        owner_name="ada",
        platform=Platform.LINUX,
        host=HOST,
        address="192.0.2.7",
        created_at=NOW,
        state=EnrolmentState.APPROVED,
        decided_at=NOW + 1,
        decided_by=some(Noun.USER),
        decided_by_name="ada",
        approval=SIGNED,
        rev=1,
    ),
    Incident(
        id=some(Noun.INCIDENT),
        kind=IncidentKind.TOKEN_USED_BY_ANOTHER_KEY,
        created_at=NOW,
        seen_by=some(Noun.USER),
        token=some(Noun.TOKEN),
        package=None,
        key_hash=KEY,
        host_name="copy",
        resource_name="copy",
        user_name="ada",
        address="192.0.2.8",
    ),
    Closing(id=some(Noun.INCIDENT), at=NOW, by=some(Noun.USER), by_name="ada", why="our own test"),
    Group(id=some(Noun.GROUP), name="db-admins", created_at=NOW),
    SecondFactor(
        id=some(Noun.USER), sealed=b"\x00sealed", pending=b"pending", since=NOW, step=7, recovery=("ab" * 32,), rev=2
    ),
    AccessToken(
        id="cd" * 32,
        name_id=some(Noun.ACCESS_TOKEN),
        user=some(Noun.USER),
        name="nightly",
        scopes=(Scope.SEE, Scope.REVEAL),
        created_at=NOW,
        expires=NOW + 10,
        last_used_at=NOW + 1,
        address="192.0.2.7",
    ),
    Replay(
        id="ef" * 32,
        asked=KEY,
        created_at=NOW,
        expires=NOW + 10,
        status=202,
        media_type="application/json",
        body=b"{}",
        rev=1,
    ),
    Membership(
        id=membership_id(some(Noun.GROUP), some(Noun.USER)),
        group=some(Noun.GROUP),
        user=some(Noun.USER),
        name="ada",
        since=NOW,
    ),
    Share(
        id=share_id(some(Noun.USER), ACCOUNT.resource, ACCOUNT.id),
        subject=some(Noun.USER),
        subject_name="eve",
        kind="person",
        resource=ACCOUNT.resource,
        resource_at=NOW,
        account=ACCOUNT.id,
        account_name="root",
        level=Level.USE,
        created_at=NOW + 1,
        by=some(Noun.USER),
        by_name="ada",
        rev=1,
    ),
    AgentDocument(
        id=some(Noun.AGENT),
        serial="0a",
        key_hash=KEY,
        revoked=SIGNED,
        revoked_at=NOW,
        fork=some(Noun.REQUEST),
        quarantined_at=NOW + 1,
        ended=(EndedKey(key_hash=KEY, statement=SIGNED),),
        rev=3,
    ),
    RunsDocument(
        id=some(Noun.AGENT), runs=Runs(SIDE, 7, answered=True, followed=(SIDE,)), fork=some(Noun.REQUEST), sides=(SIDE,)
    ),
    Package(
        id=some(Noun.PACKAGE),
        platform=Platform.WINDOWS_DOMAIN,
        created_at=NOW,
        created_by=some(Noun.USER),
        created_by_name="ada",
        user_name="ada",
        server_name="keyturn.example",
        server_port=7272,
        schedule_interval=60,
        token=some(Noun.TOKEN),
        uses=1,
        expires=NOW + 5,
        runtime="78" * 32,
        runtime_version="0.1.0",
        sha256="9a" * 32,
        size=12_345_678,
    ),
    Resource(
        id=ACCOUNT.resource,
        name="dmz-web-01",
        platform=Platform.LINUX,
        owner=some(Noun.USER),
        owner_name="ada",
        agent=some(Noun.AGENT),
        created_at=NOW,
        host=HOST,
        observed_at=NOW + 1,
        sequence=4,
        rev=1,
    ),
    RequestDocument(
        id=some(Noun.TASK),
        signed=SIGNED,
        created_at=NOW,
        account=ACCOUNT.id,
        requester=some(Noun.USER),
        taken=True,
        why=Reason.REQUEST_NOT_TRUSTED,
    ),
    ResultDocument(
        id=some(Noun.REPORT),
        job=some(Noun.JOB),
        agent=some(Noun.AGENT),
        signed=SIGNED,
        created_at=NOW,
        receipt=NOW + 1,
        why="stale",
    ),
    ObservationDocument(
        id=some(Noun.OBSERVATION), agent=some(Noun.AGENT), signed=SIGNED, created_at=NOW, receipt=NOW + 1
    ),
    JobDocument(
        id=some(Noun.JOB),
        task=some(Noun.TASK),
        account=ACCOUNT.id,
        agent=some(Noun.AGENT),
        state=JobState.FETCHED,
        signed=SIGNED,
        created_at=NOW,
        fetched_at=NOW + 1,
    ),
    AuditRecord(
        id=some(Noun.AUDIT),
        at=NOW,
        who=Who(id=some(Noun.USER), name="ada"),
        what="account.reveal",
        account=ACCOUNT.id,
        resource=ACCOUNT.resource,
        task=some(Noun.TASK),
        outcome="revealed",
        reason="incident 7",
        address="192.0.2.1",
        extra={"generations": "1.1, 1.2"},
    ),
]
