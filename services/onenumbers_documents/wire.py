"""What goes through the pipes between a reader and its child process: a length of four bytes, then JSON."""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Mapping
from typing import Any

from onenumbers_documents.model import DocumentError, Note, ParsedDocument

LENGTH = struct.Struct("!I")
LARGEST_FRAME = 64 * 1024 * 1024
"""Bytes of a frame at most: a document of a million characters takes at most 12 of them, and its metadata little."""


def packed(message: Mapping[str, Any]) -> bytes:
    """Returns a message as a frame."""
    body = json.dumps(message).encode()
    return LENGTH.pack(len(body)) + body


def frame_of(item: ParsedDocument | Note) -> bytes:
    """Returns what was read as a frame."""
    name = "document" if isinstance(item, ParsedDocument) else "note"
    return packed({name: dataclasses.asdict(item)})


def item_of(message: Mapping[str, Any]) -> ParsedDocument | Note | None:
    """Returns what a frame holds; None after the last one of a file.

    Raises:
        DocumentError: The file cannot be read.
    """
    if "document" in message:
        values = dict(message["document"])
        return ParsedDocument(**{**values, "numbers": tuple(values["numbers"])})
    if "note" in message:
        return Note(**message["note"])
    if "error" in message:
        raise DocumentError(message["error"])
    return None
