"""The schemas of a document, each under a name of its own. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

_LOCAL = "#/$defs/"
_SHARED = "#/components/schemas/"


class Components:
    """Collects schemas that several operations refer to.

    Tools bring JSON Schemas with definitions of their own. One message may be described differently in two of them:
    with its rules as an argument, without them in a result, and with other words for its fields. The same schema gets
    one name; another schema of the same message gets another name.
    """

    def __init__(self) -> None:
        self.schemas: dict[str, Schema] = {}
        self._names: dict[tuple[str, str], str] = {}

    def take(self, schema: Mapping[str, Any], *, suffix: str = "") -> Schema:
        """Returns a schema whose definitions have become components.

        Args:
            schema: JSON Schema with "$defs" at its top, or none.
            suffix: Put behind the names of its definitions.
        """
        definitions: Mapping[str, Any] = schema.get("$defs", {})
        names = {name: self._name(name, definitions, suffix) for name in definitions}
        for name, shared in names.items():
            if shared not in self.schemas:
                self.schemas[shared] = _renamed(definitions[name], names)
        rest = {key: value for key, value in schema.items() if key != "$defs"}
        return _renamed(rest, names)  # type: ignore[no-any-return]

    def share(self, name: str, schema: Mapping[str, Any]) -> Schema:
        """Makes a whole schema a component and returns a reference to it."""
        whole = {"$defs": {**schema.get("$defs", {}), name: {k: v for k, v in schema.items() if k != "$defs"}}}
        return self.take({**whole, "$ref": f"{_LOCAL}{name}"})

    def _name(self, name: str, definitions: Mapping[str, Any], suffix: str) -> str:
        content = json.dumps({part: definitions[part] for part in sorted(_reached(name, definitions))}, sort_keys=True)
        known = self._names.get((name, content))
        if known is not None:
            return known
        taken = set(self._names.values())
        wanted = f"{name}{suffix}"
        free, number = wanted, 2
        while free in taken:
            free, number = f"{wanted}{number}", number + 1
        self._names[name, content] = free
        return free


def _reached(name: str, definitions: Mapping[str, Any]) -> set[str]:
    """Returns the definitions that one consists of, itself included."""
    reached: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in reached and one in definitions:
            reached.add(one)
            waiting += _references(definitions[one])
    return reached


def _references(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        found = [item for part in value.values() for item in _references(part)]
        reference = value.get("$ref")
        return [*found, reference.removeprefix(_LOCAL)] if isinstance(reference, str) else found
    return [item for part in value for item in _references(part)] if isinstance(value, list) else []


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {
            key: f"{_SHARED}{names[part.removeprefix(_LOCAL)]}"
            if key == "$ref" and isinstance(part, str) and part.removeprefix(_LOCAL) in names
            else _renamed(part, names)
            for key, part in value.items()
        }
    return [_renamed(part, names) for part in value] if isinstance(value, list) else value
