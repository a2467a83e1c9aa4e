"""Field rules of the contract (buf.validate), enforced on every request."""

from __future__ import annotations

from typing import Any

import protovalidate
from google.protobuf.message import Message

from onenumbers_runtime.errors import FieldViolation, InvalidArgumentError


def field_path(path: Any) -> str:
    """Returns a violation's path as people write it: `profiles[3].name`, `metadata["key"]`."""
    if path is None:
        return ""
    text = ""
    for element in path.elements:
        text += f".{element.field_name}" if text else element.field_name
        kind = element.subscript
        if kind is not None:
            value = kind.value
            text += f'["{value}"]' if isinstance(value, str) else f"[{value}]"
    return text


class RequestValidator:
    """Checks messages against their rules. One per generation of descriptors: it keeps what it compiled."""

    def __init__(self) -> None:
        self._validator = protovalidate.Validator()

    def check(self, message: Message) -> None:
        """Does nothing for a valid message.

        Raises:
            InvalidArgumentError: With one violation per broken rule; the message names the first ones.
        """
        found = self._validator.collect_violations(message)
        if not found:
            return
        violations = [
            FieldViolation(
                field=field_path(item.proto.field) or "(request)",
                description=item.proto.message or "is not valid",
                rule=item.proto.rule_id or "",
            )
            for item in found
        ]
        text = "; ".join(f"{violation.field}: {violation.description}" for violation in violations[:3])
        if len(violations) > 3:
            text += f"; and {len(violations) - 3} more"
        raise InvalidArgumentError(text, reason="INVALID_FIELD", violations=violations)
