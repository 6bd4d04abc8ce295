"""The compose file says what the code needs: its variables, ports, commands and health checks are held against it."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from libs.service.settings import PREFIX
from services.api.settings import Settings as GatewaySettings
from services.bundler.settings import Settings as BundlerSettings
from services.scheduler.settings import Settings as SchedulerSettings

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
SETTINGS: dict[str, type[BaseSettings]] = {
    "gateway": GatewaySettings,
    "scheduler": SchedulerSettings,
    "bundler": BundlerSettings,
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "docker-compose.yml").read_text()))


@pytest.fixture(params=sorted(SETTINGS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_variable_is_a_setting_and_every_required_setting_is_given(compose: dict[str, Any], name: str) -> None:
    given = {key.removeprefix(PREFIX).lower() for key in compose["services"][name]["environment"]}
    fields = SETTINGS[name].model_fields
    assert given <= fields.keys()
    assert {field for field, info in fields.items() if info.is_required()} <= given


def test_the_values_are_ones_that_the_code_takes(
    compose: dict[str, Any], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in compose["services"][name]["environment"].items():
        default = re.fullmatch(r"\$\{\w+:-(.*)\}", value)
        monkeypatch.setenv(key, default[1] if default else value)
    for key in ("PRIVATE", "PUBLIC"):
        monkeypatch.setenv(PREFIX + key, str(tmp_path))
    settings = SETTINGS[name]()
    health = compose["services"][name]["environment"]["KEYTURN_HEALTH_PORT"]
    assert settings.model_dump()["health_port"] == int(health)


def test_each_command_is_a_module_that_exists(compose: dict[str, Any], name: str) -> None:
    python, option, module = compose["services"][name]["command"]
    assert (python, option) == ("python", "-m")
    assert importlib.util.find_spec(f"{module}.__main__") is not None


def test_each_health_check_asks_the_services_own_port(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    port = service["environment"]["KEYTURN_HEALTH_PORT"]
    assert f"127.0.0.1:{port}/readyz" in service["healthcheck"]["test"][-1]


def test_prometheus_scrapes_each_service_where_its_metrics_are(compose: dict[str, Any]) -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    targets = {target for each in job["static_configs"] for target in each["targets"]}
    wanted = {f"{name}:{compose['services'][name]['environment']['KEYTURN_HEALTH_PORT']}" for name in SETTINGS}
    assert targets == wanted


def test_each_service_sees_its_own_keys_and_the_public_ones_only(compose: dict[str, Any], name: str) -> None:
    mounts = [mount.split("/made/")[1] for mount in compose["services"][name]["volumes"]]
    assert {mount.split(":")[0] for mount in mounts} == {name, "public"}
    assert next(mount for mount in mounts if mount.startswith("public")).endswith(":ro")


def test_only_the_gateways_one_port_is_open_to_the_outside(compose: dict[str, Any]) -> None:
    published = {name: each["ports"] for name, each in compose["services"].items() if "ports" in each}
    assert published == {"gateway": ["7272:7272"], "prometheus": ["127.0.0.1:9090:9090"]}


def test_each_service_runs_bounded(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    lock = service["build"]["args"]["SERVICE"]
    assert (DEPLOY.parent / "requirements" / f"{lock}.txt").is_file()
