"""What a request to the generation model is, and what comes of it. Pure: both sides of the process border use it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

from onenumbers_runtime.errors import invalid

Priority = Literal["interactive", "background"]
Finish = Literal["stop", "stop_string", "length"]

MAX_STOP, MAX_STOP_LENGTH = 16, 256
"""Stop strings of a request, and characters of one."""
MAX_GRAMMAR = 1_000_000
"""Characters of a grammar."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationOptions:
    """How one answer is written."""

    max_tokens: int
    """Tokens of the answer at most; what the context leaves, where that is less."""
    temperature: float = 0.0
    """0 takes the likeliest token and needs no seed."""
    top_k: int = 40
    """Likeliest tokens that are drawn from; 0 is all."""
    top_p: float = 0.95
    """Share of probability that is drawn from."""
    min_p: float = 0.0
    """Least probability of a token, relative to the likeliest."""
    repeat_penalty: float = 1.1
    """Small models repeat themselves without it; 1 is none."""
    seed: int = 0
    stop: tuple[str, ...] = ()
    """Texts before which the answer ends."""
    grammar: str | None = None
    """GBNF that the answer follows."""
    priority: Priority = "interactive"
    """Interactive answers are begun before those in the background."""
    deadline_s: float | None = None
    """Seconds after which the answer is given up, counted from the request; none without a limit."""

    def check(self) -> None:
        """Refuses what cannot be meant.

        Raises:
            InvalidArgumentError: Names the option and its limits.
        """
        limits: tuple[tuple[str, float, float, float], ...] = (
            ("max_tokens", self.max_tokens, 1, 1_000_000),
            ("temperature", self.temperature, 0, 10),
            ("top_k", self.top_k, 0, 1_000_000),
            ("top_p", self.top_p, 0, 1),
            ("min_p", self.min_p, 0, 1),
            ("repeat_penalty", self.repeat_penalty, 0.1, 10),
        )
        for name, value, low, high in limits:
            if not math.isfinite(value) or not low <= value <= high:
                raise invalid(name, f"must be from {low:g} to {high:g}", rule=f"generation.{name}")
        if len(self.stop) > MAX_STOP or any(not 0 < len(word) <= MAX_STOP_LENGTH for word in self.stop):
            message = f"must be at most {MAX_STOP} texts of 1 to {MAX_STOP_LENGTH} characters"
            raise invalid("stop", message, rule="generation.stop")
        if self.grammar is not None and len(self.grammar) > MAX_GRAMMAR:
            raise invalid("grammar", f"must have at most {MAX_GRAMMAR} characters", rule="generation.grammar")
        if self.deadline_s is not None and not self.deadline_s > 0:
            raise invalid("deadline_s", "must be more than 0", rule="generation.deadline_s")

    def to_wire(self) -> dict[str, Any]:
        """Returns it as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_wire(cls, values: dict[str, Any]) -> Self:
        """Returns what `to_wire` was given."""
        known = {field.name for field in fields(cls)}
        chosen = {name: value for name, value in values.items() if name in known}
        return cls(**(chosen | {"stop": tuple(chosen.get("stop", ()))}))


@dataclass(frozen=True, slots=True)
class Completion:
    """How an answer ended."""

    finish: Finish
    """"stop": the model ended it; "stop_string": before a stop string; "length": at the limit of tokens."""
    prompt_tokens: int
    reused_tokens: int
    """Tokens of the prompt that had been computed for an earlier one."""
    tokens: int
    """Tokens of the answer."""
    queue_s: float
    """Seconds from the request until its prompt was begun."""
    first_token_s: float
    """Seconds from the request until its first token."""
    total_s: float
    """Seconds from the request until its end."""
    complete: bool
    """Whether the grammar was at an end; true without a grammar unless the limit was reached."""


@dataclass(frozen=True, slots=True)
class JsonResult:
    """A value that follows a schema."""

    value: Any
    text: str
    """The value as the model wrote it."""
    completion: Completion


def encode_messages(messages: Sequence[ChatMessage]) -> list[list[str]]:
    """Returns messages as JSON can hold them."""
    return [[item.role, item.content] for item in messages]


def decode_messages(values: Sequence[Sequence[Any]]) -> list[ChatMessage]:
    """Returns what `encode_messages` was given."""
    return [ChatMessage(role, content) for role, content in values]
