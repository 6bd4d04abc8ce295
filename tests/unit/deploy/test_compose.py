"""The compose file says what the code needs: variables, ports, commands, keys and health checks are held against it."""

import importlib.util
import re
import tomllib
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import typer
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic_settings import BaseSettings

from deploy.admin import layout
from deploy.admin.app import app
from deploy.admin.keys import public_pem
from libs.service.health import Health, HealthServer
from libs.service.settings import PREFIX
from libs.store.schema import ADMINISTRATOR
from libs.telemetry.metrics import Metrics
from services.api.settings import WILDCARDS
from services.api.settings import Settings as GatewaySettings
from services.bundler.settings import Settings as BundlerSettings
from services.scheduler.settings import Settings as SchedulerSettings

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
SETTINGS: dict[str, type[BaseSettings]] = {
    "gateway": GatewaySettings,
    "scheduler": SchedulerSettings,
    "bundler": BundlerSettings,
}
ONE_SHOT = ("init", "store-setup", "runtime")
PUBLISHED = 7272
DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")

Compose = dict[str, Any]


@pytest.fixture(scope="module")
def compose() -> Compose:
    return dict(yaml.safe_load((DEPLOY / "docker-compose.yml").read_text()))


@pytest.fixture(params=sorted(SETTINGS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def plain(text: str) -> str:
    """The text with each variable's default in its place."""
    return DEFAULT.sub(r"\1", text)


def environment(compose: Compose, name: str) -> dict[str, str]:
    return {key: plain(value) for key, value in compose["services"][name]["environment"].items()}


def mounts(compose: Compose, name: str) -> dict[str, tuple[str, bool]]:
    """By the place inside: the place outside, and whether it may be written."""
    found = {}
    for each in compose["services"][name]["volumes"]:
        outside, inside, *mode = plain(each).split(":")
        found[inside] = (outside, mode != ["ro"])
    return found


def health_server() -> HealthServer:
    return HealthServer(Health(), Metrics("gateway", "0"), "127.0.0.1", 0)


def parsed(words: list[str]) -> dict[str, Any]:
    """What `keyturn-server` makes of these words; it refuses those that are none of its own."""
    command: Any = typer.main.get_command(app)
    rest = words[1:]
    while hasattr(command, "resolve_command"):
        verb, command, rest = command.resolve_command(None, rest)
    return dict(command.make_context(verb, rest).params)


def test_every_variable_is_a_setting_and_every_required_setting_is_given(compose: Compose, name: str) -> None:
    given = {key.removeprefix(PREFIX).lower() for key in environment(compose, name)}
    fields = SETTINGS[name].model_fields
    assert all(key.startswith(PREFIX) for key in environment(compose, name))
    assert given <= fields.keys()
    assert {field for field, info in fields.items() if info.is_required()} <= given


def test_the_values_are_ones_that_the_code_takes(
    compose: Compose, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in environment(compose, name).items():
        monkeypatch.setenv(key, value)
    for key in ("PRIVATE", "PUBLIC"):
        monkeypatch.setenv(PREFIX + key, str(tmp_path))
    told = SETTINGS[name]().model_dump()
    assert told["health_port"] == int(environment(compose, name)["KEYTURN_HEALTH_PORT"])
    assert told["health_host"] in WILDCARDS, "Prometheus asks from another container"


def test_store_and_broker_are_where_the_addresses_say(compose: Compose, name: str) -> None:
    store = urlsplit(environment(compose, name)["KEYTURN_STORE_URL"])
    broker = urlsplit(environment(compose, name)["KEYTURN_BROKER_URL"])
    assert (store.hostname, store.port) == ("store", 27017)
    assert (broker.hostname, broker.port) == ("broker", 5672)
    (replica_set,) = parse_qs(store.query)["replicaSet"]
    assert f"--replSet {replica_set} " in compose["services"]["store"]["command"][-1]
    assert f"_id: '{replica_set}'" in compose["services"]["store"]["healthcheck"]["test"][-1]
    for one_shot in ("store-setup", "runtime"):
        assert parsed(compose["services"][one_shot]["command"])["store_url"] == store.geturl()


def test_each_command_is_a_module_that_exists(compose: Compose, name: str) -> None:
    python, option, module = compose["services"][name]["command"]
    assert (python, option) == ("python", "-m")
    assert importlib.util.find_spec(f"{module}.__main__") is not None


def test_each_one_shot_is_a_command_that_the_operator_has(compose: Compose) -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts["keyturn-server"] == "deploy.admin.app:main"
    for one_shot in ONE_SHOT:
        words = compose["services"][one_shot]["command"]
        assert words[0] == "keyturn-server"
        assert parsed(words)


def test_init_makes_each_file_that_is_mounted(compose: Compose, tmp_path: Path) -> None:
    """Run as it stands in the file, with the folder of keys and the release of this test."""
    release = tmp_path / "release.pem"
    release.write_bytes(public_pem(Ed25519PrivateKey.generate().public_key()))
    places = {"/keys": str(tmp_path), "/release.pem": str(release)}
    assert mounts(compose, "init").keys() == places.keys()
    keys = mounts(compose, "init")["/keys"][0]
    words = [
        next((word.replace(inside, outside) for inside, outside in places.items() if word.startswith(inside)), word)
        for word in compose["services"]["init"]["command"]
    ]
    typer.main.get_command(app).main(args=words[1:], standalone_mode=False)
    outside = [place for each in compose["services"] if each != "init" for place, _ in mounts(compose, each).values()]
    outside += [plain(each["file"]) for each in compose["secrets"].values()]
    needed = [each.replace(keys, str(tmp_path)) for each in outside if each.startswith(keys)]
    assert len(needed) >= len(SETTINGS)
    assert [each for each in needed if not Path(each).exists()] == []
    for one_shot in ("store-setup", "runtime"):
        inside = str(parsed(compose["services"][one_shot]["command"])["keys"])
        place, writable = mounts(compose, one_shot)[inside]
        assert Path(place.replace(keys, str(tmp_path)), layout.ADMIN, layout.STORE_PASSWORD).is_file()
        assert not writable


def test_each_health_check_asks_the_services_own_port_for_what_it_serves(compose: Compose, name: str) -> None:
    asked = re.search(r"http://127\.0\.0\.1:(\d+)(/\w+)", compose["services"][name]["healthcheck"]["test"][-1])
    assert asked is not None
    assert asked[1] == environment(compose, name)["KEYTURN_HEALTH_PORT"]
    assert asked[2] == "/readyz"
    assert health_server()._answer("GET", asked[2])[0] is HTTPStatus.OK


def test_prometheus_scrapes_each_service_where_its_metrics_are(compose: Compose) -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    targets = {target: each["labels"]["service"] for each in job["static_configs"] for target in each["targets"]}
    assert targets == {f"{each}:{environment(compose, each)['KEYTURN_HEALTH_PORT']}": each for each in SETTINGS}
    path = job.get("metrics_path", "/metrics")
    assert health_server()._answer("GET", path)[0] is HTTPStatus.OK
    assert mounts(compose, "prometheus")["/etc/prometheus/prometheus.yml"] == ("./prometheus/prometheus.yml", False)


def test_each_service_sees_its_own_keys_and_the_public_ones_only(compose: Compose, name: str) -> None:
    keys = mounts(compose, "init")["/keys"][0]
    told = environment(compose, name)
    seen = mounts(compose, name)
    if name == "scheduler":
        # Its witness lies in a volume of its own, where no backup of the store reaches.
        assert seen.pop(str(Path(told["KEYTURN_WITNESS"]).parent)) == ("witness", True)
    # The gateway alone writes there: its certificate, and the first set-up code.
    assert seen == {
        told["KEYTURN_PRIVATE"]: (f"{keys}/made/{name}", name == "gateway"),
        told["KEYTURN_PUBLIC"]: (f"{keys}/made/{layout.PUBLIC}", False),
    }


def test_store_and_broker_read_their_users_where_they_are_put(compose: Compose) -> None:
    store, broker = compose["services"]["store"], compose["services"]["broker"]
    assert store["environment"]["MONGO_INITDB_ROOT_USERNAME"] == ADMINISTRATOR
    copy = store["environment"]["MONGO_INITDB_ROOT_PASSWORD_FILE"]
    assert store["secrets"] == ["store_password"]
    assert f"-o mongodb -g mongodb /run/secrets/store_password {copy} " in store["command"][-1]
    assert str(Path(copy).parent) in store["tmpfs"]
    given = next(inside for inside, (place, _) in mounts(compose, "broker").items() if place.endswith(".json"))
    config = (DEPLOY / "rabbitmq.conf").read_text()
    loaded = re.search(r"^load_definitions = (\S+)$", config, re.MULTILINE)
    assert loaded is not None
    assert f"-o rabbitmq -g rabbitmq {given} {loaded[1]} " in broker["command"][-1]
    assert "./rabbitmq.conf" in {place for place, _ in mounts(compose, "broker").values()}


def test_only_the_gateways_one_port_is_open_to_the_outside(compose: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    published = {name: each["ports"] for name, each in compose["services"].items() if "ports" in each}
    assert published == {"gateway": [f"{PUBLISHED}:{PUBLISHED}"]}
    for key, value in environment(compose, "gateway").items():
        monkeypatch.setenv(key, "." if key.endswith(("PRIVATE", "PUBLIC")) else value)
    told = GatewaySettings()
    assert [address.port for address in told.listen] == [PUBLISHED]
    assert {address.host for address in told.listen} <= set(WILDCARDS)
    assert told.names, "a certificate needs a name that people and agents can reach"
    reaching_out = [
        name
        for name, each in compose["services"].items()
        if each.get("network_mode") != "none" and each["networks"] != ["inside"]
    ]
    assert reaching_out == ["gateway"]
    assert compose["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("process", [*SETTINGS, *ONE_SHOT])
def test_each_process_of_ours_runs_bounded(compose: Compose, process: str) -> None:
    service = compose["services"][process]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - the container's own
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["build"]["dockerfile"] == "deploy/Dockerfile"
    lock = service["build"]["args"]["SERVICE"]
    assert lock == (process if process in SETTINGS else layout.ADMIN)
    assert (ROOT / "requirements" / f"{lock}.txt").is_file()


def test_an_image_takes_hashed_packages_and_never_a_key() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    assert "FROM python:3.11-slim" in lines
    assert lines[-1] == "USER 10001:10001"
    installs = [line for line in lines if "pip install" in line]
    assert [line for line in installs if "--require-hashes" not in line and "--no-deps" not in line] == []
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert ignored[1] == "*", "everything is left out but what is named"
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    assert {word.replace("${SERVICE}", "*") for word in copied} == allowed
    assert [word for word in copied if "$" not in word and not (ROOT / word).exists()] == []
