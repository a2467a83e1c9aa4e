"""Counts and times of the calls that a server takes, for Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class MethodMetrics:
    """The series of one method, looked up once."""

    started: Any
    in_flight: Any
    seconds: Any
    _handled: Any
    _service: str
    _method: str

    def handled(self, code: str) -> None:
        """Counts a call that ended with the status `code`."""
        self._handled.labels(self._service, self._method, code).inc()


class ServerMetrics:
    """All series of a server, in a registry of its own."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        labels = ("grpc_service", "grpc_method")
        self._started = Counter("grpc_server_started", "Calls begun.", labels, registry=self.registry)
        self._handled = Counter(
            "grpc_server_handled", "Calls ended, by status.", (*labels, "grpc_code"), registry=self.registry
        )
        self._seconds = Histogram(
            "grpc_server_handling_seconds", "Time of calls.", labels, registry=self.registry, buckets=_BUCKETS
        )
        self._in_flight = Gauge("grpc_server_in_flight", "Calls that run now.", labels, registry=self.registry)

    def method(self, full_method: str) -> MethodMetrics:
        """Returns the series of "/package.Service/Method"."""
        service, _, method = full_method.lstrip("/").rpartition("/")
        return MethodMetrics(
            started=self._started.labels(service, method),
            in_flight=self._in_flight.labels(service, method),
            seconds=self._seconds.labels(service, method),
            _handled=self._handled,
            _service=service,
            _method=method,
        )
