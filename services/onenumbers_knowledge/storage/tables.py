"""Tables of the document store. The migrations make them; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

# Ids are compared byte by byte on both databases: pages, and the order of a snapshot, must not hang on a language.
_ID = String(100).with_variant(String(100, collation="C"), "postgresql")
# SQLite counts up only an INTEGER, which has 64 bits there.
_KEY = BigInteger().with_variant(Integer, "sqlite")
# The name of a file, which may be longer; SQLite does not count.
_MODEL = String(200).with_variant(Text, "postgresql")

documents = Table(
    "knowledge_documents",
    metadata,
    Column("id", _ID, primary_key=True),
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
    "knowledge_passages",
    metadata,
    # AUTOINCREMENT: a number in the index is never given twice, or a late search would find the wrong passage.
    Column("key", _KEY, primary_key=True, autoincrement=True),
    Column("document_id", _ID, ForeignKey("knowledge_documents.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("section", Text, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("model", _MODEL, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    Index("passages_by_document", "document_id"),
    Index("passages_by_model", "model", "document_id"),
    sqlite_autoincrement=True,
)

state = Table(
    "knowledge_state",
    metadata,
    Column("name", String(50), primary_key=True),
    Column("value", _KEY, nullable=False),
)
"""Counters; "changes" grows with every change of a document. Whoever writes locks that row, so writers take turns."""

changes = Table(
    "knowledge_changes",
    metadata,
    Column("number", _KEY, primary_key=True, autoincrement=False),
    Column("stamp", _KEY, nullable=False),
    Column("document_id", _ID, nullable=False),
    Column("gone", Text, nullable=False),
)
"""What changed, the last of it: what every server's index follows. See `change_log`."""

facts = Table(
    "knowledge_facts",
    metadata,
    Column("name", String(50), primary_key=True),
    Column("value", Text, nullable=False),
)
"""What is known of the collection as a whole: the embedding model that its searches use, and what was interrupted."""

removed = Table("knowledge_removed", metadata, Column("id", _ID, primary_key=True))
"""Documents of the starter corpus that somebody deleted: they are not loaded again."""
