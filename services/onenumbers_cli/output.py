"""What commands print: one JSON document for programs, or text for people; colours only on a terminal."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message
from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
"""Results."""
err = Console(stderr=True, highlight=False, soft_wrap=True)
"""Everything else: progress, warnings, errors."""


def as_json(message: Message) -> Any:
    """Returns a message as protobuf's JSON mapping, with the names of the contract."""
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def print_json(value: Any) -> None:
    """Prints one JSON document; plain where the output is not a terminal."""
    if out.is_terminal:
        out.print_json(json.dumps(value, ensure_ascii=False))
    else:
        print_text(json.dumps(value, ensure_ascii=False, indent=2))


def print_text(text: str) -> None:
    """Prints text as it is: nothing in it is markup."""
    out.print(text, markup=False)
