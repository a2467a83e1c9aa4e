"""Runs the migrations on the connection that the store hands over.

The table of versions has a name of its own: another server may keep its tables in the same database.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="utility_schema")
with context.begin_transaction():
    context.run_migrations()
