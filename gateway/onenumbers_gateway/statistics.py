"""Counts and times of tool calls through this gateway, since it started."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

SAMPLES = 1_000
"""Times that are kept per tool."""
MAX_TOOLS = 20_000
"""Tools whose figures are kept; the one called longest ago goes first."""


@dataclass(slots=True)
class ToolFigures:
    """Figures of one tool."""

    calls: int = 0
    cache_hits: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    """Calls by gRPC status name."""
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    """Times of the last calls."""

    @property
    def errors(self) -> int:
        """Calls that ended with a status other than OK."""
        return self.calls - self.codes["OK"]

    def percentile(self, share: float) -> float:
        """Returns the time in seconds that `share` of the kept calls did not exceed (nearest rank); 0 without any."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class ToolStatistics:
    """Figures of all tools that were called."""

    def __init__(self) -> None:
        self.since = datetime.now(UTC)
        self._tools: OrderedDict[str, ToolFigures] = OrderedDict()

    def add(self, tool: str, code: str, seconds: float, *, cache_hit: bool = False) -> None:
        """Counts one call."""
        figures = self._tools.get(tool)
        if figures is None:
            figures = self._tools[tool] = ToolFigures()
            if len(self._tools) > MAX_TOOLS:
                self._tools.popitem(last=False)
        else:
            self._tools.move_to_end(tool)
        figures.calls += 1
        figures.cache_hits += cache_hit
        figures.codes[code] += 1
        figures.seconds.append(seconds)

    def items(self, tool: str = "") -> Iterator[tuple[str, ToolFigures]]:
        """Yields the figures of one tool, or of all, ordered by name."""
        for name in sorted(self._tools):
            if tool in ("", name):
                yield name, self._tools[name]
