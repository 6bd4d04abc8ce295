"""A registry for each process, and none for all."""

from prometheus_client import REGISTRY

from libs.telemetry.metrics import Metrics


def test_what_is_declared_is_shown_and_the_global_registry_stays_out() -> None:
    metrics = Metrics("gateway", "1.2.3")
    metrics.counter("tries", "Tries.", ("outcome",)).labels("good").inc()
    metrics.read("held", "Polls held.", lambda: 7.0)
    metrics.histogram("seconds", "Time.").observe(0.02)
    page = metrics.page().decode()
    assert 'keyturn_build_info{service="gateway",version="1.2.3"} 1.0' in page
    assert 'keyturn_tries_total{outcome="good"} 1.0' in page
    assert "keyturn_held 7.0" in page
    assert 'keyturn_seconds_bucket{le="0.025"} 1.0' in page
    assert "process_resident_memory_bytes" in page
    assert REGISTRY.get_sample_value("keyturn_held") is None


def test_two_processes_in_one_test_do_not_meet() -> None:
    first, second = Metrics("gateway", "1"), Metrics("scheduler", "1")
    first.counter("same", "Same.").inc()
    second.counter("same", "Same.")
    assert second.registry.get_sample_value("keyturn_same_total") == 0.0
