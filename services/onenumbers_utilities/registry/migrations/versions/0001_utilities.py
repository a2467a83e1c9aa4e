"""Utilities, their definitions and their history."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "utilities",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("updated", sa.DateTime, nullable=False),
    )
    op.create_index("utilities_by_status", "utilities", ["status", "id"])
    op.create_table(
        "utility_definitions",
        sa.Column("utility_id", sa.String(64), sa.ForeignKey("utilities.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("result_kind", sa.String(10), nullable=False),
        sa.Column("result_repeated", sa.Integer, nullable=False),
        sa.Column("examples_given", sa.Integer, nullable=False),
        sa.Column("examples_reproduced", sa.Integer, nullable=False),
    )
    op.create_table(
        "utility_events",
        sa.Column("key", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("utility_id", sa.String(64), sa.ForeignKey("utilities.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("time", sa.DateTime, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("utility_events_by_utility", "utility_events", ["utility_id", "key"])
    op.create_table(
        "utility_state",
        sa.Column("name", sa.String(50), primary_key=True),
        sa.Column("value", sa.Integer, nullable=False),
    )
    op.execute("INSERT INTO utility_state (name, value) VALUES ('changes', 0)")


def downgrade() -> None:
    for table in ("utility_state", "utility_events", "utility_definitions", "utilities"):
        op.drop_table(table)
