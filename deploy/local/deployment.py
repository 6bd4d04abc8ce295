"""The embedded default as one object: broker, store and the three services below one state folder.

    STATE/lock            held by the supervisor and by every keeper: a state is free when the last process is gone
    STATE/run.json        what is up, where, and under which process ids; there only while it is up
    STATE/ports.json      the gateway's port, kept for the agents that know it
    STATE/keys/           the folders of `keyturn-server init`;   STATE/recovery.key  the key that belongs in a safe
    STATE/broker/ store/  the state of the two;   STATE/home/  empty homes;   STATE/logs/  one file a process

The first start makes the keys (aside, then renamed), the broker's definitions and the store's users. Without services
and without `secured` there are no keys: a broker with one user and a store without users, for tests of the parts
alone.
"""

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.local import addresses, locks, ports
from deploy.local.administrator import Administrator
from deploy.local.broker import Broker
from deploy.local.errors import NotUpError, StartError
from deploy.local.parts import Part
from deploy.local.processes import Process
from deploy.local.service import Service
from deploy.local.store import Store
from deploy.local.store_environment import ensure_store
from deploy.local.unpack import ensure_rabbitmq

ROOT = Path(__file__).resolve().parents[2]
# The name under which a service is known to the broker, the store and its folder of keys, and its module.
MODULES = {"scheduler": "services.scheduler", "bundler": "services.bundler", "gateway": "services.api"}
ALWAYS_NAMED = ("keyturn", "localhost")
HANDOVER_SECONDS = 10.0
TRIES = 5


class Deployment:
    """A context manager, for `with` and for `async with`; all its methods may block for seconds.

    `listen` are the gateway's `host:port` pairs, port 0 a free one; `names` go into its certificate beside the hosts it
    listens on. `say` gets one plain sentence for each step. Everything raised is a `LocalError`.
    """

    def __init__(
        self,
        state: Path,
        *,
        root: Path = ROOT,
        listen: Sequence[str] = ("127.0.0.1:0",),
        names: Sequence[str] = (),
        services: Sequence[str] = tuple(MODULES),
        secured: bool | None = None,
        prefer_port: int | None = None,
        log_level: str = "info",
        say: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        self.state = state.resolve()
        self.root = root
        self.logs = self.state / "logs"
        self.keys = self.state / "keys"
        self.services: dict[str, Service] = {}
        self.broker: Broker
        self.store: Store
        self.listen: tuple[addresses.Address, ...] = ()
        self._wanted = tuple(addresses.Address.parse(text) for text in listen)
        self._names = tuple(names)
        self._to_start = tuple(services)
        self._secured = bool(services) if secured is None else secured
        self._prefer_port = prefer_port
        self._log_level = log_level
        self._say = say
        self._hold: int | None = None
        self._stack = ExitStack()

    # Where things are

    @property
    def gateway_url(self) -> str:
        """The https:// address of the first listener; a wildcard is reached by loopback."""
        first = self.listen[0]
        host = "127.0.0.1" if first.host in addresses.WILDCARDS else first.host
        return f"https://{addresses.Address(host, first.port)}"

    @property
    def ca_file(self) -> Path:
        """The authority that the gateway's certificate is checked against."""
        return self.keys / "public" / "server-ca.pem"

    @property
    def setup_code_file(self) -> Path:
        return self.keys / "gateway" / "setup-code"

    def setup_code(self) -> str:
        """The first-run set-up code. Raises NotUpError when there is none (any more)."""
        if not self.setup_code_file.exists():
            raise NotUpError("There is no set-up code: it has been used, or the gateway has not made one yet.")
        return self.setup_code_file.read_text().strip()

    def process(self, name: str) -> Service:
        """The service of that name, to kill, pause, resume or restart."""
        return self.services[name]

    @property
    def parts(self) -> list[Part]:
        return [self.broker, self.store, *self.services.values()]

    # Up and down

    def start(self) -> Self:
        """Starts everything and returns when all of it is ready; on any failure nothing is left."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stops everything, in the order in which nobody misses anybody. Safe to call again."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        starting = asyncio.ensure_future(asyncio.to_thread(self.start))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # A thread cannot be cancelled: what it has started is stopped when it is through.
            await asyncio.wait([starting])
            await asyncio.to_thread(self.stop)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def start_process(
        self, name: str, command: Sequence[str | Path], *, environment: Mapping[str, str], cwd: Path | None = None
    ) -> Process:
        """Starts a further process, e.g. an agent, with its log beside the others; it ends with the deployment."""
        process = Process(
            name,
            command,
            log=self.logs / f"{name}.log",
            cwd=cwd or self.root,
            environment=environment,
            hold=self._hold,
        )
        self._stack.callback(process.stop)
        return process

    def start_gateway(self, name: str, listen: str = "127.0.0.1:0") -> tuple[Service, str]:
        """Starts a further replica of the gateway; returns it and its https:// address."""
        (address,) = addresses.settle((addresses.Address.parse(listen),), None)
        service = self._service("gateway", name=name, listen=(address,))
        service.start()
        return service, f"https://{address}"

    def admin(self, *words: str) -> None:
        """Runs one operator's command (`keyturn-server ...`). Raises StartError with what it said."""
        self._administrator().run(*words)

    def write_run_file(self) -> None:
        """Writes STATE/run.json anew, whole or not at all; after a restart the process ids in it have changed."""
        aside = self.state / "run.json.new"
        aside.write_text(json.dumps(self._description(), indent=2) + "\n")
        aside.replace(self.state / "run.json")

    # How

    def _start(self) -> None:
        self._hold = locks.take(self.state / "lock", seconds=HANDOVER_SECONDS)
        self._stack.callback(os.close, self._hold)
        run_file = self.state / "run.json"
        run_file.unlink(missing_ok=True)
        self._stack.callback(run_file.unlink, missing_ok=True)
        self.logs.mkdir(exist_ok=True, mode=0o700)
        self._say("Making sure that RabbitMQ and SecantusDB are here.")
        unpacked, python = ensure_rabbitmq(self.root), ensure_store(self.root)
        if self._secured and not self.keys.exists():
            self._say("Making the first keys.")
            self._administrator().make_keys(self.keys, self.state / "recovery.key")
        definitions = self.keys / "broker" / "definitions.json" if self._secured else None
        self.broker = Broker(unpacked, self.state / "broker", logs=self.logs, definitions=definitions, hold=self._hold)
        self.store = Store(python, self.state / "store", logs=self.logs, hold=self._hold)
        self._stack.callback(self.broker.stop)
        self._stack.callback(self.store.stop)
        self._say("Starting broker and store.")
        self._start_broker_and_store()
        if self._to_start:
            self._say("Starting the services.")
            self._start_services()
        self.write_run_file()

    def _start_broker_and_store(self) -> None:
        """Starts both at once; a failure or a Ctrl-C here ends the broker's start instead of waiting for it."""
        with ThreadPoolExecutor(1) as pool:
            broker = pool.submit(self.broker.start)
            try:
                self.store.start(setup=self._set_up_store if self._secured else None)
                broker.result()
            except BaseException:
                while not broker.done():
                    self.broker.stop(grace=0)
                    wait([broker], timeout=0.2)
                raise

    def _administrator(self) -> Administrator:
        home, log = self.state / "home" / "admin", self.logs / "admin.log"
        return Administrator(root=self.root, home=home, log=log, hold=self._hold)

    def _set_up_store(self, url: str) -> None:
        self._say("Making the store's collections and users.")
        self._administrator().set_up_store(self.keys, url)

    def _start_services(self) -> None:
        known = self.state / "ports.json"
        before = json.loads(known.read_text())["gateway"] if known.exists() else self._prefer_port
        if "gateway" in self._to_start:
            self.listen = addresses.settle(self._wanted, before)
        for name in self._to_start:
            self.services[name] = self._service(name, listen=self.listen)
            self.services[name].launch()
        for name, service in self.services.items():
            if name == "gateway":
                self._wait_for_gateway(service)
                known.write_text(json.dumps({"gateway": self.listen[0].port}))
            else:
                service.wait_until_ready()

    def _wait_for_gateway(self, gateway: Service) -> None:
        """Waits, and lets it listen on another port when a freely chosen one was taken in between."""
        for _ in range(TRIES):
            try:
                gateway.wait_until_ready()
            except StartError:
                if gateway.alive or all(ports.is_free(address.port, address.host) for address in self.listen):
                    raise
                self.listen = addresses.settle(self._wanted, None)
                gateway.settings |= self._gateway_settings(self.listen)
                gateway.launch()
            else:
                return
        raise StartError(f"The gateway lost {TRIES} free ports in a row to other processes.")

    def _service(self, kind: str, *, name: str | None = None, listen: tuple[addresses.Address, ...]) -> Service:
        name = name or kind
        settings = {
            "KEYTURN_PRIVATE": str(self.keys / kind),
            "KEYTURN_PUBLIC": str(self.keys / "public"),
            "KEYTURN_STORE_URL": self.store.url,
            "KEYTURN_BROKER_URL": self.broker.address,
            "KEYTURN_LOG_LEVEL": self._log_level,
        }
        if kind == "gateway":
            settings |= self._gateway_settings(listen)
        if kind == "scheduler":
            settings["KEYTURN_WITNESS"] = str(self.state / "witness.json")
        service = Service(
            name,
            MODULES[kind],
            root=self.root,
            logs=self.logs,
            home=self.state / "home" / name,
            settings=settings,
            hold=self._hold,
        )
        self._stack.callback(service.stop)
        return service

    def _gateway_settings(self, listen: tuple[addresses.Address, ...]) -> dict[str, str]:
        hosts = [address.host for address in listen if address.host not in addresses.WILDCARDS]
        names = dict.fromkeys([*ALWAYS_NAMED, *hosts, *self._names])
        return {"KEYTURN_LISTEN": ",".join(map(str, listen)), "KEYTURN_NAMES": ",".join(names)}

    def _description(self) -> dict[str, Any]:
        described: dict[str, Any] = {
            "supervisor": os.getpid(),
            "logs": str(self.logs),
            "broker": {"url": self.broker.address, "pid": self.broker.pid, "epmd": self.broker.epmd_pid},
            "store": {"url": self.store.url, "pid": self.store.pid},
            "services": {
                name: {"pid": service.pid, "health": service.health_url} for name, service in self.services.items()
            },
        }
        if self.listen:
            described |= {
                "gateway": self.gateway_url,
                "listen": [str(address) for address in self.listen],
                "ca_file": str(self.ca_file),
                "setup_code_file": str(self.setup_code_file),
            }
        return described
