"""What the gateway is told from outside."""

from pathlib import Path

import pytest

from libs.service.settings import SettingsError
from services.api.agent_door.tokens import load_secrets
from services.api.settings import Address, Settings

LOOPBACK = "0000:0000:0000:0000:0000:0000:0000:0001"


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in {
        "PRIVATE": str(tmp_path),
        "PUBLIC": str(tmp_path),
        "STORE_URL": "mongodb://localhost:1/",
        "BROKER_URL": "amqp://localhost:1/",
        "HEALTH_PORT": "0",
    }.items():
        monkeypatch.setenv(f"KEYTURN_{name}", value)
    return monkeypatch


def test_it_listens_on_loopback_unless_told_otherwise(environment: pytest.MonkeyPatch) -> None:
    assert Settings.load().listen == (Address("127.0.0.1", 7272),)
    assert Settings.load().certificate_names == ("127.0.0.1",)
    environment.setenv("KEYTURN_LISTEN", "127.0.0.1:7272, [::1]:0,0.0.0.0:1")
    environment.setenv("KEYTURN_NAMES", "keyturn, 127.0.0.1 ,localhost")
    settings = Settings.load()
    assert settings.listen == (Address("127.0.0.1", 7272), Address(LOOPBACK, 0), Address("0.0.0.0", 1))
    assert settings.certificate_names == ("127.0.0.1", LOOPBACK, "keyturn", "localhost")


def test_a_wildcard_alone_is_good_for_localhost(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("KEYTURN_LISTEN", "0.0.0.0:7272")
    assert Settings.load().certificate_names == ("localhost",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LISTEN", "7272"),
        ("LISTEN", ":1"),
        ("LISTEN", "a:65536"),
        ("LISTEN", "a:b"),
        ("LISTEN", "a b:1"),
        ("NAMES", "a b"),
        ("NAMES", "-a"),
    ],
)
def test_a_wrong_value_is_named(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(f"KEYTURN_{name}", value)
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    assert refused.value.lines[0].startswith(f"KEYTURN_{name}")


@pytest.mark.parametrize("content", ["", "\n", "00" * 31, "xy" * 32])
def test_a_session_secret_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "s").write_text(content)
    with pytest.raises(ValueError, match=r"hexadecimal"):
        load_secrets(tmp_path / "s")
