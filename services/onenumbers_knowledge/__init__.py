"""The knowledge server: documents, and retrieval over their passages."""
