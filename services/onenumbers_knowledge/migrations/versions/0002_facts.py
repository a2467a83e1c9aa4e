"""What is known of the collection as a whole: the embedding model that its searches use, and what was interrupted."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "facts",
        sa.Column("name", sa.String(50), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_index("passages_by_model", "passages", ["model", "document_id"])


def downgrade() -> None:
    op.drop_index("passages_by_model", "passages")
    op.drop_table("facts")
