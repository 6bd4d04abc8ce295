"""What the gateway measures; no label holds anything that a stranger chose."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge


class Metrics:
    """The gateway's own figures, in a registry that its health port shows."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._requests = Counter(
            "keyturn_gateway_requests",
            "Answers by method, route template and status.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._polls = Counter("keyturn_gateway_polls", "Polls by their answer.", ("answer",), registry=registry)
        self._sign_ins = Counter("keyturn_gateway_sign_ins", "Sign-ins by outcome.", ("outcome",), registry=registry)
        self._handshakes = Counter(
            "keyturn_gateway_handshakes", "TLS handshakes by outcome.", ("outcome",), registry=registry
        )
        self._refusals = Counter(
            "keyturn_gateway_agent_refusals", "Agents' requests that did not count, by code.", ("code",),
            registry=registry,
        )  # fmt: skip

    def answered(self, method: str, route: str, status: int) -> None:
        self._requests.labels(method, route, str(status)).inc()

    def polled(self, answer: str) -> None:
        self._polls.labels(answer).inc()

    def signed_in(self, outcome: str) -> None:
        """`good`, `wrong` or `slowed`."""
        self._sign_ins.labels(outcome).inc()

    def handshaken(self) -> None:
        self._handshakes.labels("good").inc()

    def handshake_failed(self) -> None:
        self._handshakes.labels("failed").inc()

    def agent_refused(self, code: str) -> None:
        self._refusals.labels(code).inc()

    def watch(self, *, held: Callable[[], int], with_mail: Callable[[], int], streams: Callable[[], int]) -> None:
        """Shows what is in memory, read at each scrape."""
        for name, text, read in (
            ("keyturn_gateway_polls_held", "Polls that are held now.", held),
            ("keyturn_gateway_mailroom_agents", "Agents with mail that no poll told of yet.", with_mail),
            ("keyturn_gateway_event_streams", "Open streams of events.", streams),
        ):
            Gauge(name, text, registry=self._registry).set_function(read)
