"""Forks: two machines are found, and whatever one machine does is none."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.domain.forks import HOLD, KEPT, MARGIN, Runs, Side, Verdict, heard

SECOND = 1_000


@dataclass
class Server:
    """What a gateway remembers."""

    now: int = 1_000_000
    runs: Runs | None = None
    verdicts: list[Verdict] = field(default_factory=list)

    def hears(self, run: str, count: int, *, signed_at: int | None = None, answered: bool | None = None) -> Verdict:
        """A request; the first of a run is a session, unless it is told otherwise."""
        side = Side(run, 1, "dmz-web-01", "192.0.2.1", self.now, self.now)
        at, follows = self.now if signed_at is None else signed_at, count > 1 if answered is None else answered
        verdict, self.runs = heard(self.runs, side, count=count, signed_at=at, answered=follows)
        self.verdicts.append(verdict)
        return verdict

    def passes(self, millis: int) -> None:
        self.now += millis


@pytest.fixture
def server() -> Server:
    return Server()


def talks(server: Server, run: str, first: int = 1, times: int = 2) -> None:
    for n in range(first, first + times):
        assert server.hears(run, n) is Verdict.FINE
        server.passes(SECOND)


def test_a_machine_that_starts_again_or_is_put_back_is_no_fork(server: Server) -> None:
    for run in ("a", "b", "c"):
        talks(server, run)
        server.passes(3 * MARGIN)
    assert server.runs is not None
    assert [each.run for each in server.runs.followed] == ["b", "a"]
    assert server.runs.held_until == 0


def test_two_machines_are_a_fork_when_both_have_gone_on(server: Server) -> None:
    talks(server, "original")
    talks(server, "clone")
    assert server.hears("original", 3) is Verdict.LATE  # perhaps it was long on its way
    assert server.runs is not None
    assert server.runs.holds(server.now)  # nothing is sent until that is known
    assert not server.runs.holds(server.now + HOLD)
    assert not server.runs.holds(server.now - 1)  # the clock that wrote this was put back: nobody waits for it
    server.passes(MARGIN)
    assert server.hears("clone", 3) is Verdict.FINE
    assert server.hears("original", 4) is Verdict.FORK


def test_a_first_request_that_was_long_on_its_way_displaces_nobody(server: Server) -> None:
    began = server.now
    server.passes(10 * SECOND)
    talks(server, "second")  # the agent was started again before the gateway woke
    assert server.hears("first", 1, signed_at=began) is Verdict.FINE  # nobody waits for this answer any more
    assert server.hears("second", 3) is Verdict.LATE
    server.passes(MARGIN + SECOND)
    assert server.hears("second", 4) is Verdict.FINE
    talks(server, "second", 5)


def test_however_many_first_requests_were_long_on_their_way_they_displace_nobody(server: Server) -> None:
    """A gateway that hung takes every session that a start asked it for, when that start is long over."""
    talks(server, "second")
    for n in (1, 2, 3):
        server.hears("first", n, signed_at=server.now - 30 * SECOND, answered=False)
    server.passes(MARGIN + SECOND)
    assert server.hears("second", 3) is Verdict.FINE
    server.passes(MARGIN + SECOND)
    talks(server, "second", 4)
    assert Verdict.FORK not in server.verdicts


def test_a_request_of_a_run_that_was_forgotten_is_late_and_displaces_nobody(server: Server) -> None:
    """An agent that is started again and again within a minute, while one of its requests is on its way."""
    talks(server, "held up")
    sent = server.now
    for n in range(KEPT + 1):
        talks(server, f"start {n}", times=1)
    assert server.hears("held up", 3, signed_at=sent) is Verdict.LATE
    assert server.hears(f"start {KEPT}", 2) is Verdict.FINE
    server.passes(2 * MARGIN)
    assert server.hears("held up", 4) is Verdict.FINE  # a machine that goes on is heard, and then it is a fork
    server.passes(2 * MARGIN)
    assert server.hears(f"start {KEPT}", 3) is Verdict.FORK


def test_a_machine_copied_while_it_ran_begins_another_run_and_both_going_on_are_a_fork(server: Server) -> None:
    talks(server, "one", times=5)
    assert server.hears("one", 5) is Verdict.OVER
    talks(server, "another")
    server.passes(2 * MARGIN)
    assert server.hears("one", 6) is Verdict.FORK


def test_a_machine_put_back_while_it_ran_is_no_fork(server: Server) -> None:
    talks(server, "one", times=5)
    assert server.hears("one", 3) is Verdict.OVER
    talks(server, "another")
    server.passes(2 * MARGIN)
    talks(server, "another", 3)


@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.booleans(), st.integers(-59, 59), st.sampled_from([0, 0, 0, 1, 2, 5, 9])),
        max_size=30,
    )
)
@settings(max_examples=2_000)
def test_whatever_one_machine_sends_and_however_late_it_comes_it_is_no_fork(
    steps: list[tuple[int, bool, int, int]],
) -> None:
    """Each step: seconds that pass, whether the agent starts anew, how far off its clock is (within what counts), and
    after how many more steps the request comes. One that is held up has no answer: the agent asks for a session again,
    and asks nothing else before it has one.
    """
    server, run, count, has_session = Server(), 0, 0, False
    late: list[tuple[int, str, int, int, bool]] = []
    for n, (seconds, starts, off, delay) in enumerate(steps):
        server.passes(seconds * SECOND)
        if starts:
            run, count, has_session = run + 1, 0, False
        count += 1
        signed_at = server.now + off * SECOND
        if delay:
            late.append((n + delay, str(run), count, signed_at, has_session))
            has_session = False
        else:
            verdict = server.hears(str(run), count, signed_at=signed_at, answered=has_session)
            has_session = verdict is Verdict.FINE
            if verdict is Verdict.OVER:
                run, count = run + 1, 0
        for due, name, number, then, answered in [each for each in late if each[0] == n]:
            assert due == n
            server.hears(name, number, signed_at=then, answered=answered)
    assert Verdict.FORK not in server.verdicts
