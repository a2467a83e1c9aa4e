"""Documents and passages, and what a document must be to be kept."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from onenumbers_runtime.errors import NotFoundError, invalid

CATEGORIES = ("calculation", "interpretation", "compatibility", "cycles", "utility", "validation")
SOURCES = ("classical", "modern", "mystical", "scientific")
MAX_METADATA_KEYS = 100
MAX_METADATA_BYTES = 64 * 1024
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document as it is handed in."""

    title: str
    content: str
    category: str
    source: str = "modern"
    document_id: str = ""
    """Made from the content when empty."""
    school: str = ""
    numbers: Sequence[int] = ()
    language: str = "en"
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identifier(self) -> str:
        """The document's id: the given one, or one made from the content."""
        return self.document_id or f"doc-{self.content_hash[:16]}"

    @property
    def content_hash(self) -> str:
        """SHA-256 of the content, hexadecimal."""
        return hashlib.sha256(self.content.encode()).hexdigest()

    @property
    def record_hash(self) -> str:
        """SHA-256 of everything: the same means that nothing changed."""
        record = [
            *(self.title, self.content, self.category, self.source, self.school, self.language),
            sorted(set(self.numbers)),
            self.metadata,
        ]
        return hashlib.sha256(json.dumps(record, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What is known of a stored document beside its text."""

    document_id: str
    title: str
    category: str
    source: str
    school: str
    numbers: tuple[int, ...]
    language: str
    version: int
    content_hash: str
    record_hash: str
    characters: int
    passages: int
    created: datetime
    updated: datetime
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DocumentLabel:
    """What a search shows of the document of a passage."""

    title: str
    category: str
    source: str
    school: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A stored document with its text."""

    info: DocumentInfo
    content: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that is searched and cited as one."""

    key: int
    """Number in the index, never used twice."""
    document_id: str
    version: int
    position: int
    section: str
    start: int
    end: int
    """One past the last character; offsets count characters of the content."""
    text: str

    @property
    def passage_id(self) -> str:
        """Identifier, stable for this version of the document."""
        return f"{self.document_id}:{self.version}:{self.position}"


def again(stored: Document) -> NewDocument:
    """Returns a stored document as it would be handed in."""
    info = stored.info
    return replace(
        NewDocument(title=info.title, content=stored.content, category=info.category),
        source=info.source,
        document_id=info.document_id,
        school=info.school,
        numbers=info.numbers,
        language=info.language,
        metadata=dict(info.metadata),
    )


def check(document: NewDocument) -> None:
    """Enforces what the contract's field rules cannot say.

    Raises:
        InvalidArgumentError: Names the field and the rule.
    """
    if not document.title.strip():
        raise invalid("title", "holds only white space", rule="title.blank")
    if not document.content.strip():
        raise invalid("content", "holds only white space", rule="content.blank")
    for name, text in (("title", document.title), ("content", document.content), ("school", document.school)):
        found = _CONTROL.search(text)
        if found is not None:
            raise invalid(
                name,
                f"holds the control character U+{ord(found[0]):04X} at position {found.start()}: is it text?",
                rule=f"{name}.control_character",
            )
    if len(document.metadata) > MAX_METADATA_KEYS:
        raise invalid(
            "metadata",
            f"has {len(document.metadata)} keys, at most {MAX_METADATA_KEYS} may be",
            rule="metadata.max_keys",
        )
    size = len(json.dumps(document.metadata, ensure_ascii=False).encode())
    if size > MAX_METADATA_BYTES:
        raise invalid(
            "metadata", f"has {size} bytes as JSON, at most {MAX_METADATA_BYTES} may be", rule="metadata.max_bytes"
        )


def not_found(document_id: str) -> NotFoundError:
    """Returns the error for a document that is not there."""
    return NotFoundError(f"there is no document {document_id!r}", reason="DOCUMENT_NOT_FOUND")
