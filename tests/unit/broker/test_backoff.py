"""Waits grow to a ceiling, differ by chance, and begin anew."""

from libs.broker.backoff import Backoff


def test_waits_double_up_to_the_ceiling_and_begin_anew() -> None:
    backoff = Backoff(0.5, 4.0, chance=lambda: 1.0)
    assert [backoff.next() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    backoff.reset()
    assert backoff.next() == 0.5


def test_a_wait_is_at_least_half_of_its_range_and_after_years_still_a_number() -> None:
    backoff = Backoff(0.5, 4.0, chance=lambda: 0.0)
    waits = [backoff.next() for _ in range(5_000)]
    assert waits[0] == 0.25
    assert set(waits[10:]) == {2.0}
