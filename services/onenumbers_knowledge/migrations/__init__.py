"""Migrations of the document store, by Alembic."""
