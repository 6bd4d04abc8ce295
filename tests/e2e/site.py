"""A whole installation on real parts: broker, store, three services, one lab host with the packed agent installed."""

import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx

from agent.packaging.linux.build import build
from deploy.local.deployment import Deployment
from libs.client import models
from libs.client.client import Bounds, Client
from libs.client.people import Confirm
from libs.client.transport import trusting
from libs.wire.requests import Platform
from libs.wire.secret import Secret
from tests.lab.host import Host
from tests.lab.lab import Lab

T = TypeVar("T")
Door = Callable[[Deployment], AbstractContextManager[object]]
PERSON, PASSWORD = "ops", Secret("a-quite-long-password")
OLD = b"what-it-was-before"
FOLDER = "/srv/keyturn agent"
PATIENCE = 60.0
ONE = Bounds(uses=1, lifetime_seconds=3_600)
"""One machine, within the hour."""


def says_again(confirm: Confirm) -> None:
    """The person says again who they are, wherever the server wants it: stories last longer than five minutes."""
    confirm(PASSWORD, None)


@dataclass
class Site:
    """What stands, and short ways to it."""

    root: Path
    folder: Path
    lab: Lab
    server: Deployment
    client: Client
    host: Host

    def hangs_up(self) -> None:
        """The person's connection ends: a story may have put another one in the first one's place."""
        self.client.close()

    # ---- the host

    def shell(self, line: str, *, check: bool = True) -> str:
        """A line of shell in the package's folder on the host; its output."""
        done = self.host.run(["sh", "-c", f'cd "{FOLDER}" && {line}'], text=True, check=False, timeout=120)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def install(self, host: Host | None = None, *, start: bool = True) -> Path:
        """Builds a package, unzips and installs it on the host, and starts the agent; the package."""
        on = host or self.host
        built = self.package(f"{on.name}.zip")
        on.run(["mkdir", "-p", FOLDER])
        on.put(built, f"{FOLDER}/package.zip")
        lines = ("unzip -qo package.zip", "sh installAgent-service.sh install", "sh installAgent-service.sh start")
        for line in lines if start else lines[:-1]:
            done = on.run(["sh", "-c", f'cd "{FOLDER}" && {line}'], text=True, check=False, timeout=120)
            assert done.returncode == 0, done.stdout + done.stderr
        return built

    def package(self, name: str, bounds: Bounds = ONE) -> Path:
        """A package's zip."""
        port = int(self.server.gateway_url.rsplit(":", 1)[1])
        built = self.client.build_package(
            Platform.LINUX,
            PERSON,
            self.folder / name,
            server_name="keyturn",
            server_port=port,
            schedule_interval=5,
            bounds=bounds,
        )
        return built.path

    def agent(self, verb: str) -> None:
        """`systemctl VERB` of the agent on the host."""
        self.host.run(["systemctl", verb, "keyturn-agent.service"], timeout=60)

    def kill_agent(self) -> None:
        """Kill -9, and systemd does not start it again by itself."""
        self.host.run(["systemctl", "mask", "--runtime", "keyturn-agent.service"])
        self.host.run(["systemctl", "kill", "-s", "KILL", "keyturn-agent.service"], check=False)
        self.host.run(["systemctl", "stop", "keyturn-agent.service"], check=False)

    def revive_agent(self) -> None:
        self.host.run(["systemctl", "unmask", "--runtime", "keyturn-agent.service"])
        self.host.run(["systemctl", "daemon-reload"])
        self.agent("start")

    def agent_pid(self) -> int:
        """The number of the agent's main process on the host; 0 while there is none."""
        line = ["systemctl", "show", "--property", "MainPID", "--value", "keyturn-agent.service"]
        return int(self.host.run(line, text=True).stdout)

    def add_account(self, name: str, password: bytes | None = OLD, *, locked: bool = False) -> models.Account:
        """A new account on the host, as soon as it was discovered."""
        self.host.add_user(name, password, locked=locked)
        return until(lambda: self.find(name), f"the account {name}")

    # ---- a person

    def find(self, name: str, host: str | None = None) -> models.Account | None:
        """The account of this name."""
        where = host or self.host.name
        resource = next((each for each in self.client.resources() if each.name == where), None)
        if resource is None:
            return None
        return next((each for each in self.client.accounts(resource.id) if each.name == name), None)

    def account(self, account: models.Account) -> models.Account:
        """The account as it is now."""
        return self.client.account(account.id)

    def reset(self, account: models.Account, password: str | None = None, *, unlock: bool = False) -> models.Task:
        """The task of a reset that was just asked for."""
        secret = None if password is None else Secret(password)
        return self.client.reset(account.id, password=secret, unlock=unlock, note="").task

    def ends(self, task: models.Task, seconds: float = PATIENCE) -> models.Task:
        """The task once it is over."""
        ended = self.client.wait(task.id, seconds)
        assert not ended.open, ended
        return ended

    def resets(self, account: models.Account, password: str | None = None, *, unlock: bool = False) -> models.Task:
        """A reset, once it is over."""
        return self.ends(self.reset(account, password, unlock=unlock))

    def verifies(self, account: models.Account) -> models.Task:
        """A verify, once it is over."""
        return self.ends(self.client.verify(account.id).task)

    def revealed(self, account: models.Account) -> list[bytes]:
        """Every password that the vault shows, newest first."""
        return [each.password.reveal() for each in self.client.reveal(account.id, "a test")]

    def settles(self, account: models.Account, seconds: float = PATIENCE) -> models.Account:
        """The account, once nothing is in flight on it and its state is certain."""

        def look() -> models.Account | None:
            seen = self.account(account)
            return seen if seen.flight is None and seen.status in ("in_sync", "drift", "unmanaged") else None

        return until(look, f"{account.name} to settle", seconds)

    def http(self) -> httpx.Client:
        """Plain HTTPS to the gateway, without a session."""
        return httpx.Client(base_url=self.server.gateway_url, verify=trusting(self.server.ca_file), trust_env=False)

    def waits_for(self, service: str, part: str, words: str = "") -> bool | None:
        """Whether a service says at /readyz, in these words, that it waits for a part; None while it does not."""
        try:
            answer = httpx.get(f"{self.server.process(service).health_url}/readyz", trust_env=False)
        except httpx.TransportError:
            return None
        said = answer.json()["parts"][part]
        return (not said["ready"] and words in said["says"]) or None


def until(look: Callable[[], T | None], what: str, seconds: float = PATIENCE) -> T:
    """What `look` finds, as soon as it does. It rests for twice as long as a look took: an operator's command that is
    asked again and again would have a core for itself, which what is waited for needs.
    """
    ends = time.monotonic() + seconds
    while (began := time.monotonic()) < ends:
        if (found := look()) is not None:
            return found
        time.sleep(max(0.05, 2 * (time.monotonic() - began)))
    raise AssertionError(f"{what} did not come within {seconds:.0f} s")


@contextmanager
def site(root: Path, lab: Lab, name: str = "dmz-web-01", door: Door | None = None) -> Iterator[Site]:
    """An installation with one installed host; everything is gone afterwards.

    With a `door` the gateway listens on loopback alone, and the door leads the hosts to it.
    """
    runtime, _ = build(root, root / "build/release", None)
    folder = root / "build/tests" / f"e2e-{secrets.token_hex(4)}"
    folder.mkdir(parents=True, mode=0o700)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        server = Deployment(
            folder / "server",
            root=root,
            listen=("127.0.0.1:0",) if door else ("127.0.0.1:0", f"{lab.address}:0"),
            names=("keyturn", "localhost", "127.0.0.1", lab.address),
        )
        stack.enter_context(server)
        if door is not None:
            stack.enter_context(door(server))
        keys = str(server.keys)
        server.admin("runtime", "add", str(runtime), "--keys", keys, "--store-url", server.store.url)
        client = stack.enter_context(Client(server.gateway_url, authority=server.ca_file, again=says_again))
        client.set_up(server.setup_code(), PERSON, PASSWORD)
        host = lab.host(name)
        stack.callback(host.down)
        host.boot()
        made = Site(root, folder, lab, server, client, host)
        stack.callback(made.hangs_up)
        made.install()
        until(lambda: made.find("root"), "the resource")
        yield made
