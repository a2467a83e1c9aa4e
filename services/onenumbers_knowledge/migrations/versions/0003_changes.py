"""What changed, for servers that share a database to follow; and names that no other server's tables have."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("documents", "passages", "state", "facts", "removed")
ID = sa.String(100).with_variant(sa.String(100, collation="C"), "postgresql")
KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    for name in TABLES:
        op.rename_table(name, f"knowledge_{name}")
    op.create_table(
        "knowledge_changes",
        sa.Column("number", KEY, primary_key=True, autoincrement=False),
        sa.Column("stamp", KEY, nullable=False),
        sa.Column("document_id", ID, nullable=False),
        sa.Column("gone", sa.Text, nullable=False),
    )
    first = sa.text(
        "INSERT INTO knowledge_changes (number, stamp, document_id, gone) "
        "SELECT value, :stamp, '', '[]' FROM knowledge_state WHERE name = 'changes'"
    )
    op.execute(first.bindparams(sa.bindparam("stamp", secrets.randbits(62), KEY)))


def downgrade() -> None:
    op.drop_table("knowledge_changes")
    for name in TABLES:
        op.rename_table(f"knowledge_{name}", name)
