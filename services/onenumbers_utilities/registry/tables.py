"""Tables of the registry. The migrations make them; a test compares the two."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

utilities = Table(
    "utilities",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("updated", DateTime, nullable=False),
    Index("utilities_by_status", "status", "id"),
)
"""Which version of a utility stands, and where it stands."""

definitions = Table(
    "utility_definitions",
    metadata,
    Column("utility_id", String(64), ForeignKey("utilities.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("definition", Text, nullable=False),
    Column("result_kind", String(10), nullable=False),
    Column("result_repeated", Integer, nullable=False),
    Column("examples_given", Integer, nullable=False),
    Column("examples_reproduced", Integer, nullable=False),
)
"""Every version as it was registered; never changed, never deleted."""

events = Table(
    "utility_events",
    metadata,
    Column("key", Integer, primary_key=True, autoincrement=True),
    Column("utility_id", String(64), ForeignKey("utilities.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("time", DateTime, nullable=False),
    Column("note", Text, nullable=False),
    Index("utility_events_by_utility", "utility_id", "key"),
)

state = Table(
    "utility_state",
    metadata,
    Column("name", String(50), primary_key=True),
    Column("value", Integer, nullable=False),
)
"""Counters; "changes" grows with every change, so that replicas notice each other's."""
