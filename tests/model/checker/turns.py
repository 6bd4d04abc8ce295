"""Every step of the server, each computed once for what it looks at."""

from collections.abc import Iterator
from typing import NamedTuple

from libs.domain.state import Generation, Phase, Rotation
from libs.domain.state import Kind as Asked
from libs.domain.versions import candidates
from libs.wire.results import ResetAnswer, VerifyAnswer
from tests.model.checker import scheduler
from tests.model.checker.bounds import Kind, Spent
from tests.model.checker.messages import Answer, Post, each
from tests.model.checker.moments import BETWEEN, CONTACT, NOW
from tests.model.checker.pool import Pool
from tests.model.checker.ranks import Rank
from tests.model.checker.rules import Rules
from tests.model.checker.scheduler import Turn
from tests.model.checker.server import Server
from tests.model.checker.signatures import forged

NO_JOB, WAITING, AT_AGENT = range(3)


class Turned(NamedTuple):
    """A turn, its server as a number, and what it does to the mailbox."""

    rank: int
    label: str
    server: int
    ends: bool
    broken: str
    kind: Kind | None = None
    lays: int = 0
    takes: int = 0


class Turns:
    """The server's side."""

    def __init__(self, rules: Rules, post: Post) -> None:
        self.rules, self.post = rules, post
        self.servers: Pool[Server] = Pool()
        self._jobs: list[int] = []
        self._stated: dict[tuple[int, Spent, str], list[Turned]] = {}
        self._heard: dict[int, int] = {}
        self._counting: dict[int, list[tuple[int, Turned]]] = {}
        self._shown: dict[tuple[int, Generation, str, int], Turned | None] = {}
        self._aged: dict[int, int] = {}

    def server(self, number: int) -> Server:
        return self.servers.values[number]

    def job(self, server: int) -> int:
        """The bit of the flight's job; none where nothing is in flight."""
        while len(self._jobs) <= server:
            job = scheduler.job(self.server(len(self._jobs)))
            self._jobs.append(0 if job is None else self.post.bit(job))
        return self._jobs[server]

    def aged(self, server: int) -> int:
        """The same server once a fault has changed the password."""
        found = self._aged.get(server)
        if found is None:
            found = self._aged[server] = self.servers.number(self.server(server)._replace(fresh=False))
        return found

    def own(self, server: int, job: int, spent: Spent) -> list[Turned]:
        """What people and the scheduler may begin. `job`: where the flight's job is."""
        return list(self._begun(server, job, spent))

    def stated(self, server: int, spent: Spent, live: str) -> list[Turned]:
        """What people may state of the live password."""
        key = (server, spent, live)
        found = self._stated.get(key)
        if found is None:
            number, epoch = spent[Kind.ADOPTIONS], self._epoch(spent)
            turns = scheduler.adopt(self.server(server), self.rules, number=number, epoch=epoch, live=live)
            found = [self._turned(Rank.NOBODY, turn, Kind.ADOPTIONS) for turn in turns]
            self._stated[key] = found
        return found

    def answers(self, server: int, sent: int) -> list[tuple[int, Turned]]:
        """The answers that count for this server, of which those with a bit in `sent` were given."""
        new = sent & ~self._heard.get(server, 0)
        if new:
            self._heard[server] = self._heard.get(server, 0) | new
            counting = self._counting.setdefault(server, [])
            for bit in each(new):
                counting += [(bit, turned) for turned in self._answer(server, self.post.answer(bit))]
        return self._counting.get(server, [])

    def forgeries(self, server: int) -> str:
        """What a forged answer breaks, which must be nothing."""
        before = self.server(server)
        for answer in _hurtful(before.r):
            for how, said in forged(answer):
                turn = scheduler.believe(before, self.rules, answer, now=NOW, by=said)
                if turn is not None and turn.after.r != before.r:
                    return f"I9 an answer {how} counts: {turn.label}"
        return ""

    def contact(self, server: int, mark: Generation, password: str, now: int) -> Turned | None:
        """What the host shows; None where it changes nothing."""
        key = (server, mark, password, now)
        if key not in self._shown:
            turn = scheduler.shown(self.server(server), self.rules, mark=mark, password=password, now=now)
            self._shown[key] = None if turn is None else self._moved(server, self._turned(Rank.CONTACT, turn))
        return self._shown[key]

    def shaken(self, server: int) -> Iterator[Turned]:
        """What may befall the server by others' doing, beside its restoration."""
        turn = scheduler.cloned(self.server(server), self.rules)
        if turn is not None:
            yield self._turned(Rank.NOBODY, turn, Kind.CLONES)

    def enrolled_again(self, server: int) -> Turned:
        turn = scheduler.enrolled_again(self.server(server), self.rules)
        assert turn is not None
        return self._turned(Rank.NOBODY, turn, Kind.REINSTALLS)

    def restored(self, kept: int, spent: Spent, *, proven: bool) -> Turned:
        """The copy `kept`, back in service. That something was proven since is not forgotten by the model."""
        epoch = self._epoch(spent) + int(self.rules.begins_epoch)
        turn = scheduler.restored(self.server(kept), self.rules, epoch=epoch)
        assert turn is not None
        after = turn.after._replace(proven=turn.after.proven or proven)
        return self._turned(Rank.NOBODY, turn._replace(after=after), Kind.RESTORES)

    # ---- parts

    def _begun(self, server: int, job: int, spent: Spent) -> Iterator[Turned]:
        before, rules = self.server(server), self.rules
        bit = self.job(server)
        number, epoch = spent[Kind.RESETS], self._epoch(spent)
        takes = bit if rules.takes_back else 0
        reset = scheduler.reset(before, rules, number=number, epoch=epoch)
        cancel = None if job == AT_AGENT else scheduler.cancel(before, rules)
        learn = scheduler.learn(before, rules) if job == AT_AGENT else None
        for turn, rank, kind, taken in (
            (reset, Rank.NOBODY, Kind.RESETS, 0),
            (scheduler.check(before, rules), Rank.NOBODY, Kind.CHECKS, 0),
            (cancel, Rank.NOBODY, Kind.CANCELS, takes),
            (scheduler.release(before, rules), Rank.NOBODY, None, 0),
            (learn, Rank.LEARN, None, 0),
            (scheduler.lease_over(before, rules), Rank.LEASE, None, 0),
            (scheduler.compare(before, rules), Rank.BEGIN, None, 0),
        ):
            if turn is not None:
                yield self._turned(rank, turn, kind)._replace(takes=taken)
        flight = before.r.flight
        if flight is not None and flight.phase is Phase.QUEUED and job == NO_JOB:
            yield Turned(Rank.LAY_OUT, "server: lays out the job", server, ends=False, broken="", lays=bit)

    def _answer(self, server: int, answer: Answer) -> Iterator[Turned]:
        before = self.server(server)
        turn = scheduler.believe(before, self.rules, answer, now=NOW)
        now = None if turn is None else self._moved(server, self._turned(Rank.ANSWER, turn))
        if now is not None:
            yield now
        if before.r.seen is not None and before.r.seen.receipt == CONTACT:
            turn = scheduler.believe(before, self.rules, answer, now=BETWEEN)
            early = None if turn is None else self._moved(server, self._turned(Rank.NOBODY, turn))
            if early is not None and (now is None or early[2:] != now[2:]):
                yield early._replace(label=early.label + ", received before the last contact")

    def _turned(self, rank: Rank, turn: Turn, kind: Kind | None = None) -> Turned:
        return Turned(rank, turn.label, self.servers.number(turn.after), turn.ends_comparison, turn.broken, kind)

    def _moved(self, server: int, turned: Turned) -> Turned | None:
        return None if turned.server == server and not turned.ends and not turned.broken else turned

    def _epoch(self, spent: Spent) -> int:
        return 1 + spent[Kind.RESTORES] if self.rules.begins_epoch else 1


def _hurtful(r: Rotation) -> Iterator[Answer]:
    """Every answer that would turn the account, in the words of what is open."""
    for flight in (r.flight, r.unanswered):
        if flight is None or not flight.nonce:
            continue
        words = Answer(flight.task, flight.nonce, r.newest, ResetAnswer.APPLIED, flight.generation, "forged")
        if flight.kind is Asked.RESET:
            for answer in ResetAnswer:
                yield words._replace(answer=answer)
        else:
            for version in candidates(r):
                yield words._replace(answer=VerifyAnswer.OPENS, generation=version.generation)
            for verdict in (VerifyAnswer.DOES_NOT_OPEN, VerifyAnswer.CANNOT_TELL):
                yield words._replace(answer=verdict, generation=None)
