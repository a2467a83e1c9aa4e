"""Which sequence holds which cells of llama.cpp's memory, and the prompts whose cells are kept. Pure.

In a unified memory a copy of a sequence shares its cells; a cell is free again when no sequence holds it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence


class CellLedger:
    """Counts the cells in use: llama.cpp does not tell."""

    def __init__(self) -> None:
        self._held: dict[int, list[int]] = {}
        self._counts: dict[int, int] = {}
        self._next = 0

    @property
    def used(self) -> int:
        """Cells that at least one sequence holds."""
        return len(self._counts)

    def extend(self, sequence: int, count: int) -> None:
        """Adds cells that were computed for a sequence."""
        new = range(self._next, self._next + count)
        self._next += count
        self._held.setdefault(sequence, []).extend(new)
        self._counts.update(dict.fromkeys(new, 1))

    def copy(self, source: int, target: int, count: int) -> None:
        """Lets `target`, which holds nothing, share the first `count` cells of `source`."""
        shared = self._held[source][:count]
        self._held[target] = shared
        for cell in shared:
            self._counts[cell] += 1

    def drop(self, sequence: int) -> None:
        """Lets go of what a sequence holds."""
        for cell in self._held.pop(sequence, ()):
            self._counts[cell] -= 1
            if not self._counts[cell]:
                del self._counts[cell]


class PrefixCache:
    """Prompts whose cells are kept, the least recently used one first to go.

    Args:
        sequences: Sequences that may keep one prompt each.
    """

    def __init__(self, sequences: Iterable[int]) -> None:
        self._free = list(sequences)
        self._entries: OrderedDict[int, tuple[int, ...]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def sequences(self) -> list[int]:
        """Sequences in use, the least recently used first."""
        return list(self._entries)

    def longest(self, tokens: Sequence[int]) -> tuple[int | None, int]:
        """Returns the sequence that shares the longest beginning with `tokens`, and the length of that."""
        best, length = None, 0
        for sequence, kept in self._entries.items():
            shared = common(kept, tokens)
            if shared > length:
                best, length = sequence, shared
        return best, length

    def touch(self, sequence: int) -> None:
        """Marks an entry as just used."""
        self._entries.move_to_end(sequence)

    def covers(self, tokens: Sequence[int]) -> bool:
        """Tells whether an entry begins with all of `tokens`; it then counts as just used."""
        best, length = self.longest(tokens)
        if best is None or length < len(tokens):
            return False
        self.touch(best)
        return True

    def contained(self, tokens: Sequence[int]) -> list[int]:
        """Returns the entries that are beginnings of `tokens`: they are not needed beside it."""
        return [sequence for sequence, kept in self._entries.items() if common(kept, tokens) == len(kept)]

    def take(self, tokens: Sequence[int]) -> int | None:
        """Returns a sequence for a new entry, or None while all are taken: evict one first."""
        if not self._free:
            return None
        sequence = self._free.pop()
        self._entries[sequence] = tuple(tokens)
        return sequence

    def evict(self, sequence: int) -> None:
        """Forgets an entry."""
        del self._entries[sequence]
        self._free.append(sequence)


def common(one: Sequence[int], other: Sequence[int]) -> int:
    """Returns how many tokens two sequences share from their beginning."""
    length = min(len(one), len(other))
    # Halves are compared as slices, which C does: prompts have thousands of tokens.
    low = 0
    while low < length:
        middle = (low + length + 1) // 2
        if tuple(one[low:middle]) == tuple(other[low:middle]):
            low = middle
        else:
            length = middle - 1
    return low
