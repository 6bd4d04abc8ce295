"""Numbers for Prometheus: one registry a process, made at the edge and passed on; never the library's global one.

Every name begins with `keyturn_`. A label has few values that are known beforehand: never an identifier, never what a
stranger sent.
"""

from collections.abc import Callable, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The metrics of one process, which is `service` in version `version`."""

    def __init__(self, service: str, version: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        build = self.gauge("build_info", "1, with the version that runs.", ("service", "version"))
        build.labels(service, version).set(1)

    def counter(self, name: str, what: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(f"keyturn_{name}", what, labels, registry=self.registry)

    def gauge(self, name: str, what: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(f"keyturn_{name}", what, labels, registry=self.registry)

    def read(self, name: str, what: str, value: Callable[[], float]) -> None:
        """A gauge whose value is asked for at each scrape."""
        self.gauge(name, what).set_function(value)

    def histogram(
        self, name: str, what: str, labels: Sequence[str] = (), buckets: Sequence[float] = SECONDS
    ) -> Histogram:
        return Histogram(f"keyturn_{name}", what, labels, registry=self.registry, buckets=buckets)

    def page(self) -> bytes:
        """What a scrape gets."""
        return generate_latest(self.registry)
