"""What the gateway measures; no label holds anything that a stranger chose."""

from collections.abc import Callable

from libs.telemetry.metrics import Metrics


class GatewayMetrics:
    """The gateway's own figures, among those that its health port shows."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        labels = ("method", "route", "status")
        self._requests = metrics.counter("gateway_requests", "Answers by method, route template and status.", labels)
        polls = metrics.counter("gateway_polls", "Polls by their answer.", ("answer",))
        # Each is looked up once: this is the one figure on the path of every idle agent.
        self._answers = {answer: polls.labels(answer) for answer in ("mail", "none", "gone", "refused")}
        self._sign_ins = metrics.counter("gateway_sign_ins", "Sign-ins by outcome.", ("outcome",))
        self._handshakes = metrics.counter("gateway_handshakes", "TLS handshakes by outcome.", ("outcome",))
        self._refusals = metrics.counter("gateway_agent_refusals", "Agents' requests that did not count.", ("code",))

    def answered(self, method: str, route: str, status: int) -> None:
        self._requests.labels(method, route, str(status)).inc()

    def polled(self, answer: str) -> None:
        self._answers[answer].inc()

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
        self._metrics.read("gateway_polls_held", "Polls that are held now.", held)
        self._metrics.read("gateway_mailroom_agents", "Agents with mail that no poll told of yet.", with_mail)
        self._metrics.read("gateway_event_streams", "Open streams of events.", streams)
