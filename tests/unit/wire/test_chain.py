"""The audit's chain: what an export tells of itself."""

from typing import Any

import pytest

from libs.wire.chain import START, Chain, Link, chains, linked


def chain_of(count: int) -> list[dict[str, Any]]:
    """Records, each linked to the one before."""
    found: list[dict[str, Any]] = []
    place = START
    for n in range(count):
        found.append(linked({"_id": f"aud_{n}", "what": "account.reveal", "extra": {"n": n, "é": None}}, place))
        place = Link(found[-1]["seq"], found[-1]["hash"])
    return found


def said(records: list[dict[str, Any]]) -> list[str]:
    """What is wrong with them."""
    chain = Chain()
    for each in records:
        chain.add(each)
    return list(chain.check())


def test_a_whole_chain_fits_together_in_any_order() -> None:
    records = chain_of(5)
    for order in (records, records[::-1], records[2:], [*records, records[1]]):
        assert said(order) == []
    chain = Chain()
    for each in (records[0], records[3], records[4]):
        chain.add(each)
    assert (list(chain.check()), chain.gaps, chain.end) == ([], 2, Link(5, records[4]["hash"]))
    assert (Chain().gaps, Chain().end) == (0, START)


@pytest.mark.parametrize("change", [{"what": "nothing"}, {"extra": {}}, {"added": 1}, {"seq": 2}, {"prev": "0" * 64}])
def test_a_changed_record_is_found(change: dict[str, Any]) -> None:
    records = chain_of(3)
    records[2] = {**records[2], **change}
    assert any("was changed after it was written" in each for each in said(records))


def test_a_record_that_was_rewritten_with_its_hash_does_not_fit_its_neighbour() -> None:
    records = chain_of(3)
    records[1] = linked({"_id": "aud_1", "what": "forged"}, Link(1, records[0]["hash"]))
    assert said(records) == ["record 3 does not follow record 2: one of them was put there later"]
    assert said([*chain_of(2), linked({"_id": "x"}, Link(1, chain_of(1)[0]["hash"]))]) == [
        "record 2 is there twice, with different content"
    ]


def test_what_has_no_place_and_a_false_beginning_are_said() -> None:
    assert said([{"_id": "aud_1"}]) == ["a record has no place in the chain"]
    assert said([linked({"_id": "aud_1"}, Link(0, "ab"))]) == ["record 1 follows another one"]


def test_an_export_is_read_by_service() -> None:
    lines = [{"service": "gateway", "record": each} for each in chain_of(2)]
    found = chains([*lines, {"service": "bundler", "record": chain_of(1)[0]}])
    assert {service: chain.end.seq for service, chain in found.items()} == {"gateway": 2, "bundler": 1}
    wrongs: tuple[dict[str, Any], ...] = ({"service": "gateway"}, {"record": {}}, {"service": 1, "record": {}})
    for wrong in wrongs:
        with pytest.raises(ValueError, match="line 3"):
            chains([*lines, wrong])
