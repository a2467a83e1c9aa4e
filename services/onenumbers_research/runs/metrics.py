"""Research runs and their scheduler for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from onenumbers_research.runs.records import RunState
from onenumbers_research.runs.running import Runs
from onenumbers_research.runs.scheduler import DiscoveryScheduler


class RunCollector(Collector):
    """Reports runs, and where there is a scheduler its times.

    Args:
        runs: The runs of this server.
        scheduler: The scheduler; None where it is off.
    """

    def __init__(self, runs: Runs, scheduler: DiscoveryScheduler | None) -> None:
        self._runs = runs
        self._scheduler = scheduler

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Yields the metrics."""
        unfinished = GaugeMetricFamily("onenumbers_research_runs", "Runs that have not ended.", labels=["state"])
        unfinished.add_metric(["running"], self._runs.running)
        unfinished.add_metric(["queued"], self._runs.waiting)
        yield unfinished
        ended = CounterMetricFamily("onenumbers_research_runs_ended", "Runs that have ended.", labels=["state"])
        for state in RunState:
            if state.ended:
                ended.add_metric([state.value], self._runs.ended[state])
        yield ended
        if self._scheduler is None:
            return
        yield CounterMetricFamily(
            "onenumbers_discovery_schedule_starts", "Runs that the scheduler started.", value=self._scheduler.started
        )
        yield GaugeMetricFamily(
            "onenumbers_discovery_schedule_interval_seconds",
            "From one scheduled start to the next.",
            value=self._scheduler.every.total_seconds(),
        )
        for name, text, time in (
            ("last_start", "When the scheduler last started a run.", self._scheduler.last_started),
            ("next_start", "When its next run is due; not there while one goes on.", self._scheduler.next_start),
        ):
            if time is not None:
                yield GaugeMetricFamily(
                    f"onenumbers_discovery_schedule_{name}_timestamp_seconds", text, value=_unix(time)
                )


def _unix(time: datetime) -> float:
    return time.replace(tzinfo=UTC).timestamp()
