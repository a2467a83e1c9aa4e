"""The document store: the truth that indexes are made from."""
