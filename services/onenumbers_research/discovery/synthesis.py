"""Formulas from worked examples alone: small ones are tried in order of size until one gives every result. Pure.

What fits may fit by chance. So a search also says how many formulas it tried, how many of the same size fit that differ
elsewhere, and how many would be expected to fit by chance.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from onenumbers_research.discovery.formula_trees import FUNCTIONS, NONE, Rows, Tree, apply

LARGEST: Final = 6
"""Size of the largest formulas that are tried: a quantity, a number or a function counts one."""
MOST: Final = 60_000
"""Formulas with different results that are tried; a size that would go beyond is left out."""
_MOST_PAIRS: Final = 300_000
_SYMMETRIC: Final = frozenset({"add", "multiply", "difference"})
_SHOWN: Final = 8
"""Fitting formulas that are kept."""


@dataclass(frozen=True, slots=True)
class Search:
    """What was found."""

    fits: tuple[Tree, ...]
    """The smallest formulas that give every result and differ from each other elsewhere; at most 8."""
    fitting: int
    """How many there are."""
    tried: int
    """Formulas with different results that were tried, up to the size of those that fit."""
    kinds: Mapping[str, tuple[int, float]]
    """By outermost function ("" for none): formulas that were tried, and the part of them expected to fit by chance.

    That part is the product, over the examples, of the share of these formulas that give the result: as if their
    results in different examples were independent. They nearly are among formulas of one kind, and are not among all:
    those that end in a single digit give small results everywhere.
    """

    def chance(self, drafts: Collection[Tree] | None = None) -> float:
        """Returns how many of the formulas that were tried, or of some drafts, are expected to fit by chance."""
        if drafts is None:
            return sum(count * part for count, part in self.kinds.values())
        least = min((part for _, part in self.kinds.values()), default=1.0)
        return sum(self.kinds.get(_kind(tree.head, bool(tree.of)), (0, least))[1] for tree in drafts)


@dataclass(slots=True)
class _Level:
    """Formulas of one size."""

    values: Rows
    """(formulas, rows)."""
    heads: list[str | int]
    parts: NDArray[np.int64]
    """(formulas, 2): places of the operands among all formulas, -1 for none."""
    numbers: NDArray[np.bool_]
    """Whether a formula is only a number."""


def synthesize(
    rows: Mapping[str, Rows],
    expected: Sequence[int],
    *,
    numbers: Sequence[int],
    functions: Collection[str] = tuple(FUNCTIONS),
) -> Search:
    """Searches the formulas over some quantities, numbers and functions.

    Args:
        rows: Values of each quantity: first in the examples, then in other inputs, by which formulas are told apart.
        expected: Results of the examples.
        numbers: Numbers that a formula may hold.
        functions: Functions that it may use.
    """
    return _Enumeration(rows, np.array(expected, dtype=np.int64), numbers, functions).search()


class _Enumeration:
    def __init__(
        self, rows: Mapping[str, Rows], expected: Rows, numbers: Sequence[int], functions: Collection[str]
    ) -> None:
        self._expected = expected
        self._functions = {name: function for name, function in FUNCTIONS.items() if name in functions}
        length = len(next(iter(rows.values())))
        self._weights = np.random.default_rng(1908).integers(-(2**62), 2**62, length)
        self._seen: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        heads: list[str | int] = [*rows, *dict.fromkeys(numbers)]
        values = np.array([*rows.values(), *(np.full(length, number) for number in dict.fromkeys(numbers))])
        first = _Level(values, heads, np.full((len(heads), 2), -1), np.array([isinstance(head, int) for head in heads]))
        self._levels = [self._new(first)]

    def search(self) -> Search:
        while not (fits := self._fits()).size and len(self._levels) < LARGEST:
            level = self._next()
            if level is None:
                break
            self._levels.append(level)
        tried = sum(int((~level.numbers).sum()) for level in self._levels)
        given = len(self._expected)
        kinds: dict[str, tuple[int, float]] = {}
        names = np.array([_kind(head, parts[0] >= 0) for level in self._levels
                          for head, parts in zip(level.heads, level.parts, strict=True)])  # fmt: skip
        values = np.concatenate([level.values[:, :given] for level in self._levels])
        numbers = np.concatenate([level.numbers for level in self._levels])
        for kind in np.unique(names):
            chosen = values[(names == kind) & ~numbers]
            if len(chosen):
                # No share is nothing: what none of those tried gives, another one may.
                shares = np.maximum((chosen == self._expected).mean(axis=0), 1 / (tried + 1))
                kinds[str(kind)] = (len(chosen), float(np.prod(shares)))
        start = self._start(len(self._levels) - 1)
        return Search(tuple(self._tree(start + int(place)) for place in fits[:_SHOWN]), len(fits), tried, kinds)

    def _fits(self) -> NDArray[np.int64]:
        level = self._levels[-1]
        given = len(self._expected)
        found = (level.values[:, :given] == self._expected).all(axis=1) & ~level.numbers
        # What is the same for all inputs is no calculation.
        found &= (level.values != level.values[:, :1]).any(axis=1)
        return np.flatnonzero(found)

    def _next(self) -> _Level | None:
        size = len(self._levels) + 1
        blocks = [*self._of_one(size), *self._of_two(size)] if self._pairs(size) <= _MOST_PAIRS else []
        if not blocks:
            return None
        level = self._new(
            _Level(
                np.concatenate([block.values for block in blocks]),
                [head for block in blocks for head in block.heads],
                np.concatenate([block.parts for block in blocks]),
                np.concatenate([block.numbers for block in blocks]),
            )
        )
        room = MOST - sum(len(each.heads) for each in self._levels)
        return level if 0 < len(level.heads) <= room else None

    def _pairs(self, size: int) -> int:
        sizes = [len(level.heads) for level in self._levels]
        return sum(sizes[left - 1] * sizes[size - left - 2] for left in range(1, size - 1)) * 4 + 3 * sizes[-1]

    def _of_one(self, size: int) -> Iterator[_Level]:
        level, start = self._levels[size - 2], self._start(size - 2)
        for name, function in self._functions.items():
            if function.operands == 1:
                places = np.column_stack((start + np.arange(len(level.heads)), np.full(len(level.heads), -1)))
                yield _Level(apply(name, level.values), [name] * len(level.heads), places, level.numbers)

    def _of_two(self, size: int) -> Iterator[_Level]:
        for left in range(1, size - 1):
            right = size - 1 - left
            first, second = self._levels[left - 1], self._levels[right - 1]
            places = np.indices((len(first.heads), len(second.heads))).reshape(2, -1).T
            parts = places + np.array([self._start(left - 1), self._start(right - 1)])
            only = first.numbers[places[:, 0]] & second.numbers[places[:, 1]]
            for name, function in self._functions.items():
                if function.operands == 1 or (name in _SYMMETRIC and left > right):
                    continue
                chosen = ~only
                if name == "remainder":
                    chosen = chosen & second.numbers[places[:, 1]]
                at, of = places[chosen], parts[chosen]
                if len(at):
                    values = apply(name, first.values[at[:, 0]], second.values[at[:, 1]])
                    yield _Level(values, [name] * len(at), of, np.zeros(len(at), dtype=np.bool_))

    def _new(self, level: _Level) -> _Level:
        """Returns those that have a result in every example and give something else than all before."""
        keys = (level.values * self._weights).sum(axis=1)
        _, first = np.unique(keys, return_index=True)
        first.sort()
        given = len(self._expected)
        kept = first[(level.values[first, :given] != NONE).all(axis=1) & ~np.isin(keys[first], self._seen)]
        self._seen = np.concatenate((self._seen, keys[kept]))
        heads = [level.heads[place] for place in kept]
        return _Level(level.values[kept], heads, level.parts[kept], level.numbers[kept])

    def _start(self, level: int) -> int:
        return sum(len(each.heads) for each in self._levels[:level])

    def _tree(self, place: int) -> Tree:
        for level in self._levels:
            if place < len(level.heads):
                parts = tuple(self._tree(int(part)) for part in level.parts[place] if part >= 0)
                return Tree(level.heads[place], parts)
            place -= len(level.heads)
        raise IndexError(place)


def _kind(head: str | int, is_function: bool) -> str:
    return str(head) if is_function else ""
