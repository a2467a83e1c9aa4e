"""Which documents a discovery reads, and for which category of utilities. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

DEPTHS: Final[Mapping[str, int | None]] = {"shallow": 10, "medium": 50, "deep": None}
"""Documents that are read, the last changed first; None for all."""
_GENERAL: Final = ("calculation", "utility")
CATEGORIES: Final[Mapping[str, frozenset[str]]] = {
    "cycles": frozenset({"cycles", *_GENERAL}),
    "timing": frozenset({"cycles", *_GENERAL}),
    "forecasting": frozenset({"cycles", *_GENERAL}),
    "compatibility": frozenset({"compatibility", *_GENERAL}),
    "personality": frozenset({"interpretation", *_GENERAL}),
    "life_purpose": frozenset({"interpretation", *_GENERAL}),
    "karmic_patterns": frozenset({"interpretation", *_GENERAL}),
}
"""Categories of the knowledge base in which documents of a category of discovery stand."""
TOPIC: Final = "discovery_category"
"""Key of a document's metadata that says its category of discovery; it then counts for that one only."""
MADE_BY_RUN: Final = "research_run"
"""Key of the metadata of documents that a run wrote; they are not read again."""


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """A document of the knowledge base without its text."""

    document_id: str
    category: str
    source: str
    updated: int
    """Nanoseconds since 1970."""
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """A document with its text."""

    document_id: str
    title: str
    content: str
    version: int
    source: str
    category: str = ""
    """Of the knowledge base."""
    topic: str = ""
    """Category of discovery that its metadata names; empty without one."""


class Knowledge(Protocol):
    """What is needed of the knowledge base."""

    async def documents(self) -> list[DocumentRef]:
        """Returns all documents, the last changed first."""

    async def document(self, document_id: str) -> Text | None:
        """Returns a document with its text; None where it is gone."""

    async def ingest(
        self, *, document_id: str, title: str, content: str, source: str, metadata: Mapping[str, Any]
    ) -> None:
        """Adds a document about a utility. Raises Refused."""


def chosen(documents: Sequence[DocumentRef], category: str, depth: str) -> list[str]:
    """Returns the ids of the documents that a discovery reads, in order."""
    found = [
        document.document_id
        for document in documents
        if MADE_BY_RUN not in document.metadata
        and (
            document.metadata[TOPIC] == category
            if TOPIC in document.metadata
            else document.category in CATEGORIES[category]
        )
    ]
    return found[: DEPTHS[depth]]


def changed(documents: Sequence[DocumentRef], *, since: int) -> list[str]:
    """Returns the ids of the documents that changed after a time (nanoseconds since 1970), the last changed first."""
    return [
        document.document_id
        for document in documents
        if document.updated > since and MADE_BY_RUN not in document.metadata
    ]


def last_change(documents: Sequence[DocumentRef]) -> int:
    """Returns when one of the documents changed last, in nanoseconds since 1970; 0 without any."""
    return max((document.updated for document in documents), default=0)


def category_of(text: Text) -> str:
    """Returns the category of discovery that fits a document: what its metadata says, else by its kind; or empty."""
    if text.topic in CATEGORIES:
        return text.topic
    return next((name for name, kinds in CATEGORIES.items() if text.category in kinds - {*_GENERAL}), "")
