"""Requests on their way through the scheduler, and in which order they are begun. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from onenumbers_models.generation.requests import Completion, GenerationOptions, Priority
from onenumbers_models.generation.text import TextAssembler

Event = str | Completion | Exception
"""A piece of text, then how it ended: a Completion, or the error."""

_TURN = 4
"""Interactive requests that are begun before one of the background that waits gets its turn."""


@dataclass(eq=False, slots=True)
class Job:
    """One request. After `submit` only the scheduler's thread changes it, `cancelled` apart."""

    tokens: Sequence[int]
    options: GenerationOptions
    sink: Callable[[Event], None]
    """Called in the scheduler's thread; must not block."""
    submitted: float
    cancelled: bool = False
    slot: int = -1
    past: int = 0
    """Tokens of prompt and answer that the memory holds."""
    reused: int = 0
    attached: bool = False
    """Whether it was looked for kept beginnings."""
    begun: float = 0.0
    first: float = 0.0
    written: int = 0
    """Tokens of the answer."""
    next_token: int = -1
    sampler: Any = None
    text: TextAssembler = field(default_factory=TextAssembler)

    @property
    def reading(self) -> bool:
        """Whether the prompt is not read to its end."""
        return self.past < len(self.tokens)

    @property
    def ahead(self) -> int:
        """Tokens that may still have to be computed for it."""
        return len(self.tokens) + self.options.max_tokens - self.past

    def expired(self, now: float) -> bool:
        """Tells whether its time is up."""
        return self.options.deadline_s is not None and now - self.submitted >= self.options.deadline_s


class JobQueue:
    """Waiting requests: interactive ones first, each kind in the order in which they came."""

    def __init__(self) -> None:
        self._queues: dict[Priority, deque[Job]] = {"interactive": deque(), "background": deque()}
        self._passed = 0

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def add(self, job: Job) -> None:
        """Adds a request at the end of its kind."""
        self._queues[job.options.priority].append(job)

    def first(self, *, background: bool) -> Job | None:
        """Returns the request whose turn it is; one of the background only where `background` allows it."""
        urgent, later = self._queues["interactive"], self._queues["background"]
        if later and background and (not urgent or self._passed >= _TURN):
            return later[0]
        return urgent[0] if urgent else None

    def take(self, job: Job) -> None:
        """Removes a request that is begun."""
        if job.options.priority == "background":
            self._passed = 0
        elif self._queues["background"]:
            self._passed += 1
        self._queues[job.options.priority].remove(job)

    def remove(self, unwanted: Callable[[Job], bool]) -> list[Job]:
        """Removes and returns the requests that are not wanted any more."""
        gone: list[Job] = []
        for kind, queue in self._queues.items():
            gone += [job for job in queue if unwanted(job)]
            self._queues[kind] = deque(job for job in queue if not unwanted(job))
        return gone
