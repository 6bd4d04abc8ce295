"""Hours in which a newer release may be taken."""

import pytest

from agent.config import ConfigError, parse_config
from agent.upgrade.window import ALL_DAY, Window
from tests.unit.agent.test_config import GOOD, PATH


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("22-5", {22, 23, 0, 1, 2, 3, 4}),
        ("9-17", set(range(9, 17))),
        ("0-24", set(range(24))),
        ("7-7", set(range(24))),
        ("23-24", {23}),
        ("24-1", {0}),
    ],
)
def test_a_window_is_open_in_its_hours(text: str, hours: set[int]) -> None:
    window = Window.parse(text)
    assert {hour for hour in range(24) if window.open(hour)} == hours


def test_the_settings_are_read() -> None:
    config = parse_config(f"{GOOD}Upgrade=Off\nUpgradeWindow=22-5\n".encode(), PATH)
    assert (config.upgrade, config.upgrade_window) == (False, Window(22, 5))
    config = parse_config(GOOD.encode(), PATH)
    assert (config.upgrade, config.upgrade_window) == (True, ALL_DAY)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Upgrade=yes", "on or off"),
        ("Upgrade=", "on or off"),
        ("UpgradeWindow=", "two hours of the day"),
        ("UpgradeWindow=22", "such as 22-5"),
        ("UpgradeWindow=22-25", "such as 22-5"),
        ("UpgradeWindow=22:00-05:00", "such as 22-5"),
    ],
)
def test_a_wrong_setting_is_named(line: str, says: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config(f"{GOOD}{line}\n".encode(), PATH)
    assert "line 3" in str(raised.value)
    assert says in str(raised.value)
