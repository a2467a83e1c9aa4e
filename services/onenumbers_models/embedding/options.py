"""How an embedding model wants to be used, where its file does not say it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

Pooling = Literal["", "mean", "cls", "last"]
"""How the vectors of tokens become one of a text; what the GGUF says when empty."""


@dataclass(frozen=True, slots=True)
class EmbeddingOptions:
    """Prefixes that a model was trained with, and what is kept in memory."""

    query_prefix: str = ""
    """Stands before every query, such as "query: "."""
    document_prefix: str = ""
    """Stands before every text of a document, such as "passage: "."""
    cache: int = 4096
    """Vectors that are kept of queries, and as many of documents."""

    def model_id(self, name: str, pooling: Pooling) -> str:
        """Returns the name of a model that is used in this way: what changes a document's vector is part of it."""
        if self.document_prefix:
            name += f"+prefix-{hashlib.sha256(self.document_prefix.encode()).hexdigest()[:8]}"
        return f"{name}+{pooling}" if pooling else name
