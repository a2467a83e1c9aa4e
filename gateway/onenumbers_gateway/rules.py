"""buf.validate rules as JSON Schema keywords, and whether a field that is left out breaks them."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from buf.validate import validate_pb2

INT64_KINDS = frozenset(("int64", "uint64", "sint64", "fixed64", "sfixed64"))
NUMERIC_KINDS = INT64_KINDS | {"float", "double", "int32", "uint32", "sint32", "fixed32", "sfixed32"}

_FORMATS = {
    "email": "email",
    "hostname": "hostname",
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "uri": "uri",
    "uri_ref": "uri-reference",
    "uuid": "uuid",
}
# RE2 and ECMA-262 share most of their syntax; these parts they do not.
_RE2_ONLY = re.compile(r"\(\?(?![:=!])|\\[zAQEpP]|\[\[:|\[:")

Schema = dict[str, Any]


def keywords(rules: validate_pb2.FieldRules | None) -> Schema:
    """Returns the keywords that say what `rules` say, as far as JSON Schema can; the server enforces them all."""
    if rules is None or rules.ignore == validate_pb2.IGNORE_ALWAYS:
        return {}
    kind = rules.WhichOneof("type")
    if kind is None:
        return {}
    content = getattr(rules, kind)
    if kind in NUMERIC_KINDS:
        return _number(content, as_text=kind in INT64_KINDS)
    maker = _MAKERS.get(kind)
    return maker(content) if maker is not None else {}


def is_finite(rules: validate_pb2.FieldRules | None) -> bool:
    """Tells whether rules of a floating-point field exclude NaN and the infinities."""
    if rules is None:
        return False
    kind = rules.WhichOneof("type")
    if kind not in ("float", "double"):
        return False
    content = getattr(rules, kind)
    bounded = content.WhichOneof("less_than") is not None and content.WhichOneof("greater_than") is not None
    return bool(content.finite or bounded or getattr(content, "in") or content.HasField("const"))


def allows_zero_beside(rules: validate_pb2.FieldRules | None) -> bool:
    """Tells whether the zero value is allowed although the rules exclude it."""
    return rules is not None and rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE


def is_required(field: FieldDescriptor, rules: validate_pb2.FieldRules | None) -> bool:
    """Tells whether a request without the field is always invalid.

    A field without presence that is left out holds its zero value, and its rules are applied to that.
    """
    if field.is_required:
        return True
    if rules is None or rules.ignore == validate_pb2.IGNORE_ALWAYS:
        return False
    if rules.required:
        return True
    if field.has_presence or rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE:
        return False
    kind = rules.WhichOneof("type")
    if kind is None:
        return False
    return _zero_breaks(kind, getattr(rules, kind))


def _zero_breaks(kind: str, content: Any) -> bool:
    if kind == "repeated":
        return bool(content.min_items)
    if kind == "map":
        return bool(content.min_pairs)
    if kind in NUMERIC_KINDS:
        return not _number_allows(content, 0)
    if kind == "string":
        return _empty_string_breaks(content)
    if kind == "bytes":
        return bool(content.min_len or content.len)
    if kind == "enum":
        members = getattr(content, "in")
        return bool((content.HasField("const") and content.const) or (members and 0 not in members)) or (
            0 in content.not_in
        )
    return bool(kind == "bool" and content.HasField("const") and content.const)


def _empty_string_breaks(content: validate_pb2.StringRules) -> bool:
    members = getattr(content, "in")
    if content.min_len or content.len or content.min_bytes or content.len_bytes:
        return True
    if content.prefix or content.suffix or content.contains or content.const:
        return True
    if (members and "" not in members) or "" in content.not_in:
        return True
    if content.pattern and not _RE2_ONLY.search(content.pattern):
        try:
            return re.search(content.pattern, "") is None
        except re.error:
            return False
    return content.WhichOneof("well_known") in _FORMATS and content.WhichOneof("well_known") != "uri_ref"


def _number_allows(content: Any, value: float) -> bool:
    members = getattr(content, "in")
    if (content.HasField("const") and content.const != value) or (members and value not in members):
        return False
    if value in content.not_in:
        return False
    upper, lower = content.WhichOneof("less_than"), content.WhichOneof("greater_than")
    below = upper is None or (value < content.lt if upper == "lt" else value <= content.lte)
    above = lower is None or (value > content.gt if lower == "gt" else value >= content.gte)
    if upper is not None and lower is not None and getattr(content, upper) < getattr(content, lower):
        return below or above  # buf.validate: an upper bound under the lower one excludes what lies between
    return below and above


def _number(content: Any, *, as_text: bool) -> Schema:
    schema: Schema = {}
    names = {"lt": "exclusiveMaximum", "lte": "maximum", "gt": "exclusiveMinimum", "gte": "minimum"}
    upper, lower = content.WhichOneof("less_than"), content.WhichOneof("greater_than")
    excluded = upper is not None and lower is not None and getattr(content, upper) < getattr(content, lower)
    for bound in (lower, upper):
        if bound is not None and not excluded and math.isfinite(getattr(content, bound)):
            schema[names[bound]] = getattr(content, bound)

    def forms(values: Any) -> list[Any]:
        # 64-bit numbers are strings in the JSON of protobuf and may be numbers in a request.
        return [*values, *(str(value) for value in values)] if as_text else list(values)

    if content.HasField("const"):
        schema["enum"] = forms([content.const])
    elif members := list(getattr(content, "in")):
        schema["enum"] = forms(members)
    if excluded_members := list(content.not_in):
        schema["not"] = {"enum": forms(excluded_members)}
    return schema


def _string(content: validate_pb2.StringRules) -> Schema:
    schema: Schema = {}
    if minimum := content.len or content.min_len or math.ceil((content.len_bytes or content.min_bytes) / 4):
        schema["minLength"] = minimum
    for name in ("len", "max_len", "len_bytes", "max_bytes"):
        if content.HasField(name):
            schema["maxLength"] = getattr(content, name)
            break
    patterns = _patterns(content)
    if len(patterns) == 1:
        schema["pattern"] = patterns[0]
    elif patterns:
        schema["allOf"] = [{"pattern": pattern} for pattern in patterns]
    if content.HasField("const"):
        schema["const"] = content.const
    elif members := list(getattr(content, "in")):
        schema["enum"] = members
    if content.not_in:
        schema["not"] = {"enum": list(content.not_in)}
    elif content.HasField("not_contains"):
        schema["not"] = {"pattern": re.escape(content.not_contains)}
    well_known = content.WhichOneof("well_known")
    if well_known in _FORMATS:
        schema["format"] = _FORMATS[well_known]
    return schema


def _patterns(content: validate_pb2.StringRules) -> list[str]:
    patterns = []
    if content.pattern and not _RE2_ONLY.search(content.pattern):
        try:
            re.compile(content.pattern)
        except re.error:
            pass
        else:
            patterns.append(content.pattern)
    if content.prefix:
        patterns.append(f"^{re.escape(content.prefix)}")
    if content.suffix:
        patterns.append(f"{re.escape(content.suffix)}$")
    if content.contains:
        patterns.append(re.escape(content.contains))
    return patterns


def _bytes(content: validate_pb2.BytesRules) -> Schema:
    def encoded(length: int) -> int:
        return len(base64.b64encode(b"\0" * length)) if length < 1_000_000 else 4 * math.ceil(length / 3)

    schema: Schema = {}
    if minimum := content.len or content.min_len:
        # Without its padding, which a request may leave out.
        schema["minLength"] = math.ceil(minimum * 4 / 3)
    if content.HasField("len") or content.HasField("max_len"):
        schema["maxLength"] = encoded(content.len or content.max_len)
    return schema


def _repeated(content: validate_pb2.RepeatedRules) -> Schema:
    schema: Schema = {}
    if content.min_items:
        schema["minItems"] = content.min_items
    if content.HasField("max_items"):
        schema["maxItems"] = content.max_items
    if content.unique:
        schema["uniqueItems"] = True
    return schema


def _map(content: validate_pb2.MapRules) -> Schema:
    schema: Schema = {}
    if content.min_pairs:
        schema["minProperties"] = content.min_pairs
    if content.HasField("max_pairs"):
        schema["maxProperties"] = content.max_pairs
    return schema


def _bool(content: validate_pb2.BoolRules) -> Schema:
    return {"const": content.const} if content.HasField("const") else {}


_MAKERS: Mapping[str, Callable[[Any], Schema]] = {
    "string": _string,
    "bytes": _bytes,
    "repeated": _repeated,
    "map": _map,
    "bool": _bool,
}
