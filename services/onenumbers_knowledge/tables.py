"""Tables of the document store. The migrations make them; a test compares the two."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

documents = Table(
    "documents",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("title", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("category", String(20), nullable=False),
    Column("source", String(20), nullable=False),
    Column("school", String(100), nullable=False),
    Column("numbers", Text, nullable=False),
    Column("language", String(35), nullable=False),
    Column("metadata", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("record_hash", String(64), nullable=False),
    Column("characters", Integer, nullable=False),
    Column("passages", Integer, nullable=False),
    Column("created", DateTime, nullable=False),
    Column("updated", DateTime, nullable=False),
    Index("documents_by_category", "category", "id"),
)

passages = Table(
    "passages",
    metadata,
    # AUTOINCREMENT: a number in the index is never given twice, or a late search would find the wrong passage.
    Column("key", Integer, primary_key=True, autoincrement=True),
    Column("document_id", String(100), ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("section", Text, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("model", String(200), nullable=False),
    Column("vector", LargeBinary, nullable=False),
    Index("passages_by_document", "document_id"),
    Index("passages_by_model", "model", "document_id"),
    sqlite_autoincrement=True,
)

state = Table(
    "state",
    metadata,
    Column("name", String(50), primary_key=True),
    Column("value", Integer, nullable=False),
)
"""Counters; "changes" grows with every change of a document."""

facts = Table("facts", metadata, Column("name", String(50), primary_key=True), Column("value", Text, nullable=False))
"""What is known of the collection as a whole: the embedding model that its searches use, and what was interrupted."""

removed = Table("removed", metadata, Column("id", String(100), primary_key=True))
"""Documents of the starter corpus that somebody deleted: they are not loaded again."""
