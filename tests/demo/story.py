"""The demo's steps: each does for real what a person would do, by the client, the package and the host's shell."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from agent.packaging.linux.build import build
from deploy.local.deployment import Deployment
from libs.client import models
from libs.client.client import BuiltPackage, Client
from libs.wire.requests import Platform
from libs.wire.secret import Secret
from tests.demo.screen import Screen
from tests.demo.timing import parts
from tests.lab.host import Host
from tests.lab.lab import Lab

T = TypeVar("T")

PERSON, HOST, ACCOUNT = "ops", "dmz-web-01", "deploy"
OLD = b"what-it-was-before"
PATIENCE = 60.0
BOUND = 2.0
"""Seconds from save to proven on a held poll, at most."""


class StoryError(Exception):
    """A step did not end as it should; the sentence says how it did."""


@dataclass
class Story:
    """One run: what stands so far."""

    root: Path
    folder: Path
    screen: Screen
    timings: dict[str, float] = field(default_factory=dict)

    # ---- the machine's side

    def runtime(self) -> Path:
        """The packed agent, built or found built."""
        with self.screen.step("runtime", "Pack the agent into one folder that needs no Python on its host"):
            path, fresh = build(self.root, self.root / "build/release", None)
            self.screen.say(f"{path.name}, {path.stat().st_size / 1e6:.1f} MB, {'built' if fresh else 'unchanged'}")
        return path

    def boot(self, lab: Lab) -> Host:
        """A server that lets nothing in."""
        with self.screen.step("boot", f"Boot {HOST}: own systemd, own accounts, a firewall that lets nothing in"):
            host = lab.host(HOST)
            host.boot()
            host.run(["chpasswd"], input=b"root:" + OLD + b"\n")
            host.add_user(ACCOUNT, OLD)
            host.add_user("svc-backup", b"another-old-one", shell="/usr/sbin/nologin")
            host.add_user("intern", b"left-last-year", locked=True)
            host.add_user("kiosk")  # nobody ever gave it a password
            self.screen.say(f"it has the address {host.address}, and can call {lab.address} only")
        return host

    def server(self, lab: Lab, runtime: Path) -> Deployment:
        """RabbitMQ, the store and the three services, started; who calls this stops it."""
        deployment = Deployment(
            self.folder / "server",
            root=self.root,
            listen=("127.0.0.1:0", f"{lab.address}:0"),
            names=("keyturn", "localhost", "127.0.0.1", lab.address),
            prefer_port=7272,
        )
        with self.screen.step("server", "Start RabbitMQ, the store, and gateway, scheduler, bundler as processes"):
            deployment.start()
            try:
                self._publish(deployment, runtime)
            except BaseException:
                deployment.stop()
                raise
            self.screen.say(f"people and agents call {deployment.gateway_url}")
        return deployment

    def _publish(self, deployment: Deployment, runtime: Path) -> None:
        keys = str(deployment.keys)
        deployment.admin("runtime", "add", str(runtime), "--keys", keys, "--store-url", deployment.store.url)

    # ---- a person's side

    def sign_in(self, deployment: Deployment) -> tuple[Client, Secret]:
        """The first administrator, by the first-run code."""
        password = Secret(secrets.token_urlsafe(18))
        with self.screen.step("sign in", f"Make {PERSON} the first administrator, by the code of the first start"):
            client = Client(deployment.gateway_url, authority=deployment.ca_file)
            client.set_up(deployment.setup_code(), PERSON, password)
        return client, password

    def package(self, client: Client, deployment: Deployment) -> BuiltPackage:
        """The zip for this server, downloaded."""
        port = int(deployment.gateway_url.rsplit(":", 1)[1])
        with self.screen.step("package", "Build and download the package for Linux: nothing in it needs editing"):
            target = self.folder / "keyturn-agent-linux.zip"
            built = client.build_package(
                Platform.LINUX, PERSON, target, server_name="keyturn", server_port=port, schedule_interval=60
            )
            self.screen.say(f"{built.size / 1e6:.1f} MB, SHA-256 {built.sha256[:32]}…")
        return built

    def install(self, host: Host, built: BuiltPackage) -> None:
        """Unzipped and installed on the host by its own shell."""
        with self.screen.step("install", f"Install it on {HOST}, as its administrator would"):
            host.run(["mkdir", "-p", "/srv/keyturn agent"])
            host.put(built.path, "/srv/keyturn agent/package.zip")
            self._shell(host, "unzip -q package.zip")
            self._shell(host, "sh installAgent-service.sh install")
            self._shell(host, "sh installAgent-service.sh start")

    def _shell(self, host: Host, line: str) -> None:
        self.screen.command(line)
        done = host.run(["sh", "-c", f'cd "/srv/keyturn agent" && {line}'], text=True, check=False, timeout=120)
        self.screen.say(*(done.stdout + done.stderr).splitlines())
        if done.returncode:
            raise StoryError(f"on {HOST}: {line} ended with status {done.returncode}")

    def discover(self, client: Client) -> models.Account:
        """The resource and its accounts, as they appear."""
        with self.screen.step("discover", f"See the machine appear under {PERSON}, with its accounts"):
            resource = _until(lambda: next(iter(client.resources()), None), "the resource")
            accounts = _until(lambda: _with_account(client.accounts(resource.id)), "its accounts")
            shown = [a for a in accounts if "system" not in a.kinds or a.name == "root"]
            self.screen.table(
                ("account", "state", "kind", "what is known"),
                [(a.name, a.status, ", ".join(kind.replace("_", " ") for kind in a.kinds), a.sentence) for a in shown],
            )
            self.screen.say(f"and {len(accounts) - len(shown)} system accounts; the resource is {resource.name}")
        return next(a for a in accounts if a.name == ACCOUNT)

    def change(self, client: Client, host: Host, account: models.Account, new: Secret) -> None:
        """The password, changed and proven, with the parts of the time."""
        with self.screen.step("change", f"Change the password of {HOST}/{ACCOUNT}, and see it proven"):
            began = time.monotonic()
            task = client.reset(account.id, password=new, unlock=False, note="the demo").task
            ended = client.wait(task.id, PATIENCE)
            whole = time.monotonic() - began
            if ended.state != "done":
                raise StoryError(f"the reset ended as {ended.state}: {ended.sentence}")
            self.screen.say(ended.sentence)
            self.timings = parts(ended, client, host)
            told = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in self.timings.items())
            self.timings["from save to proven"] = round(whole, 3)
            judged = (
                "below the 2 s that we promise" if whole < BOUND else "above the 2 s that we promise: a busy machine?"
            )
            self.screen.say(f"from save to proven {whole:.2f} s, {judged}", f"of which {told}")

    def verify(self, client: Client, account: models.Account) -> None:
        """Verified, without a log-in."""
        with self.screen.step("verify", "Verify it: the agent compares, and nobody is logged in"):
            ended = client.wait(client.verify(account.id).task.id, PATIENCE)
            if ended.opens is not True:
                raise StoryError(f"the verify ended as {ended.state}: {ended.sentence}")
            self.screen.say(ended.sentence)

    def reveal(self, client: Client, account: models.Account, new: Secret) -> None:
        """Revealed to a key of this process."""
        with self.screen.step("reveal", "Reveal it, sealed to a key that was made for this one request"):
            found = client.reveal(account.id, "the demo shows a reveal")
            if [each.password for each in found] != [new]:
                raise StoryError("the vault does not show the password that was set")
            self.screen.say("the vault shows exactly the password that was typed")

    def prove(self, host: Host, new: Secret) -> None:
        """The host's own shadow file, asked without any of the agent's code."""
        with self.screen.step("prove", f"Ask {HOST}'s own shadow file, by the C library and without the agent's code"):
            opens, opened = host.opens(ACCOUNT, new.reveal()), host.opens(ACCOUNT, OLD)
            if not opens or opened:
                raise StoryError("the shadow file says otherwise")
            self.screen.say("the new password opens the account, the old one does not")

    def looks(self, client: Client) -> None:
        """The bell."""
        with self.screen.step("notifications", "Look at the bell"):
            bell = client.notifications()
            self.screen.say(f"{bell.resets} reset, {bell.verifies} verify; {bell.waiting} wait for their agents")


def _until(look: Callable[[], T | None], what: str) -> T:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        if (found := look()) is not None:
            return found
        time.sleep(0.05)
    raise StoryError(f"{what} did not appear within {PATIENCE:.0f} s")


def _with_account(found: list[models.Account]) -> list[models.Account] | None:
    return found if any(each.name == ACCOUNT for each in found) else None
