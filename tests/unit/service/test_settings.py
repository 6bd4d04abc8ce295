"""Each wrong value is named in a line of its own, and no secret comes in by a variable."""

from pathlib import Path

import pytest

from libs.service.settings import Settings, SettingsError, read_secret


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in ("private", "public"):
        (tmp_path / name).mkdir()
    given = {
        "KEYTURN_PRIVATE": str(tmp_path / "private"),
        "KEYTURN_PUBLIC": str(tmp_path / "public"),
        "KEYTURN_STORE_URL": "mongodb://127.0.0.1:27017/?retryWrites=false",
        "KEYTURN_BROKER_URL": "amqp://127.0.0.1:5672/",
        "KEYTURN_HEALTH_PORT": "9100",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


def secret_file(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.usefixtures("environment")
def test_the_defaults_are_modest() -> None:
    settings = Settings.load()
    assert (settings.health_host, settings.health_port, settings.log_level) == ("127.0.0.1", 9_100, "info")


@pytest.mark.usefixtures("environment")
def test_every_wrong_value_has_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYTURN_PRIVATE", "/nowhere/at/all")
    monkeypatch.setenv("KEYTURN_STORE_URL", "mongodb://me:hush-hush@127.0.0.1/")
    monkeypatch.setenv("KEYTURN_BROKER_URL", "http://127.0.0.1/")
    monkeypatch.setenv("KEYTURN_HEALTH_PORT", "99999")
    monkeypatch.setenv("KEYTURN_LOG_LEVEL", "loud")
    monkeypatch.delenv("KEYTURN_PUBLIC")
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    lines = caught.value.lines
    for name in ("PRIVATE", "PUBLIC", "STORE_URL", "BROKER_URL", "HEALTH_PORT", "LOG_LEVEL"):
        assert len([line for line in lines if line.startswith(f"KEYTURN_{name}")]) == 1
    assert len(lines) == 6
    assert "KEYTURN_PUBLIC is not set" in lines
    assert all("\n" not in line for line in lines)
    assert "hush-hush" not in str(caught.value)


def test_the_broker_gets_its_password_from_the_file(environment: dict[str, str]) -> None:
    secret_file(Path(environment["KEYTURN_PRIVATE"]) / "broker_password", b"a/b@c:d\n")
    settings = Settings.load()
    assert settings.broker_address("gateway") == "amqp://gateway:a%2Fb%40c%3Ad@127.0.0.1:5672/"
    assert "a/b" not in repr(settings)


def test_a_secret_loses_its_line_end_only(tmp_path: Path) -> None:
    assert read_secret(secret_file(tmp_path / "one", b" pass word \r\n")).reveal() == b" pass word "


@pytest.mark.parametrize(
    ("content", "mode", "word"),
    [(b"", 0o600, "1 to"), (b"\n", 0o600, "1 to"), (b"a" * 5_000, 0o600, "1 to"), (b"open", 0o644, "chmod o-rwx")],
)
def test_a_secret_that_is_none_is_refused(tmp_path: Path, content: bytes, mode: int, word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        read_secret(secret_file(tmp_path / "one", content, mode))


def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="store_password: No such file"):
        read_secret(tmp_path / "store_password")
