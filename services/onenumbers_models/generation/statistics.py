"""What the generation model did: counts and times, as a snapshot and for Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

TIME_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Upper bounds of the buckets of times, in seconds."""
RATE_BOUNDS = (1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0)
"""Upper bounds of the buckets of tokens a second."""
BATCH_BOUNDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)
"""Upper bounds of the buckets of tokens a step."""


@dataclass(slots=True)
class Distribution:
    """A histogram: counts by upper bound, the last one without a bound."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """Counts a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    @property
    def count(self) -> int:
        """Values counted."""
        return sum(self.counts)

    @property
    def mean(self) -> float:
        """Mean of the values; 0 where there are none."""
        return self.total / self.count if self.count else 0.0

    def cumulative(self) -> list[tuple[str, int]]:
        """Returns the buckets as Prometheus wants them."""
        rows, seen = [], 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            seen += count
            rows.append((bound, seen))
        return rows


@dataclass(slots=True)
class GenerationStatistics:
    """Counts since the model was loaded, and what is under way."""

    running: int = 0
    """Answers being written."""
    waiting: int = 0
    """Requests that wait to be begun."""
    cells_used: int = 0
    """Tokens that the model's memory holds."""
    cells: int = 0
    """Tokens that it has room for."""
    kept_prompts: int = 0
    """Prompts that are kept for their beginnings."""
    steps: int = 0
    prompt_tokens: int = 0
    """Tokens of prompts that were computed."""
    reused_tokens: int = 0
    """Tokens of prompts that had been computed before."""
    prefix_hits: int = 0
    """Prompts of which a part had been computed before."""
    answer_tokens: int = 0
    ended: dict[str, int] = field(default_factory=dict)
    """Requests by how they ended: stop, stop_string, length, cancelled, deadline, refused, failed."""
    queue_s: Distribution = field(default_factory=lambda: Distribution(TIME_BOUNDS))
    """Seconds from the request until its prompt was begun."""
    first_token_s: Distribution = field(default_factory=lambda: Distribution(TIME_BOUNDS))
    """Seconds from the request until its first token."""
    tokens_per_second: Distribution = field(default_factory=lambda: Distribution(RATE_BOUNDS))
    """Tokens a second of each answer, after its first token."""
    batch: Distribution = field(default_factory=lambda: Distribution(BATCH_BOUNDS))
    """Tokens of each step."""

    def count_end(self, how: str) -> None:
        """Counts a request that ended."""
        self.ended[how] = self.ended.get(how, 0) + 1

    def to_wire(self) -> dict[str, Any]:
        """Returns it as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_wire(cls, values: dict[str, Any]) -> Self:
        """Returns what `to_wire` was given."""
        made = dict(values)
        for name in ("queue_s", "first_token_s", "tokens_per_second", "batch"):
            row = made[name]
            made[name] = Distribution(tuple(row["bounds"]), list(row["counts"]), row["total"])
        return cls(**made)


class GenerationCollector(Collector):
    """Shows the statistics to Prometheus: register it with a server's registry.

    Args:
        read: Returns the present statistics; None while there is no model.
        restarts: Returns how often the model's process was started again.
    """

    def __init__(
        self, read: Callable[[], GenerationStatistics | None], restarts: Callable[[], int] = lambda: 0
    ) -> None:
        self._read = read
        self._restarts = restarts

    def collect(self) -> Iterator[Any]:
        """Yields all series."""
        yield _counter("restarts", "Starts of the model's process after the first.", self._restarts())
        now = self._read()
        if now is None:
            return
        yield _gauge("running", "Answers being written.", now.running)
        yield _gauge("waiting", "Requests that wait to be begun.", now.waiting)
        yield _gauge("cells_used", "Tokens that the model's memory holds.", now.cells_used)
        yield _gauge("kept_prompts", "Prompts that are kept for their beginnings.", now.kept_prompts)
        yield _counter("steps", "Batches computed.", now.steps)
        yield _counter("prompt_tokens", "Tokens of prompts computed.", now.prompt_tokens)
        yield _counter("reused_tokens", "Tokens of prompts computed before.", now.reused_tokens)
        yield _counter("prefix_hits", "Prompts of which a part had been computed before.", now.prefix_hits)
        yield _counter("answer_tokens", "Tokens written.", now.answer_tokens)
        ended = CounterMetricFamily("onenumbers_generation_requests", "Requests by how they ended.", labels=["end"])
        for how, count in sorted(now.ended.items()):
            ended.add_metric([how], count)
        yield ended
        yield _histogram("queue_seconds", "Time until a prompt was begun.", now.queue_s)
        yield _histogram("first_token_seconds", "Time until the first token.", now.first_token_s)
        yield _histogram("tokens_per_second", "Tokens a second of each answer.", now.tokens_per_second)
        yield _histogram("batch_tokens", "Tokens of each step.", now.batch)


def _gauge(name: str, text: str, value: float) -> Any:
    return GaugeMetricFamily(f"onenumbers_generation_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> Any:
    return CounterMetricFamily(f"onenumbers_generation_{name}", text, value=value)


def _histogram(name: str, text: str, values: Distribution) -> Any:
    return HistogramMetricFamily(
        f"onenumbers_generation_{name}", text, buckets=values.cumulative(), sum_value=values.total
    )
