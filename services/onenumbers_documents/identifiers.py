"""Identifiers of the documents of a file."""

from __future__ import annotations

import hashlib
import re

MAX_KEY = 24
"""Characters that a key adds to an identifier at most, beside a hyphen."""
_SHORT = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{MAX_KEY - 1}}}")


def key_id(base: str, key: str) -> str:
    """Returns the identifier of one of several documents of a file. The first part of a text has the file's own."""
    if key in ("", "part-1"):
        return base
    short = key if _SHORT.fullmatch(key) else hashlib.sha256(key.encode(errors="replace")).hexdigest()[:MAX_KEY]
    return f"{base}-{short}"
