"""Runs the migrations on the connection that the store hands over.

The table of versions has a name of its own: another server may keep its tables in the same database.
"""

import sqlalchemy as sa
from alembic import context

connection = context.config.attributes["connection"]
VERSIONS = "knowledge_schema"

# Files of before it had that name; in a database that others use, the old name would be somebody else's.
names = sa.inspect(connection).get_table_names()
if connection.dialect.name == "sqlite" and "alembic_version" in names and "passages" in names:
    connection.exec_driver_sql(f"ALTER TABLE alembic_version RENAME TO {VERSIONS}")

context.configure(connection=connection, version_table=VERSIONS)
with context.begin_transaction():
    context.run_migrations()
