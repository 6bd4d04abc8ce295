"""The whole: server, host, mailbox and network in one state, and every step from it.

A state is eight values: the server's and the host's numbers, the messages sent and the jobs waiting as bits, what was
spent, the snapshot, the server's copy, and a contact on its way. What a step computes depends on few of them, and is
remembered for those.
"""

from collections.abc import Iterable

from libs.domain.state import Generation
from tests.model.checker import host as hosts
from tests.model.checker import invariants
from tests.model.checker.bounds import NOTHING, Bounds, Kind, Spent, spend
from tests.model.checker.host import Act, Host
from tests.model.checker.messages import Post, each
from tests.model.checker.moments import BEFORE, NOW
from tests.model.checker.pool import Pool
from tests.model.checker.ranks import Rank
from tests.model.checker.rules import Rules
from tests.model.checker.server import Server
from tests.model.checker.turns import AT_AGENT, NO_JOB, WAITING, Turned, Turns

State = tuple[int, int, int, int, int, int, int, int]
Step = tuple[int, str, State, str]
"""Whose turn it is (`ranks`), how it is told, where it leads, and what it breaks by itself."""

_NONE = -1
Acted = tuple[int, str, int, int, int, bool]
"""Rank, label, host, the answer's bit, what is spent then, and whether a fault changes the password."""


class World:
    """All states of one setting under some rules."""

    def __init__(self, rules: Rules, bounds: Bounds) -> None:
        self.rules, self._most = rules, bounds.most()
        self.post = Post()
        self.turns = Turns(rules, self.post)
        self.hosts: Pool[Host] = Pool()
        self._spents: Pool[Spent] = Pool()
        self._copies: Pool[tuple[int, int]] = Pool()
        self._contacts: Pool[tuple[Generation, str]] = Pool()
        self._spend: dict[tuple[int, Kind], int | None] = {}
        self._own: dict[tuple[int, int, int], list[tuple[Turned, int]]] = {}
        self._taken: dict[tuple[int, int, int], list[Acted]] = {}
        self._going: dict[tuple[int, int], list[Acted]] = {}
        self._checked: dict[tuple[int, int, bool], str] = {}
        self._mailboxes: dict[tuple[int, int], str] = {}
        self._forged: dict[int, str] = {}
        self.first: State = (
            self.turns.servers.number(Server()),
            self.hosts.number(Host()),
            0,
            0,
            self._spents.number(NOTHING),
            _NONE,
            _NONE,
            _NONE,
        )

    # ---- what must hold

    def broken(self, state: State) -> str:
        """The invariant that this state breaks, or nothing."""
        server, host, _, box, spent, *_ = state
        gone_back = self._spents.values[spent]
        kept = not (gone_back[Kind.ROLLBACKS] or gone_back[Kind.RESTORES])
        key = (server, host, kept)
        found = self._checked.get(key)
        if found is None:
            found = invariants.of_state(self.turns.server(server), self.hosts.values[host], journal_kept=kept)
            self._checked[key] = found
        return found or (kept and self._of_mailbox(server, box & self.post.resets)) or self._of_forgeries(server)

    def _of_mailbox(self, server: int, resets: int) -> str:
        if not resets:
            return ""
        key = (server, resets)
        found = self._mailboxes.get(key)
        if found is None:
            waiting = {self.post.job(bit).nonce for bit in each(resets)}
            found = self._mailboxes[key] = invariants.of_mailbox(self.turns.server(server).r, waiting)
        return found

    def _of_forgeries(self, server: int) -> str:
        found = self._forged.get(server)
        if found is None:
            found = self._forged[server] = self.turns.forgeries(server)
        return found

    # ---- what may happen

    def steps(self, state: State) -> list[Step]:
        """Everything that may happen next, faults and all."""
        steps: list[Step] = []
        self._of_server(state, steps)
        self._of_network(state, steps)
        self._of_host(state, steps)
        self._of_contacts(state, steps)
        self._of_faults(state, steps)
        return steps

    def _of_server(self, state: State, steps: list[Step]) -> None:
        server, host, net, box, spent, *_ = state
        bit = self.turns.job(server)
        key = (server, AT_AGENT if net & bit else WAITING if box & bit else NO_JOB, spent)
        found = self._own.get(key)
        if found is None:
            found = self._own[key] = self._paid(self.turns.own(server, key[1], self._spents.values[spent]), spent)
        for turned, paid in found:
            self._turn(state, turned, paid, steps)
        if self._spent(spent, Kind.ADOPTIONS) is not None:
            live = self.hosts.values[host].password
            for turned, paid in self._paid(self.turns.stated(server, self._spents.values[spent], live), spent):
                self._turn(state, turned, paid, steps)

    def _paid(self, turns: Iterable[Turned], spent: int) -> list[tuple[Turned, int]]:
        """What can be afforded, and what is spent then."""
        priced = ((turned, spent if turned.kind is None else self._spent(spent, turned.kind)) for turned in turns)
        return [(turned, paid) for turned, paid in priced if paid is not None]

    def _turn(self, state: State, turned: Turned, spent: int, steps: list[Step]) -> None:
        rank, label, after, ends, broken, _, lays, takes = turned
        _, host, net, box, _, snapshot, copy, contact = state
        if ends:
            net, box = self.post.mourned(net), self.post.mourned(box & ~takes)
        else:
            box = (box | lays) & ~takes
        steps.append((rank, label, (after, host, net, box, spent, snapshot, copy, contact), broken))

    def _of_network(self, state: State, steps: list[Step]) -> None:
        server, host, net, box, spent, snapshot, copy, contact = state
        answers = net & self.post.answers
        if answers:
            for bit, turned in self.turns.answers(server, answers):
                if bit & answers:
                    self._turn(state, turned, spent, steps)
        if self.hosts.values[host].working is not None:
            return
        if box:
            fetched = (server, host, net | box, 0, spent, snapshot, copy, contact)
            steps.append((Rank.FETCH, "agent: fetches its mail", fetched, ""))
        ours = self.turns.job(server)
        jobs = net & self.post.jobs
        while jobs:
            bit = jobs & -jobs
            jobs ^= bit
            key = (host, bit, spent)
            found = self._taken.get(key)
            if found is None:
                acts = hosts.take(self.hosts.values[host], self.post.job(bit), self.rules)
                found = self._taken[key] = self._acted(acts, Rank.JOB, spent)
            for acted in found:
                self._act(state, acted, steps, Rank.JOB if bit == ours else Rank.NOBODY)

    def _of_host(self, state: State, steps: list[Step]) -> None:
        host, spent = state[1], state[4]
        found = self._going.get((host, spent))
        if found is None:
            before = self.hosts.values[host]
            found = self._acted(hosts.go_on(before, self.rules), Rank.HOST, spent)
            found += self._acted(hosts.faults(before), Rank.NOBODY, spent)
            self._going[host, spent] = found
        for acted in found:
            self._act(state, acted, steps, acted[0])

    def _acted(self, acts: Iterable[Act], rank: Rank, spent: int) -> list[Acted]:
        """What can be afforded."""
        found: list[Acted] = []
        for act in acts:
            paid = spent if act.kind is None else self._spent(spent, act.kind)
            if paid is not None:
                sends = 0 if act.answer is None else self.post.bit(act.answer)
                whose = Rank.NOBODY if act.kind is not None or act.nobodys else rank
                found.append((whose, act.label, self.hosts.number(act.after), sends, paid, act.kind is Kind.CHANGES))
        return found

    def _act(self, state: State, acted: Acted, steps: list[Step], rank: int) -> None:
        whose, label, host, sends, paid, changes = acted
        server, _, net, box, _, snapshot, copy, contact = state
        if changes:
            server, net, copy = self._aged(server, net, copy)
        after = (server, host, net | sends, box, paid, snapshot, copy, contact)
        steps.append((rank if whose != Rank.NOBODY else whose, label, after, ""))

    def _of_contacts(self, state: State, steps: list[Step]) -> None:
        server, host, net, box, spent, snapshot, copy, contact = state
        shown = self.hosts.values[host]
        if shown.working is None:
            turned = self.turns.contact(server, shown.mark, shown.password, NOW)
            if turned is not None:
                self._turn(state, turned, spent, steps)
            paid = self._spent(spent, Kind.DELAYS)
            if paid is not None and contact == _NONE:
                slow = self._contacts.number((shown.mark, shown.password))
                steps.append(
                    (Rank.NOBODY, "contact: is shown, and on its way", (*state[:4], paid, snapshot, copy, slow), "")
                )
        if contact != _NONE:
            mark, password = self._contacts.values[contact]
            arrived = (server, host, net, box, spent, snapshot, copy, _NONE)
            for now, told in ((NOW, "late"), (BEFORE, "taken up after a comparison that was received later")):
                turned = self.turns.contact(server, mark, password, now)
                if turned is not None:
                    label = f"{turned.label}, {told}"
                    self._turn(arrived, turned._replace(label=label, rank=Rank.NOBODY), spent, steps)
            steps.append((Rank.NOBODY, "contact: is lost, or says nothing new", arrived, ""))

    def _of_faults(self, state: State, steps: list[Step]) -> None:
        server, host, net, _, spent, snapshot, copy, contact = state
        if self._spent(spent, Kind.CLONES) is not None:
            for turned, after in self._paid(self.turns.shaken(server), spent):
                self._turn(state, turned, after, steps)
        if self._spent(spent, Kind.ROLLBACKS) is not None:
            self._roll_back(state, steps)
        if self._spent(spent, Kind.RESTORES) is not None:
            self._restore(state, steps)
        paid = self._spent(spent, Kind.REINSTALLS)
        if paid is not None:
            # A new key: what is sealed to the old one can be read by nobody, so every job under way is void. Nothing of
            # the old agent lives on: whoever removes it ends its processes.
            turned = self.turns.enrolled_again(server)
            net &= ~self.post.jobs
            if turned.ends:
                net = self.post.mourned(net)
            fresh = self.hosts.number(Host(password=self.hosts.values[host].password))
            wiped = (turned.server, fresh, net, 0, paid, snapshot, copy, contact)
            steps.append((Rank.NOBODY, turned.label, wiped, turned.broken))

    def _roll_back(self, state: State, steps: list[Step]) -> None:
        server, host, net, box, spent, snapshot, copy, contact = state
        disk = self.hosts.number(self.hosts.values[host]._replace(working=None, late=None))
        if snapshot == _NONE:
            after = (server, host, net, box, spent, disk, copy, contact)
            steps.append((Rank.NOBODY, "FAULT: a snapshot of the host is taken", after, ""))
        elif snapshot != disk:
            paid = self._spent(spent, Kind.ROLLBACKS)
            assert paid is not None
            server, net, copy = self._aged(server, net, copy)
            after = (server, snapshot, net, box, paid, snapshot, copy, contact)
            steps.append((Rank.NOBODY, "FAULT: the host is rolled back", after, ""))

    def _restore(self, state: State, steps: list[Step]) -> None:
        server, host, net, box, spent, snapshot, copy, contact = state
        if copy == _NONE:
            after = (server, host, net, box, spent, snapshot, self._copies.number((server, box)), contact)
            steps.append((Rank.NOBODY, "FAULT: a copy of the server is taken", after, ""))
            return
        kept, mailbox = self._copies.values[copy]
        paid = self._spent(spent, Kind.RESTORES)
        assert paid is not None
        proven = self.turns.server(server).proven
        turned = self.turns.restored(kept, self._spents.values[spent], proven=proven)
        # Comparisons of before are over. What agents said may still be on its way, or gone with the store.
        mailbox, net = self.post.mourned(mailbox), self.post.mourned(net)
        for told, sent in ((", answers may still come", net), (", what was said is gone", net & self.post.jobs)):
            after = (turned.server, host, sent, mailbox, paid, snapshot, copy, contact)
            steps.append((Rank.NOBODY, turned.label + told, after, turned.broken))

    # ---- parts

    def _spent(self, spent: int, kind: Kind) -> int | None:
        key = (spent, kind)
        if key not in self._spend:
            after = spend(self._spents.values[spent], kind, self._most)
            self._spend[key] = None if after is None else self._spents.number(after)
        return self._spend[key]

    def _aged(self, server: int, net: int, copy: int) -> tuple[int, int, int]:
        """A fault has changed the password: no comparison of before speaks of what is live now."""
        if copy != _NONE:
            kept, mailbox = self._copies.values[copy]
            copy = self._copies.number((self.turns.aged(kept), mailbox))
        return self.turns.aged(server), self.post.aged(net), copy

    def settled(self, state: State) -> str:
        """What is wrong with a state in which nothing more has to happen, or nothing."""
        return invariants.at_rest(self.turns.server(state[0]), self.hosts.values[state[1]])
