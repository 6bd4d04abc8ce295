"""The rules hold in every state of the small settings, and each weaker rule is caught. `make prove` walks the rest."""

import pytest

from tests.model.checker.explore import Setting, explore
from tests.model.checker.settings import SETTINGS_SMALL
from tests.model.checker.variants import VARIANTS

MILLION = 1_000_000


def named(setting: Setting) -> str:
    return setting.name


@pytest.mark.parametrize("setting", SETTINGS_SMALL, ids=named)
def test_the_rules_hold(setting: Setting) -> None:
    outcome = explore(setting, MILLION)
    print(f"{setting.name}: {outcome.states:,} states in {outcome.seconds:.1f} s")
    assert str(outcome.violation or "") == ""
    assert outcome.whole


@pytest.mark.parametrize("variant", VARIANTS, ids=named)
def test_a_weaker_rule_is_caught(variant: Setting) -> None:
    outcome = explore(variant, MILLION)
    assert outcome.violation is not None, f"{outcome.states:,} states, and nothing found"
    print(f"{variant.name}: {outcome.violation}")
    assert outcome.violation.way
