"""Research runs as they are kept: states, findings, events. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, unique
from typing import Any


@unique
class RunState(Enum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens."""
        return self not in (RunState.QUEUED, RunState.RUNNING)


@unique
class Verdict(Enum):
    """What became of a calculation that a document describes."""

    REGISTERED = "registered"
    PROPOSED = "proposed"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Search:
    """How a formula was found that the document does not state."""

    formulas_tried: int = 0
    """Small formulas that were tried on the examples."""
    formulas_fitting: int = 0
    """Those of the smallest fitting size that give every result and differ elsewhere."""
    expected_by_chance: float = 0.0
    """How many of what was tried would be expected to give every result by chance."""
    model: str = ""
    """The language model that drafted; empty where none did."""
    drafts: int = 0
    """Drafts that it wrote."""
    drafts_reproducing: int = 0
    """Those that give every result."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A calculation that a document describes, and what became of it."""

    document_id: str
    document_title: str
    verdict: Verdict
    reason: str
    utility_id: str = ""
    formula: str = ""
    duplicate_of: str = ""
    examples_given: int = 0
    examples_reproduced: int = 0
    inputs_compared: int = 0
    origin: str = ""
    """Where the formula comes from: "block", "front matter", "prose", "examples" or "model"; empty without one."""
    search: Search | None = None


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something that happened in a run."""

    sequence: int
    time: datetime
    step: str
    message: str
    state: RunState
    finding: Finding | None = None
    pattern: bytes | None = None
    """A counted pattern, as the contract writes it."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is stored of a schedule. The time is UTC without zone."""

    last_started: datetime
    read_until: int = 0
    """When the last had changed of what its runs have read, in nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it is stored. Times are UTC without zone."""

    key: int
    run_id: str
    kind: str
    request: Mapping[str, Any]
    subject: str
    state: RunState
    started: datetime
    ended: datetime | None
    failure: str
    plan: Sequence[str] | None
    """What there is to do, once that is known."""
    summary: bytes | None
    done: Collection[str] = ()
    """Parts of the plan that are finished."""
    findings: Sequence[Finding] = ()
    patterns: Sequence[bytes] = ()
    """Counted patterns, as the contract writes them."""

    @property
    def scheduled(self) -> bool:
        """Whether the scheduler started it."""
        return bool(self.request.get("scheduled"))


@dataclass(frozen=True, slots=True)
class Change:
    """What is written with an event, in one transaction. None leaves as it is."""

    state: RunState | None = None
    finding: Finding | None = None
    plan: Sequence[str] | None = None
    done: str | None = None
    summary: bytes | None = None
    failure: str = field(default="")
    planned_until: int | None = None
    """Of a scheduled run: when the last of what it reads had changed, in nanoseconds since 1970."""
    read: bool = False
    """Whether a scheduled run has read all that it planned."""
    pattern: bytes | None = None
    """A counted pattern, as the contract writes it."""
