"""JSON Schema as a grammar. What it cannot hold exactly it refuses, with the path in the schema. Pure.

Supported: type (one or several), properties, required, additionalProperties (closed objects, or maps), items,
prefixItems, minItems, maxItems, minLength, maxLength, format (date, date-time, time, uuid), minimum, maximum (whole
bounds), exclusive bounds of integers, enum, const, anyOf, allOf of one, and $ref within the schema.
An object is written with its properties in the schema's order and with no others.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from onenumbers_models.grammar import gbnf
from onenumbers_runtime.errors import InvalidArgumentError, invalid

MAX_DEPTH, MAX_RULES, MAX_REPEAT = 32, 2000, 1000
"""Depth of a schema without its references, rules of a grammar, and most repetitions that are counted."""

_NOTES = {"title", "description", "default", "examples", "$schema", "$id", "$comment", "deprecated", "readOnly"}
_NOTES |= {"writeOnly", "$defs", "definitions"}
_KEYWORDS = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "prefixItems", "minItems", "maxItems"},
    "string": {"minLength", "maxLength", "format"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
    "number": {"minimum", "maximum"},
    "boolean": set[str](),
    "null": set[str](),
}
_ALL = set[str]().union(*_KEYWORDS.values())
_FORMATS = {
    "date": gbnf.DATE,
    "date-time": f'({gbnf.DATE}) "T" {gbnf.TIME}',
    "time": gbnf.TIME,
    "uuid": gbnf.UUID,
}
_COLON, _COMMA = '":" " "?', '"," " "?'
_ANY_DEPTH = 5
"""Levels of a value of which the schema says nothing."""


def grammar_of(schema: Mapping[str, Any] | bool) -> str:
    """Returns the GBNF of which every text is a JSON value that follows the schema.

    Raises:
        InvalidArgumentError: The schema has what cannot be kept exactly; the violation's field is the path.
    """
    return _Converter(schema).text()


def _refuse(path: str, why: str) -> InvalidArgumentError:
    return invalid(path, why, rule="schema.supported", reason="SCHEMA_UNSUPPORTED")


class _Converter:
    def __init__(self, schema: Mapping[str, Any] | bool) -> None:
        self._schema = schema
        self._rules: dict[str, str] = {}
        self._references: dict[str, str] = {}
        self._visitors: dict[str, Callable[[Mapping[str, Any], str, int], str]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "number": self._number,
            "boolean": lambda *_: '"true" | "false"',
            "null": lambda *_: '"null"',
        }

    def text(self) -> str:
        # A rule of its own, so that the root too can be referred to.
        self._rules["root"] = self._reference("#", "#", 0)
        return "\n".join(f"{name} ::= {rule}" for name, rule in self._rules.items()) + "\n"

    def _named(self, rule: str, name: str | None = None) -> str:
        name = name or f"r{len(self._rules)}"
        if name not in self._rules and len(self._rules) >= MAX_RULES:
            raise _refuse("#", f"makes more than {MAX_RULES} rules")
        self._rules[name] = rule
        return name

    def _character(self) -> str:
        return self._named(gbnf.STRING_CHARACTER, "character")

    def _rule(self, schema: Any, path: str, depth: int) -> str:
        """Returns the name of the rule for a schema."""
        if schema is True or schema == {}:
            return self._anything(_ANY_DEPTH)
        if not isinstance(schema, Mapping):
            raise _refuse(path, "must be an object, or true")
        if depth > MAX_DEPTH:
            raise _refuse(path, f"lies deeper than {MAX_DEPTH} levels")
        schema = {key: value for key, value in schema.items() if key not in _NOTES}
        if not schema:
            return self._anything(_ANY_DEPTH)
        if "$ref" in schema:
            self._alone(schema, "$ref", path)
            return self._reference(schema["$ref"], f"{path}/$ref", depth)
        if "anyOf" in schema:
            self._alone(schema, "anyOf", path)
            return self._union(schema["anyOf"], f"{path}/anyOf", depth)
        if "allOf" in schema:
            self._alone(schema, "allOf", path)
            parts = schema["allOf"]
            if not isinstance(parts, list) or len(parts) != 1:
                raise _refuse(f"{path}/allOf", "is supported with one schema only")
            return self._rule(parts[0], f"{path}/allOf/0", depth + 1)
        if "enum" in schema or "const" in schema:
            return self._values(schema, path)
        return self._typed(schema, path, depth)

    def _alone(self, schema: Mapping[str, Any], key: str, path: str) -> None:
        others = sorted(set(schema) - {key})
        if others:
            raise _refuse(f"{path}/{others[0]}", f"is not supported beside {key}")

    def _reference(self, target: Any, path: str, depth: int) -> str:
        if not isinstance(target, str) or not target.startswith("#"):
            raise _refuse(path, "must lie within the schema (#/...)")
        if target in self._references:
            return self._references[target]
        found: Any = self._schema
        for part in target.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or key not in found:
                raise _refuse(path, f"names {target}, which is not there")
            found = found[key]
        name = f"d{len(self._references)}"
        self._references[target] = name
        self._named(self._rule(found, target, depth + 1), name)
        return name

    def _union(self, parts: Any, path: str, depth: int) -> str:
        if not isinstance(parts, list) or not parts:
            raise _refuse(path, "must be a list of schemas")
        names = [self._rule(part, f"{path}/{place}", depth + 1) for place, part in enumerate(parts)]
        return self._named(" | ".join(dict.fromkeys(names)))

    def _values(self, schema: Mapping[str, Any], path: str) -> str:
        key = "const" if "const" in schema else "enum"
        values = [schema["const"]] if key == "const" else schema["enum"]
        others = sorted(set(schema) - {key, "type"})
        if others:
            raise _refuse(f"{path}/{others[0]}", f"is not supported beside {key}")
        if not isinstance(values, list) or not values:
            raise _refuse(f"{path}/enum", "must be a list of values")
        kinds = schema.get("type", list(_KEYWORDS))
        kinds = kinds if isinstance(kinds, list) else [kinds]
        fitting = [value for value in values if any(_is(value, kind) for kind in kinds)]
        if not fitting:
            raise _refuse(f"{path}/{key}", "has no value of the type")
        try:
            texts = [json.dumps(value, ensure_ascii=False, allow_nan=False) for value in fitting]
        except (TypeError, ValueError):
            raise _refuse(f"{path}/{key}", "has a value that JSON does not have") from None
        return self._named(" | ".join(gbnf.literal(text) for text in texts))

    def _typed(self, schema: Mapping[str, Any], path: str, depth: int) -> str:
        kinds = schema.get("type")
        if kinds is None and schema.keys() & {"properties", "additionalProperties", "required"}:
            kinds = "object"
        elif kinds is None and schema.keys() & {"items", "prefixItems"}:
            kinds = "array"
        unknown = sorted(set(schema) - _ALL - {"type"})
        if unknown:
            raise _refuse(f"{path}/{unknown[0]}", "is not supported")
        if kinds is None:
            raise _refuse(path, "must say its type")
        several = kinds if isinstance(kinds, list) else [kinds]
        if not several or any(kind not in _KEYWORDS for kind in several):
            raise _refuse(f"{path}/type", f"must be of {', '.join(_KEYWORDS)}")
        for key in sorted(set(schema) - {"type"}):
            if not any(key in _KEYWORDS[kind] for kind in several):
                raise _refuse(f"{path}/{key}", f"does not apply to {', '.join(several)}")
            if key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum") and "number" in several:
                self._whole(schema, key, path)
        names = [self._named(self._visitors[kind](schema, path, depth)) for kind in several]
        return names[0] if len(names) == 1 else self._named(" | ".join(names))

    def _object(self, schema: Mapping[str, Any], path: str, depth: int) -> str:
        properties, required = schema.get("properties", {}), schema.get("required", [])
        more = schema.get("additionalProperties", not properties)
        if not isinstance(properties, Mapping):
            raise _refuse(f"{path}/properties", "must be an object")
        if not isinstance(required, list) or any(name not in properties for name in required):
            raise _refuse(f"{path}/required", "must be a list of names that properties has")
        if not properties:
            if more is False:
                return '"{" "}"'
            value = self._rule(more, f"{path}/additionalProperties", depth + 1)
            pair = self._named(f'"\\"" {self._character()}{{1,64}} "\\"" {_COLON} {value}')
            return f'"{{" {gbnf.separated(pair, _COMMA, 0, None)} "}}"'
        if more not in (False, True):
            raise _refuse(f"{path}/additionalProperties", "is supported as a schema only without properties")
        pairs = []
        for name, part in properties.items():
            value = self._rule(part, f"{path}/properties/{name}", depth + 1)
            key = gbnf.literal(json.dumps(name, ensure_ascii=False))
            pairs.append((self._named(f"{key} {_COLON} {value}"), name in required))
        return f'"{{" {self._members(pairs)} "}}"'

    def _members(self, pairs: list[tuple[str, bool]]) -> str:
        """Returns the expression for properties in their order, of which some may be left out."""
        rests = ['""']
        for pair, needed in reversed(pairs[1:]):
            rest = rests[-1]
            rests.append(self._named(f"{_COMMA} {pair} {rest}" if needed else f"({_COMMA} {pair})? {rest}"))
        rests.reverse()
        first = '""'
        for (pair, needed), rest in zip(reversed(pairs), reversed(rests), strict=True):
            one = f"{pair} {rest}"
            first = one if needed else self._named(f"{one} | {first}")
        return first

    def _array(self, schema: Mapping[str, Any], path: str, depth: int) -> str:
        low, high = self._counts(schema, path, "minItems", "maxItems")
        heads = schema.get("prefixItems", [])
        if heads:
            if not isinstance(heads, list) or schema.get("items", False) is not False:
                raise _refuse(f"{path}/prefixItems", "is supported with items: false only")
            if low > len(heads) or (high is not None and high < len(heads)):
                raise _refuse(f"{path}/prefixItems", "does not fit minItems and maxItems")
            names = [self._rule(part, f"{path}/prefixItems/{n}", depth + 1) for n, part in enumerate(heads)]
            return f'"[" {f" {_COMMA} ".join(names)} "]"'
        if schema.get("items") is False:
            if low:
                raise _refuse(f"{path}/items", "allows no item where minItems asks for one")
            return '"[" "]"'
        item = self._rule(schema.get("items", True), f"{path}/items", depth + 1)
        return f'"[" {gbnf.separated(item, _COMMA, low, high)} "]"'

    def _string(self, schema: Mapping[str, Any], path: str, depth: int) -> str:  # noqa: ARG002 - as its siblings
        kind = schema.get("format")
        if kind is not None:
            if kind not in _FORMATS:
                raise _refuse(f"{path}/format", f"must be one of {', '.join(_FORMATS)}")
            if schema.keys() & {"minLength", "maxLength"}:
                raise _refuse(f"{path}/format", "is not supported beside minLength and maxLength")
            return f'"\\"" ({_FORMATS[kind]}) "\\""'
        low, high = self._counts(schema, path, "minLength", "maxLength")
        return f'"\\"" {gbnf.repeated(self._character(), low, high)} "\\""'

    def _integer(self, schema: Mapping[str, Any], path: str, depth: int) -> str:  # noqa: ARG002 - as its siblings
        lows: list[int] = []
        highs: list[int] = []
        for key, bounds, up, step in (
            ("minimum", lows, True, 0),
            ("exclusiveMinimum", lows, True, 1),
            ("maximum", highs, False, 0),
            ("exclusiveMaximum", highs, False, -1),
        ):
            value = schema.get(key)
            if value is None:
                continue
            if not _is(value, "number") or not math.isfinite(value):
                raise _refuse(f"{path}/{key}", "must be a number")
            # An exclusive bound that is no whole number excludes nothing beyond rounding.
            whole = math.ceil(value) if up else math.floor(value)
            bounds.append(whole + (step if whole == value else 0))
        low, high = (max(lows) if lows else None), (min(highs) if highs else None)
        self._bounds(path, low, high)
        return gbnf.integer(low, high)

    def _number(self, schema: Mapping[str, Any], path: str, depth: int) -> str:  # noqa: ARG002 - as its siblings
        low, high = self._whole(schema, "minimum", path), self._whole(schema, "maximum", path)
        self._bounds(path, low, high)
        return gbnf.number(low, high)

    def _whole(self, schema: Mapping[str, Any], key: str, path: str) -> int | None:
        value = schema.get(key)
        if value is None:
            return None
        if key.startswith("exclusive") or not _is(value, "integer"):
            raise _refuse(f"{path}/{key}", "is supported for numbers as a whole bound that is included")
        return int(value)

    def _bounds(self, path: str, low: int | None, high: int | None) -> None:
        limit = 10**gbnf.DIGITS
        if any(bound is not None and abs(bound) >= limit for bound in (low, high)):
            raise _refuse(path, f"has a bound of more than {gbnf.DIGITS} digits")
        if low is not None and high is not None and low > high:
            raise _refuse(path, "allows no number")

    def _counts(self, schema: Mapping[str, Any], path: str, least: str, most: str) -> tuple[int, int | None]:
        low, high = schema.get(least, 0), schema.get(most)
        for key, value in ((least, low), (most, high)):
            if value is not None and (not _is(value, "integer") or not 0 <= value <= MAX_REPEAT):
                raise _refuse(f"{path}/{key}", f"must be a whole number from 0 to {MAX_REPEAT}")
        if high is not None and low > high:
            raise _refuse(f"{path}/{most}", f"is less than {least}")
        return int(low), None if high is None else int(high)

    def _anything(self, depth: int) -> str:
        """Returns the rule for any value of at most `depth` levels."""
        name = f"any{depth}"
        if name in self._rules:
            return name
        text = f'"\\"" {gbnf.repeated(self._character(), 0, None)} "\\""'
        kinds = [text, gbnf.number(None, None), '"true" | "false" | "null"']
        if depth:
            value = self._anything(depth - 1)
            pair = self._named(f"({text}) {_COLON} {value}", f"pair{depth}")
            kinds += [f'"[" {gbnf.separated(value, _COMMA, 0, None)} "]"']
            kinds += [f'"{{" {gbnf.separated(pair, _COMMA, 0, None)} "}}"']
        return self._named(" | ".join(kinds), name)


def _is(value: Any, kind: str) -> bool:
    """Tells whether a value is of a type of JSON Schema."""
    if isinstance(value, bool):
        return kind == "boolean"
    kinds: dict[str, Any] = {"object": Mapping, "array": list, "string": str, "null": type(None)}
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if kind == "number":
        return isinstance(value, int | float)
    return kind in kinds and isinstance(value, kinds[kind])
