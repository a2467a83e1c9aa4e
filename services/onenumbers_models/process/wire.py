"""What the server and the model's process say to each other: one JSON document a line, over a socket pair.

To the process: {"op": "generate", "id", "messages", "options"}, {"op": "cancel", "id"}.
From it: {"ready": {"context_length"}} or {"failed": reason}, then {"id", "text"}, {"id", "end"}, {"id", "error"} and
{"statistics"}.
"""

from __future__ import annotations

import json
from asyncio import StreamReader
from dataclasses import asdict
from typing import Any

from onenumbers_models.errors import ModelError
from onenumbers_models.generation.requests import Completion
from onenumbers_runtime import errors
from onenumbers_runtime.errors import FieldViolation, MeshError

LINE_LIMIT = 32 * 1024 * 1024
"""Bytes of one message."""

_CLASSES: dict[str, type[MeshError]] = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, MeshError) and kind is not MeshError
}


def encode(message: dict[str, Any]) -> bytes:
    """Returns a message as a line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


async def receive(reader: StreamReader) -> dict[str, Any] | None:
    """Returns the next message; None where the other side is gone."""
    try:
        line = await reader.readline()
    except (ConnectionError, ValueError):  # ValueError: a line beyond the limit, which is no message of ours
        return None
    return dict(json.loads(line)) if line.endswith(b"\n") else None


def encode_event(number: int, event: str | Completion | BaseException) -> dict[str, Any]:
    """Returns the message for a piece of an answer, its end, or its error."""
    if isinstance(event, str):
        return {"id": number, "text": event}
    if isinstance(event, Completion):
        return {"id": number, "end": asdict(event)}
    if not isinstance(event, MeshError):
        # Only our own texts cross the border: those of other errors may say too much.
        reason = str(event) if isinstance(event, ModelError) else "the model failed: see the server's log"
        return {"id": number, "error": {"code": "", "message": reason}}
    return {
        "id": number,
        "error": {
            "code": event.code,
            "message": event.message,
            "reason": event.reason,
            "violations": [asdict(item) for item in event.violations],
            "metadata": event.metadata,
            "retry_after": event.retry_after,
        },
    }


def decode_event(message: dict[str, Any]) -> str | Completion | Exception:
    """Returns what `encode_event` was given."""
    if "text" in message:
        return str(message["text"])
    if "end" in message:
        return Completion(**message["end"])
    error = message["error"]
    kind = _CLASSES.get(error["code"])
    if kind is None:
        return ModelError(error["message"])
    return kind(
        error["message"],
        reason=error["reason"],
        violations=[FieldViolation(**item) for item in error["violations"]],
        metadata=error["metadata"],
        retry_after=error["retry_after"],
    )
