"""The page of words is what the code says."""

from libs.domain.state import Status
from services.api.reference import ACCOUNTS, page
from tests.unit.house.tree import ROOT


def test_the_page_of_words_is_made_from_this_code() -> None:
    made = page()
    assert (ROOT / "docs/words.md").read_text() == made, "python -m services.api.reference > docs/words.md"


def test_the_page_shows_every_status() -> None:
    assert {rotation.status for _, rotation in ACCOUNTS} == set(Status)
