"""Calculations as data, and what discovery needs of those who keep them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from onenumbers_research.discovery.extraction import Input, Worked


@dataclass(frozen=True, slots=True)
class Definition:
    """A calculation as it is sent to the registry."""

    utility_id: str
    title: str
    description: str
    inputs: tuple[Input, ...]
    formula: str
    category: str
    provenance: str
    examples: tuple[Worked, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """A utility of the registry."""

    utility_id: str
    inputs: tuple[Input, ...]
    formula: str
    provenance: str
    status: str
    """proposed, validated, active or deprecated."""

    def made_by(self, definition: Definition) -> bool:
        """Tells whether a definition's document and run registered it, whatever is told of how it was found."""
        return self.provenance.split(";")[:2] == definition.provenance.split(";")[:2]

    def inputs_alike(self, inputs: Sequence[Input]) -> bool:
        """Tells whether its inputs have these names and types."""
        return [(item.name, item.kind) for item in self.inputs] == [(item.name, item.kind) for item in inputs]


@dataclass(frozen=True, slots=True)
class Subject:
    """A row of inputs as the built-in calculations take them; None for what there is not."""

    name: str | None = None
    second_name: str | None = None
    """Another name, for what compares two."""
    born: date | None = None
    later: date | None = None
    """Another date: the day of which something is asked, or the birth of a second person."""
    number: int | None = None
    """A number, such as that of a house."""
    text: str | None = None
    """A text, such as what is on a plate."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What the registry's own check of a definition found."""

    given: int
    reproduced: int
    wrong: Mapping[int, str]
    """What is wrong with an example, by its place; at most 20."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A calculation that gives the same."""

    name: str
    inputs: int
    """Random inputs on which both were compared."""


class Refused(Exception):  # noqa: N818 - what it is, as a status
    """A server says that a request cannot be met; the message is its own, safe to show."""

    def __init__(
        self, message: str, *, reason: str, metadata: Mapping[str, str], violations: Sequence[tuple[str, str]]
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.metadata = dict(metadata)
        self.violations = tuple(violations)


class Registry(Protocol):
    """What is needed of the registry of utilities."""

    async def probe(self, definition: Definition) -> Probe:
        """Returns how many examples a definition reproduces, storing nothing. Raises Refused."""

    async def register(self, definition: Definition, *, proposer: str) -> str:
        """Registers a definition and returns its status. Raises Refused."""

    async def active(self) -> list[Known]:
        """Returns the utilities that are tools."""

    async def get(self, utility_id: str) -> Known | None:
        """Returns a utility of any status, or None."""

    async def evaluate(self, utility_id: str, inputs: Mapping[str, Any]) -> Any:
        """Returns what a utility gives, or None."""

    def built_in(self) -> BuiltIn:
        """Returns the built-in calculations, with a memory that lasts as long as it is kept."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter of a name."""

    value: int
    """On the Pythagorean table."""
    chaldean: int
    vowel: bool
    """By the orthographic rule for Y."""


class BuiltIn(Protocol):
    """What is needed of the built-in calculations."""

    async def letters(self, names: Sequence[str]) -> dict[str, tuple[tuple[Letter, ...], ...]]:
        """Returns the letters of full names, name by name; those that have none are left out."""

    async def quantities(
        self, subjects: Sequence[Subject], *, only: Collection[str] | None = None
    ) -> dict[str, list[Any]]:
        """Returns what they give, one value for each subject, by the name of each quantity."""
