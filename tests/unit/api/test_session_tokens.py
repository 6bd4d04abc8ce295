"""Session tokens: whose they are, and until when."""

import pytest

from services.api.agent_door.tokens import LIFETIME_SECONDS, SessionTokens

NOW = 1_800_000_000_000
AGENT = "agt_" + "a" * 26
SECRET, OTHER = b"s" * 32, b"o" * 32


def test_a_token_is_good_for_ten_minutes() -> None:
    tokens = SessionTokens((SECRET,))
    token = tokens.make(AGENT, NOW)
    assert tokens.agent(token, NOW) == AGENT
    assert tokens.agent(token, NOW + LIFETIME_SECONDS * 1_000 - 1) == AGENT
    assert tokens.agent(token, NOW + LIFETIME_SECONDS * 1_000) is None


def test_the_previous_secret_counts_and_a_strangers_does_not() -> None:
    token = SessionTokens((SECRET,)).make(AGENT, NOW)
    assert SessionTokens((OTHER, SECRET)).agent(token, NOW) == AGENT
    assert SessionTokens((OTHER,)).agent(token, NOW) is None


@pytest.mark.parametrize("bent", ["", "v2", "v2.agt.1.1.x", "é.é", "v2.agt_b.9999999999.0.AAAA"])
def test_what_is_no_token_is_nobodys(bent: str) -> None:
    assert SessionTokens((SECRET,)).agent(bent, NOW) is None


def test_a_token_of_before_a_restore_is_over() -> None:
    """Every agent opens a session again, and shows what the copy does not know; ten minutes were too long for that."""
    tokens = SessionTokens((SECRET,))
    tokens.begin(5)
    old = tokens.make(AGENT, NOW)
    assert tokens.agent(old, NOW) == AGENT
    tokens.begin(6)
    assert tokens.agent(old, NOW) is None
    assert tokens.agent(tokens.make(AGENT, NOW), NOW) == AGENT
    tokens.begin(5)
    assert tokens.agent(old, NOW) is None


def test_a_token_of_a_gateway_that_knows_of_the_restore_already_is_good() -> None:
    late, early = SessionTokens((SECRET,)), SessionTokens((SECRET,))
    early.begin(6)
    assert late.agent(early.make(AGENT, NOW), NOW) == AGENT


def test_a_token_of_a_clock_that_was_ahead_is_over() -> None:
    """It was good for as long as the clock had been ahead, and no session was opened for as long."""
    tokens = SessionTokens((SECRET,))
    assert tokens.agent(tokens.make(AGENT, NOW + 86_400_000), NOW) is None
    assert tokens.agent(tokens.make(AGENT, NOW + 30_000), NOW) == AGENT


def test_an_older_token_of_the_same_agent_is_over_once_a_newer_one_was_seen() -> None:
    """One machine never goes back to it; of two with one identity, the one that does has to open a session."""
    tokens, other = SessionTokens((SECRET,)), SessionTokens((SECRET,))
    old, new = tokens.make(AGENT, NOW), other.make(AGENT, NOW + 5_000)
    assert tokens.agent(old, NOW + 5_000) == AGENT  # this gateway has not seen the newer one
    assert tokens.agent(new, NOW + 5_000) == AGENT
    assert tokens.agent(old, NOW + 5_000) is None


def test_a_newer_token_of_a_clock_that_was_ahead_keeps_no_token_of_now_out() -> None:
    tokens, other = SessionTokens((SECRET,)), SessionTokens((SECRET,))
    tokens.make(AGENT, NOW + 86_400_000)
    assert tokens.agent(other.make(AGENT, NOW), NOW) == AGENT


def test_tokens_that_were_made_void_are_over_until_another_one_is_made() -> None:
    tokens = SessionTokens((SECRET,))
    old = tokens.make(AGENT, NOW)
    tokens.void(AGENT)
    assert tokens.agent(old, NOW) is None
    assert tokens.agent(tokens.make(AGENT, NOW + 1_000), NOW + 1_000) == AGENT
