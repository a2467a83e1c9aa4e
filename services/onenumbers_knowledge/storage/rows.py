"""Documents and passages as rows of the store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select

from onenumbers_knowledge.documents import DocumentInfo, DocumentLabel, NewDocument, Passage
from onenumbers_knowledge.ingestion.chunking import Chunk
from onenumbers_knowledge.storage.tables import documents, passages

INFO = select(
    *(documents.c.id, documents.c.title, documents.c.category, documents.c.source, documents.c.school),
    *(documents.c.numbers, documents.c.language, documents.c.metadata, documents.c.version),
    *(documents.c.content_hash, documents.c.record_hash, documents.c.characters),
    *(documents.c.passages, documents.c.created, documents.c.updated),
)
"""Selects what `info_of` reads."""
PASSAGES = (
    select(
        *(passages.c.key, documents.c.id, documents.c.version),
        *(passages.c.position, passages.c.section, passages.c.start, passages.c.end),
        func.substr(documents.c.content, passages.c.start + 1, passages.c.end - passages.c.start).label("text"),
        *(documents.c.title, documents.c.category, documents.c.source, documents.c.school, documents.c.numbers),
    )
    .join(passages, passages.c.document_id == documents.c.id)
    .where(passages.c.key.in_(bindparam("keys", expanding=True)))
)
"""Selects what `passage_of` reads, of the passages with the keys in `keys`."""


def info_of(row: Any) -> DocumentInfo:
    """Returns what is known of a document, from a row of `INFO`."""
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for a row's columns
    return DocumentInfo(
        document_id=values["id"],
        title=values["title"],
        category=values["category"],
        source=values["source"],
        school=values["school"],
        numbers=tuple(json.loads(values["numbers"])),
        language=values["language"],
        version=values["version"],
        content_hash=values["content_hash"],
        record_hash=values["record_hash"],
        characters=values["characters"],
        passages=values["passages"],
        created=values["created"],
        updated=values["updated"],
        metadata=json.loads(values["metadata"]),
    )


def passage_of(row: Any) -> tuple[int, tuple[Passage, DocumentLabel]]:
    """Returns key, passage and what is shown of its document, from a row of `PASSAGES`."""
    key, document_id, version, position, section, start, end, text, title, category, source, school, numbers = row
    passage = Passage(
        key=key,
        document_id=document_id,
        version=version,
        position=position,
        section=section,
        start=start,
        end=end,
        text=text,
    )
    label = DocumentLabel(
        title=title, category=category, source=source, school=school, numbers=tuple(json.loads(numbers))
    )
    return key, (passage, label)


def values_of(document: NewDocument, count: int) -> dict[str, Any]:
    """Returns the columns of a document with so many passages, but for its id, version and times."""
    return {
        "title": document.title,
        "content": document.content,
        "category": document.category,
        "source": document.source,
        "school": document.school,
        "numbers": json.dumps(sorted(set(document.numbers))),
        "language": document.language,
        "metadata": json.dumps(document.metadata, ensure_ascii=False),
        "content_hash": document.content_hash,
        "record_hash": document.record_hash,
        "characters": len(document.content),
        "passages": count,
    }


def insert_passages(
    connection: Connection, document_id: str, chunks: Sequence[Chunk], vectors: Sequence[bytes], model: str
) -> list[int]:
    """Stores the passages of a document; returns their keys, which ascend beside each other."""
    rows = [
        {
            "document_id": document_id,
            "position": position,
            "section": chunk.section,
            "start": chunk.start,
            "end": chunk.end,
            "model": model,
            "vector": vector,
        }
        for position, (chunk, vector) in enumerate(zip(chunks, vectors, strict=True))
    ]
    if not rows:
        return []
    added = insert(passages).returning(passages.c.key, sort_by_parameter_order=True)
    return [int(key) for key in connection.execute(added, rows).scalars()]
