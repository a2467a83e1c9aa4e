"""Documents and their passages."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Of PostgreSQL, ids are compared byte by byte, and numbers have 64 bits as they have in SQLite.
ID = sa.String(100).with_variant(sa.String(100, collation="C"), "postgresql")
KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("id", ID, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("category", sa.String(20), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("school", sa.String(100), nullable=False),
        sa.Column("numbers", sa.Text, nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("metadata", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("record_hash", sa.String(64), nullable=False),
        sa.Column("characters", sa.Integer, nullable=False),
        sa.Column("passages", sa.Integer, nullable=False),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("updated", sa.DateTime, nullable=False),
    )
    op.create_index("documents_by_category", "documents", ["category", "id"])
    op.create_table(
        "passages",
        sa.Column("key", KEY, primary_key=True, autoincrement=True),
        sa.Column("document_id", ID, sa.ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("section", sa.Text, nullable=False),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("end", sa.Integer, nullable=False),
        sa.Column("model", sa.String(200).with_variant(sa.Text, "postgresql"), nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("passages_by_document", "passages", ["document_id"])
    op.create_table(
        "state",
        sa.Column("name", sa.String(50), primary_key=True),
        sa.Column("value", KEY, nullable=False),
    )
    op.create_table("removed", sa.Column("id", ID, primary_key=True))
    op.execute("INSERT INTO state (name, value) VALUES ('changes', 0)")


def downgrade() -> None:
    for table in ("removed", "state", "passages", "documents"):
        op.drop_table(table)
