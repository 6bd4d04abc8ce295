"""The one installation that all experiments share, and how it is healed.

Between agent and gateway, and between each service and its broker and store, lies a wire that can be cut. Each process
has a failpoint. An agent may be silent with a job for three seconds only, so that nobody waits for two minutes.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from deploy.local.deployment import Deployment
from deploy.local.errors import StartError
from deploy.local.parts import Part
from libs.client.client import Client
from libs.client.errors import ClientError
from tests.e2e.faults.failpoints import Failpoint, OnHost, OnServer
from tests.e2e.faults.front import Front
from tests.e2e.faults.wires import Wire
from tests.e2e.hunt import store_of
from tests.e2e.site import Site, says_again, site
from tests.lab.lab import Lab

LEASE_SECONDS = 3.0
SILENCE_SECONDS = LEASE_SECONDS + 1.0
"""How long a stopped process is silent: longer than an agent may be with a job."""

SERVICES = ("gateway", "scheduler", "bundler")
AGENT = "agent"
WIRED = ("gateway", "scheduler")


class Ground:
    """What experiments break."""

    def __init__(self, stack: ExitStack, running: Site, door: Wire) -> None:
        self.site = running
        self.wires: dict[str, Wire] = {AGENT: door}
        self.undo: list[Callable[[], None]] = []
        self.failpoints: dict[str, Failpoint] = {}
        self.store: MongoClient[dict[str, Any]] = stack.enter_context(store_of(running.server))
        keys = running.server.keys / "gateway"
        self.front = stack.enter_context(Front(door.target, keys / "tls.pem", keys / "tls.key", running.server.ca_file))
        self._door = door.target
        self._wire(stack)
        self._on_host = OnHost(running)
        self._on_host.install()
        self.failpoints[AGENT] = self._on_host

    def _wire(self, stack: ExitStack) -> None:
        server = self.site.server
        # Without the last option the store tells its clients its own address, and they go there past the wire.
        scheme = {"store": f"{server.store.url}&directConnection=true", "broker": server.broker.address}
        for name in SERVICES:
            failpoint = OnServer(self.site.folder / f"failpoint-{name}")
            self.failpoints[name] = failpoint
            service = server.process(name)
            service.settings |= failpoint.setting
            for part, port in (("store", server.store.port), ("broker", server.broker.port)):
                if name in WIRED:
                    wire = stack.enter_context(Wire(f"{name}-{part}", ("127.0.0.1", port)))
                    self.wires[wire.name] = wire
                    address = scheme[part].replace(f":{port}/", f":{wire.address[1]}/")
                    service.settings[f"KEYTURN_{part.upper()}_URL"] = address
        server.process("scheduler").settings |= {
            "KEYTURN_LEASE_MS": str(int(LEASE_SECONDS * 1_000)),
            "KEYTURN_REVEALS_PER_PERSON": "100000",
            "KEYTURN_REVEALS_FOR_ALL": "1000000",
        }
        server.process("gateway").settings["KEYTURN_REQUESTS_PER_MINUTE"] = "1000000"
        for name in SERVICES:
            server.process(name).restart()

    # ---- people

    def connect(self) -> Client:
        """A connection of its own, with the person's session."""
        server = self.site.server
        return Client(server.gateway_url, authority=server.ca_file, token=self.site.client.token, again=says_again)

    # ---- processes

    def part(self, name: str) -> Part:
        """A process of the server."""
        server = self.site.server
        parts: dict[str, Part] = {"broker": server.broker, "store": server.store}
        return parts[name] if name in parts else server.process(name)

    def arm(self, process: str, step: str, action: str) -> None:
        """Says what happens to a process at its next passing of a step."""
        self.failpoints[process].arm(f"{step} {action}")

    def reached(self, process: str, seconds: float = 20.0) -> bool:
        """Waits until the armed step was reached; whether it was."""
        ends = time.monotonic() + seconds
        while self.failpoints[process].is_armed():
            if time.monotonic() > ends:
                return False
            time.sleep(0.02)
        return True

    def resume(self, process: str) -> None:
        """Lets a stopped process go on."""
        if process != AGENT:
            self.part(process).resume()
        elif (pid := self.site.agent_pid()) != 0:
            self.site.host.run(["kill", "-CONT", str(pid)], check=False)

    def kill(self, process: str) -> None:
        """Kill -9. The agent is started again by its host at once."""
        if process != AGENT:
            self.part(process).kill()
        else:
            self.site.host.run(["systemctl", "kill", "-s", "KILL", "keyturn-agent.service"], check=False)

    def pause(self, process: str) -> None:
        """Stops a process without its knowledge."""
        if process != AGENT:
            self.part(process).pause()
        else:
            self.site.host.run(["kill", "-STOP", str(self.site.agent_pid())])

    # ---- healing

    def heal(self) -> None:
        """Everything is as it should be, as soon as this returns: nothing stopped, nothing dead, nothing in the way."""
        for failpoint in self.failpoints.values():
            failpoint.disarm()
        while self.undo:
            self.undo.pop()()
        for wire in self.wires.values():
            wire.heal()
        self._lead_agents_to(self._door)
        self._revive()
        if not self.site.host.is_on:
            self.site.host.boot()
        self.resume(AGENT)

    def _revive(self) -> None:
        for name in ("store", "broker"):
            part = self.part(name)
            part.resume()
            if not part.alive:
                part.restart()
        services = [self.site.server.process(name) for name in SERVICES]
        for service in services:
            service.resume()
            if not service.alive:
                service.launch()
        for service in services:
            self._until_ready(service.name)

    def supervise(self) -> None:
        """Starts again what has ended by itself, as the supervisor of an installation does."""
        for name in SERVICES:
            if not self.part(name).alive:
                self._until_ready(name)

    def _until_ready(self, name: str) -> None:
        """A service that ended of itself meanwhile is started again, as its supervisor would."""
        service = self.site.server.process(name)
        ends = time.monotonic() + 60
        while True:
            try:
                service.wait_until_ready(max(1.0, ends - time.monotonic()))
            except StartError:
                if service.alive or time.monotonic() > ends:
                    raise
                service.launch()
            else:
                return

    def through_front(self, rule: Callable[[str], str]) -> None:
        """Agents meet a reverse proxy instead of the gateway."""
        self.front.rule = rule
        self.front.answered.clear()
        self._lead_agents_to(self.front.address)

    def _lead_agents_to(self, target: tuple[str, int]) -> None:
        door = self.wires[AGENT]
        if door.target != target:
            door.target = target
            door.reset()

    def answers(self) -> bool:
        """Whether a person gets an answer."""
        try:
            with self.connect() as client:
                client.who()
        except ClientError:
            return False
        return True


@contextmanager
def ground(root: Path, lab: Lab) -> Iterator[Ground]:
    """An installation to break; everything is gone afterwards."""
    with ExitStack() as stack:
        doors: list[Wire] = []

        def door(server: Deployment) -> AbstractContextManager[object]:
            port = server.listen[0].port
            doors.append(Wire(AGENT, ("127.0.0.1", port), (lab.address, port)))
            return doors[0]

        running = stack.enter_context(site(root, lab, "faults-01", door))
        yield Ground(stack, running, doors[0])
