"""A fixed sample of the experiments, with at least one of each kind. `make faults` runs all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.faults.catalogue import all_experiments, sample
from tests.e2e.faults.experiment import Experiment
from tests.e2e.faults.ground import ground
from tests.e2e.faults.runs import Runs
from tests.lab.lab import Lab

pytestmark = [pytest.mark.real, pytest.mark.host]

SAMPLE, SEED = 25, 5


@pytest.fixture(scope="module")
def runs(root: Path, lab: Lab) -> Iterator[Runs]:
    """One ground for all of them."""
    with ground(root, lab) as on:
        yield Runs(on)


@pytest.mark.parametrize("experiment", sample(SAMPLE, SEED), ids=lambda each: each.name)
def test_nothing_is_lost_untrue_or_stuck_after(runs: Runs, experiment: Experiment) -> None:
    outcome = runs.run(experiment)
    assert outcome.good, outcome.sentence


def test_the_sample_has_every_kind() -> None:
    assert {each.fault for each in sample(SAMPLE, SEED)} == {each.fault for each in all_experiments()}
