"""The scheduler's object graph: on any store, broker and clock, so that a test runs the same one on twins."""

from dataclasses import dataclass

from libs.broker.ports import Broker
from libs.service.clock import Clock
from libs.store.accounts import Accounts
from libs.store.agents import AgentDocuments
from libs.store.audit import Audit
from libs.store.budgets import Budgets
from libs.store.certificates import Certificates
from libs.store.epoch import EpochStore
from libs.store.incidents import Incidents
from libs.store.jobs import Jobs
from libs.store.observations import Observations
from libs.store.ports import Store
from libs.store.requests import Requests
from libs.store.resources import Resources
from libs.store.results import Results
from libs.store.schema import CollectionName, Service
from libs.store.tasks import Tasks
from services.scheduler.clock_watch import ClockWatch
from services.scheduler.departures import Departures
from services.scheduler.enrolments import Enrolments
from services.scheduler.episodes import Episodes
from services.scheduler.epochs import Epochs
from services.scheduler.fetches import Fetches
from services.scheduler.forks import Forks
from services.scheduler.handovers import Handovers
from services.scheduler.keys import Keys
from services.scheduler.ledger import Ledger
from services.scheduler.nonces import Nonces
from services.scheduler.observations import Discoveries
from services.scheduler.offers import Offers
from services.scheduler.pins import Pins
from services.scheduler.projection import Projection
from services.scheduler.records import Records
from services.scheduler.recovery import Recovery
from services.scheduler.requests import Desk
from services.scheduler.resealing import Resealing
from services.scheduler.results import Reports
from services.scheduler.reveals import FOR_ALL, PER_PERSON, Reveals
from services.scheduler.revocations import Revocations
from services.scheduler.sweeper import Sweeper
from services.scheduler.takeovers import Takeovers
from services.scheduler.trusted import Agents, Gateway
from services.scheduler.withdrawals import Withdrawals
from services.scheduler.witness import MemoryWitness, Witness


@dataclass(frozen=True)
class Graph:
    """What takes each kind of message, and the sweep that takes the same ways."""

    epochs: Epochs
    desk: Desk
    fetches: Fetches
    reports: Reports
    discoveries: Discoveries
    enrolments: Enrolments
    reveals: Reveals
    handovers: Handovers
    sweeper: Sweeper
    resealing: Resealing


def build(
    keys: Keys,
    *,
    store: Store,
    broker: Broker,
    clock: Clock,
    nonces: Nonces,
    lease: int,
    witness: Witness | None = None,
    per_person: int = PER_PERSON,
    for_all: int = FOR_ALL,
) -> Graph:
    """The graph on these parts. `lease` in milliseconds; reveals per hour."""
    witness = witness or MemoryWitness()
    accounts, resources, requests = Accounts(store), Resources(store), Requests(store)
    certificates, jobs, results, observations = Certificates(store), Jobs(store), Results(store), Observations(store)
    gateway = Gateway(keys.gateway)
    documents = AgentDocuments(store)
    pins = Pins(certificates, documents, keys.agents.check, clock)
    agents = Agents(pins, resources)
    records = Records(Audit(store, Service.SCHEDULER), clock)
    projection = Projection(Tasks(store), accounts, resources, requests, gateway, broker, clock)
    ledger = Ledger(accounts, projection, broker, clock)
    epochs = Epochs(EpochStore(store), witness, Recovery(resources, accounts, ledger, clock), clock)
    fetches = Fetches(jobs, ledger, clock, lease)
    offers = Offers(jobs, agents, keys.opener, keys.task, records, broker, clock)
    episodes = Episodes(ledger, offers, agents, nonces, clock)
    withdrawals = Withdrawals(accounts, offers, fetches, ledger, clock)
    revocations = Revocations(
        documents=documents,
        certificates=certificates,
        resources=resources,
        accounts=accounts,
        withdrawals=withdrawals,
        records=records,
        task_key=keys.task,
        broker=broker,
        clock=clock,
    )
    departures = Departures(documents, agents, ledger, revocations, records, keys.opener, clock)
    forks = Forks(
        documents=documents,
        pins=pins,
        certificates=certificates,
        resources=resources,
        accounts=accounts,
        incidents=Incidents(store, CollectionName.FORKS),
        ledger=ledger,
        withdrawals=withdrawals,
        episodes=episodes,
        records=records,
        task_key=keys.task,
        broker=broker,
        clock=clock,
    )
    desk = Desk(
        requests=requests,
        accounts=accounts,
        gateway=gateway,
        agents=agents,
        ledger=ledger,
        offers=offers,
        withdrawals=withdrawals,
        revocations=revocations,
        departures=departures,
        forks=forks,
        projection=projection,
        opener=keys.opener,
        keys=keys.at_rest,
        epochs=epochs,
        nonces=nonces,
        clock=clock,
    )
    reports = Reports(results, agents, ledger, episodes, nonces, keys.opener, clock)
    discoveries = Discoveries(
        observations, accounts, resources, agents, epochs, ledger, episodes, nonces, broker, clock
    )
    takeovers = Takeovers(gateway, certificates, resources, accounts, ledger, episodes, records, broker, clock)
    enrolments = Enrolments(certificates, resources, agents, takeovers, records, broker, clock)
    sweeper = Sweeper(
        accounts=accounts,
        requests=requests,
        results=results,
        observations=observations,
        jobs=jobs,
        desk=desk,
        reports=reports,
        discoveries=discoveries,
        enrolments=enrolments,
        forks=forks,
        fetches=fetches,
        episodes=episodes,
        offers=offers,
        withdrawals=withdrawals,
        ledger=ledger,
        projection=projection,
        watch=ClockWatch(accounts, ledger, clock),
        clock=clock,
    )
    reveals = Reveals(accounts, Budgets(store), gateway, keys.opener, records, clock, per_person, for_all)
    resealing = Resealing(resources, accounts, ledger, keys.opener, keys.at_rest)
    handovers = Handovers(resources, gateway, records, broker, clock)
    return Graph(epochs, desk, fetches, reports, discoveries, enrolments, reveals, handovers, sweeper, resealing)
