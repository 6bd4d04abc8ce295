"""What the bundler counts beside what every service counts."""

from libs.telemetry.metrics import Metrics


class BundlerMetrics:
    """The bundler's own numbers."""

    def __init__(self, metrics: Metrics) -> None:
        self.requests = metrics.counter(
            "bundler_requests", "Requests answered, by kind and outcome.", ("kind", "outcome")
        )
        self.builds = metrics.counter("package_builds", "Packages composed.", ("platform",))
        self.build_seconds = metrics.histogram("package_build_seconds", "Time to compose a package.")
        self.build_bytes = metrics.counter("package_tail_bytes", "Bytes composed behind the runtime.")
