"""The gateway put together: every part is made here, and takes what it needs as an argument.

a request -> Door -- /agent/v1/poll --> Poll
                  `- all others -----> Limits -> ByPath -> pages, or FastAPI -> a noun's routes -> its service
"""

import secrets
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.routing import APIRoute

from libs.broker.ports import Broker
from libs.service.clock import Clock
from libs.service.health import broker_says, store_says
from libs.store.accounts import Accounts as StoredAccounts
from libs.store.agents import AgentDocuments
from libs.store.audit import Audit as StoredAudit
from libs.store.audit import AuditTrail
from libs.store.certificates import Certificates
from libs.store.closings import Closings
from libs.store.enrolments import Enrolments as StoredEnrolments
from libs.store.epoch import EpochStore
from libs.store.incidents import Incidents as StoredIncidents
from libs.store.jobs import Jobs
from libs.store.nonces import Nonces
from libs.store.observations import Observations
from libs.store.packages import Packages as StoredPackages
from libs.store.ports import Store
from libs.store.presence import Presences
from libs.store.receipts import Receipts
from libs.store.replays import Replays
from libs.store.requests import Requests
from libs.store.resources import Resources as StoredResources
from libs.store.results import Results
from libs.store.runs import RunsDocuments
from libs.store.runtimes import Runtimes as PublishedRuntimes
from libs.store.schema import CollectionName, Service
from libs.store.setup_codes import SetupCodes
from libs.store.shares import Shares as StoredShares
from libs.store.tasks import Tasks as StoredTasks
from libs.store.tokens import Tokens
from libs.telemetry.metrics import Metrics
from libs.wire.ids import Entropy
from services.api import people, problems
from services.api.about import routes as about_routes
from services.api.about.service import About
from services.api.access import Access
from services.api.access_tokens import routes as access_token_routes
from services.api.accounts import routes as account_routes
from services.api.accounts.service import Accounts
from services.api.agent_door import routes as agent_routes
from services.api.agent_door.enrolment import Enrolment
from services.api.agent_door.forks import Forks
from services.api.agent_door.identities import Identities
from services.api.agent_door.leaving import Leaving
from services.api.agent_door.noticeboard import Noticeboard
from services.api.agent_door.offers import Offers
from services.api.agent_door.presence import Heard
from services.api.agent_door.renewal import Renewal
from services.api.agent_door.service import AgentDoor
from services.api.agent_door.signed import SignedRequests
from services.api.agent_door.tokens import LIFETIME_SECONDS, SessionTokens
from services.api.agents import routes as agents_routes
from services.api.agents.ailing import Ailing
from services.api.agents.choosing import Choosing
from services.api.agents.revoking import Revoking
from services.api.agents.service import Agents
from services.api.agents.views import AgentFacts
from services.api.audit import routes as audit_routes
from services.api.audit.recording import Recorder
from services.api.audit.service import Audit
from services.api.calls import Calls
from services.api.enrolments import routes as enrolment_routes
from services.api.enrolments.service import Enrolments
from services.api.events import routes as event_routes
from services.api.events.service import Events
from services.api.factors import routes as factor_routes
from services.api.groups import routes as group_routes
from services.api.idempotency import Idempotency, describe
from services.api.incidents import routes as incident_routes
from services.api.incidents.service import Incidents
from services.api.keys import Keys
from services.api.limits import Limits
from services.api.mailroom import Mailroom
from services.api.metrics import GatewayMetrics
from services.api.notices import Notices
from services.api.notifications import routes as notification_routes
from services.api.notifications.service import Notifications
from services.api.nudge import Nudge
from services.api.packages import routes as package_routes
from services.api.packages.runtimes import Runtimes
from services.api.packages.service import Packages
from services.api.pages import site
from services.api.pages.agents import Registry
from services.api.pages.audit import Archive
from services.api.poll import PATH, App, Poll, Receive, Scope, Send
from services.api.recall import Recall
from services.api.resources import routes as resource_routes
from services.api.resources.finding import Finder
from services.api.resources.handing import HandingOver
from services.api.resources.looking import Looking
from services.api.resources.service import Resources
from services.api.reveals.service import Reveals
from services.api.revocations import Revocations
from services.api.sessions import routes as session_routes
from services.api.sessions.hashing import Hashing
from services.api.setup import routes as setup_routes
from services.api.setup.service import Setup
from services.api.shares import routes as share_routes
from services.api.signing import Signer
from services.api.tasks import routes as task_routes
from services.api.tasks.asking import TaskAsking
from services.api.tasks.service import Tasks
from services.api.tokens import routes as token_routes
from services.api.tokens.service import Tokens as EnrolmentTokens
from services.api.users import routes as user_routes


@dataclass(frozen=True)
class Parts:
    """What the gateway is made of."""

    store: Store
    broker: Broker
    clock: Clock
    metrics: Metrics
    keys: Keys
    private: Path
    version: str
    nudge: Nudge
    entropy: Entropy = secrets.token_bytes
    hasher: PasswordHasher | None = None
    heartbeat_seconds: float = 15.0
    second_factor: bool = False  # whether everybody must have one
    requests_per_minute: int = 3_000  # of one person
    notices: Path | None = None  # their file


class Door:
    """The outermost application: the held poll goes its own short way."""

    def __init__(self, poll: App, others: App) -> None:
        self._poll, self._others = poll, others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            await self._poll(scope, receive, send)
        else:
            await self._others(scope, receive, send)


@dataclass(frozen=True)
class Gateway:
    """The application, and its parts that run beside the requests."""

    app: App
    api: FastAPI
    site: FastAPI
    mailroom: Mailroom
    events: Events
    notices: Notices
    heard: Heard
    board: Noticeboard
    recall: Recall
    setup: Setup
    calls: Calls
    metrics: GatewayMetrics
    hashing: Hashing = field(repr=False)

    def close(self) -> None:
        """Ends held polls and streams, so that a stopping server has nothing left to wait for."""
        self.mailroom.close()
        self.events.close()
        self.hashing.close()


def build(parts: Parts) -> Gateway:
    """The gateway of these parts; it starts nothing."""
    store, now, entropy = parts.store, parts.clock.now, parts.entropy
    metrics = GatewayMetrics(parts.metrics)
    # What is stored.
    tasks, requests, published = StoredTasks(store), Requests(store), PublishedRuntimes(store)
    accounts, resources = StoredAccounts(store), StoredResources(store)
    certificates, presences, jobs = Certificates(store), Presences(store), Jobs(store)
    # What several nouns use.
    heard, board, offers = Heard(presences, now, parts.clock.sleep), Noticeboard(parts.notices), Offers(published, now)
    recorder = Recorder(StoredAudit(store, Service.GATEWAY), now, entropy)
    signer = Signer(parts.keys.request, now, entropy)
    calls = Calls(parts.broker, signer)
    access = Access(resources, accounts, StoredShares(store))
    documents = AgentDocuments(store)
    revocations, runs = Revocations(documents, requests), RunsDocuments(store)
    mailroom = Mailroom()
    recall, facts = Recall(mailroom, parts.clock.sleep), AgentFacts(certificates, presences, revocations, runs)
    # Nouns.
    folk = people.build(
        store,
        resources,
        access,
        recorder,
        hasher=parts.hasher,
        session_secrets=parts.keys.session_secrets,
        second_factor=parts.second_factor,
        requests_per_minute=parts.requests_per_minute,
        clock=now,
        entropy=entropy,
        count=metrics.signed_in,
    )
    users, signing_in = folk.stored, folk.sessions
    setup = Setup(SetupCodes(store), users, folk.users, signing_in, private=parts.private, clock=now, entropy=entropy)
    shown = Tasks(tasks, requests, resources, accounts, access=access, clock=now)
    asking = TaskAsking(
        requests,
        tasks,
        certificates,
        revocations,
        shown,
        access=access,
        signer=signer,
        vault=parts.keys.vault,
        recorder=recorder,
        nudge=parts.nudge,
        guessing=folk.hashing.guessing,
    )
    revoking = Revoking(
        requests,
        certificates,
        resources,
        facts,
        signer=signer,
        recorder=recorder,
        nudge=parts.nudge,
        shut=lambda agent: mailroom.shut((agent,)),
    )
    choosing = Choosing(
        requests, certificates, resources, runs, facts, signer=signer, recorder=recorder, nudge=parts.nudge
    )
    events = Events(access.may_see, folk.tokens.again, parts.heartbeat_seconds)
    packages = Packages(
        StoredPackages(store),
        Tokens(store),
        users,
        Runtimes(published),
        access=access,
        calls=calls,
        recorder=recorder,
        clock=now,
        entropy=entropy,
    )
    queue = Enrolments(StoredEnrolments(store), resources, access=access, calls=calls, recorder=recorder, clock=now)
    raised = (StoredIncidents(store), StoredIncidents(store, CollectionName.FORKS))
    incidents = Incidents(raised, Closings(store), recorder, now)
    tokens = SessionTokens(parts.keys.session_secrets, lambda: board.newest, parts.keys.authorities.agents.era)
    door = AgentDoor(
        jobs,
        Results(store),
        Observations(store),
        presences,
        Receipts(store),
        tokens=tokens,
        heard=heard,
        board=board,
        offers=offers,
        clock=now,
        nudge=parts.nudge,
        dismiss=mailroom.dismiss,
    )
    identities = Identities(certificates, revocations, parts.keys.authorities.agents)
    forks = Forks(
        runs,
        requests,
        signer=signer,
        nudge=parts.nudge,
        clock=now,
        void=tokens.void,
        dismiss=mailroom.dismiss,
    )
    signed = SignedRequests(identities, Nonces(store), forks, now, metrics.agent_refused)
    # Routes.
    caller, listener = folk.signed_in(), folk.signed_in(cookie=True)
    entering, in_person = folk.in_person(incomplete=True), folk.in_person()
    listed, machines = Accounts(accounts, tasks, access, now), Resources(facts, access, now)
    looking = Looking(presences, facts, access, parts.broker, now)
    handing, trail = HandingOver(access, users, calls, recorder), AuditTrail(store)
    audit = Audit(trail, recorder, now)
    admitted = EnrolmentTokens(Tokens(store), calls, recorder, now)
    agents, ailing = Agents(resources, facts, access, now), Ailing(documents, presences, resources, access, now)
    reveals, bell = Reveals(access, calls, recorder), Notifications(shown, tasks, now)
    about = About(users, parts.version, now)
    api = FastAPI(
        title="Keyturn",
        version=parts.version,
        description="Resets and proves privileged passwords on machines that nobody can reach.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation,
    )
    for router in (
        setup_routes.router(setup),
        session_routes.router(signing_in, folk.mine, entering, in_person),
        factor_routes.router(folk.factor, entering, in_person),
        access_token_routes.router(folk.tokens, in_person),
        user_routes.router(folk.users, caller),
        group_routes.router(folk.groups, caller),
        share_routes.router(folk.shares, caller),
        resource_routes.router(machines, listed, handing, looking, caller),
        account_routes.router(listed, asking, reveals, caller),
        task_routes.router(shown, asking, caller),
        notification_routes.router(bell, caller),
        package_routes.router(packages, caller),
        token_routes.router(admitted, caller),
        enrolment_routes.router(queue, caller),
        incident_routes.router(incidents, caller),
        agents_routes.router(agents, revoking, choosing, caller),
        audit_routes.router(audit, caller),
        event_routes.router(events, listener),
        about_routes.router(about),
        agent_routes.router(
            door,
            Enrolment(users, calls, metrics.agent_refused),
            Renewal(calls, parts.keys.authorities.agents, metrics.agent_refused),
            Leaving(requests, signer=signer, nudge=parts.nudge, shut=lambda agent: mailroom.shut((agent,))),
            signed=signed,
            board=board,
            offers=offers,
        ),
    ):
        api.include_router(router)
    problems.install(api)
    describe(api)
    pages = site.build(
        site.Services(
            about=about,
            setup=setup,
            resources=machines,
            finder=Finder(
                resources, accounts, users, access=access, machines=machines, listed=listed, ailing=ailing, clock=now
            ),
            looking=looking,
            accounts=listed,
            tasks=shown,
            asking=asking,
            reveals=reveals,
            people=folk,
            handing=handing,
            health={"store": store_says(store), "broker": broker_says(parts.broker)},
            archive=Archive(audit, trail, users, accounts, resources),
            registry=Registry(machines, agents, ailing, queue, incidents, revoking, choosing, packages, admitted),
            notifications=bell,
            now=now,
        )
    )

    metrics.watch(held=lambda: mailroom.waiting, with_mail=lambda: mailroom.with_mail, streams=lambda: events.open)
    idempotent = Idempotency(api, Replays(store), folk.tokens.find, parts.keys.session_secrets[0], now)
    return Gateway(
        app=Door(
            Poll(tokens, mailroom, now, metrics.polled, heard.note),
            Limits(site.ByPath(pages, idempotent), metrics.answered),
        ),
        api=api,
        site=pages,
        mailroom=mailroom,
        events=events,
        notices=Notices(
            parts.broker,
            mailroom,
            events,
            with_mail=partial(_read_again, jobs, EpochStore(store), tokens, recall),
            revoked=lambda: documents.revoked_since(now() - 2 * LIFETIME_SECONDS * 1000),
            sleep=parts.clock.sleep,
        ),
        heard=heard,
        board=board,
        recall=recall,
        setup=setup,
        calls=calls,
        metrics=metrics,
        hashing=folk.hashing,
    )


async def _read_again(jobs: Jobs, epochs: EpochStore, tokens: SessionTokens, recall: Recall) -> set[str]:
    """What the mailroom is filled from; sessions of before a restore are over by then."""
    if tokens.begin(await epochs.began()):
        recall.all()
    return await jobs.agents_with_mail()


def _operation(route: APIRoute) -> str:
    """The name of an operation in OpenAPI: its noun and its verb."""
    return f"{route.tags[0] if route.tags else 'other'}_{route.name}"
