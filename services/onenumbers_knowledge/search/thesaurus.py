"""Other names of what the documents are about: a query for the heart's desire is one for the soul urge.

The names are data, thesaurus.yaml beside this file; each says where it was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Self

import yaml

from onenumbers_knowledge.search.words import Analyzer

_SLACK = 1
"""Words that may stand between those of a name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A term of the documents with other names."""

    term: str
    names: tuple[str, ...]
    rule: str = ""
    """Rule of the calculators that the term is about, where there is one."""
    documents: tuple[str, ...] = ()
    """Documents of the starter corpus that have term and name in one passage."""
    sources: tuple[str, ...] = ()
    """Other places where the names were read."""


class Thesaurus:
    """Finds the terms of a query. Not safe for threads: one caller at a time.

    Args:
        entries: Terms and names.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._analyzer = Analyzer()
        self._names = [
            (frozenset(self._analyzer.all_stems(name)), entry.term) for entry in entries for name in entry.names
        ]

    @classmethod
    def load(cls) -> Self:
        """Returns the thesaurus that comes with the server."""
        return cls(entries())

    def terms(self, query: str) -> list[str]:
        """Returns the terms whose names a query has: their words beside each other, in whatever order."""
        stems = self._analyzer.all_stems(query)
        present = frozenset(stems)
        found = [term for name, term in self._names if name <= present and _beside(name, stems)]
        return list(dict.fromkeys(found))


def _beside(name: frozenset[str], stems: Sequence[str]) -> bool:
    width = len(name) + _SLACK
    return any(name <= set(stems[start : start + width]) for start in range(len(stems)))


@cache
def entries() -> tuple[Entry, ...]:
    """Returns the terms and names that come with the server."""
    text = resources.files(__package__).joinpath("thesaurus.yaml").read_text(encoding="utf-8")
    return tuple(_entry(item) for item in yaml.safe_load(text))


def _entry(item: dict[str, Any]) -> Entry:
    lists = {name: tuple(item.get(name, ())) for name in ("names", "documents", "sources")}
    return Entry(term=item["term"], rule=item.get("rule", ""), **lists)
