"""Which passages a search may find: by category, source, number, school, and by the free metadata of a document."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Filtered(Protocol):
    """What a filter asks about."""

    @property
    def category(self) -> str: ...  # noqa: D102

    @property
    def source(self) -> str: ...  # noqa: D102

    @property
    def school(self) -> str: ...  # noqa: D102

    @property
    def numbers(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def metadata(self) -> Mapping[str, Any]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class MetadataRule:
    """A condition on one value of the metadata. Types are kept apart: the text "7" is not the number 7.

    A list in the metadata matches where one of its items does.
    """

    path: tuple[str, ...]
    """Keys from the outermost in."""
    any_of: tuple[Any, ...] = ()
    """Values of which one must be there; not asked when empty."""
    least: float | str | None = None
    """Smallest value; a number for numbers, a text for texts (such as ISO dates), compared by code points."""
    greatest: float | str | None = None
    """Greatest value, of the same type."""
    present: bool | None = None
    """Whether the key must be there (True) or must not (False)."""

    def match(self, metadata: Mapping[str, Any]) -> bool:
        """Tells whether the metadata of a document fulfils the condition."""
        value: Any = metadata
        for key in self.path:
            if not isinstance(value, Mapping) or key not in value:
                return self.present is False
            value = value[key]
        if self.present is False:
            return False
        items = value if isinstance(value, (list, tuple)) else (value,)
        return all(
            any(test(item) for item in items)
            for test, asked in ((self._is_one, self.any_of), (self._is_between, self._bounded))
            if asked
        )

    @property
    def _bounded(self) -> bool:
        return self.least is not None or self.greatest is not None

    def _is_one(self, item: Any) -> bool:
        return any(_kind(item) == _kind(wanted) and item == wanted for wanted in self.any_of)

    def _is_between(self, item: Any) -> bool:
        for bound, outside in ((self.least, operator.lt), (self.greatest, operator.gt)):
            if bound is not None and (_kind(item) != _kind(bound) or outside(item, bound)):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Filters:
    """Which passages may be found; empty means all."""

    categories: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    numbers: frozenset[int] = frozenset()
    school: str = ""
    metadata: Sequence[MetadataRule] = ()
    """Conditions that must all hold."""

    def match(self, entry: Filtered) -> bool:
        """Tells whether a passage may be found."""
        return (
            (not self.categories or entry.category in self.categories)
            and (not self.sources or entry.source in self.sources)
            and (not self.numbers or not self.numbers.isdisjoint(entry.numbers))
            and (not self.school or entry.school == self.school)
            and all(rule.match(entry.metadata) for rule in self.metadata)
        )

    @property
    def empty(self) -> bool:
        """Whether everything may be found."""
        return not (self.categories or self.sources or self.numbers or self.school or self.metadata)


def _kind(value: Any) -> str:
    """Returns the type that values are compared in: JSON has one kind of number, and truth is none."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    return type(value).__name__
