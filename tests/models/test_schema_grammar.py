"""Schemas become grammars that hold them exactly, and what cannot be held is refused with its path."""

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onenumbers_models.grammar import gbnf
from onenumbers_models.grammar.schema_grammar import grammar_of
from onenumbers_models.grammar.structured import schema_grammar
from onenumbers_models.native import library
from onenumbers_runtime.errors import InvalidArgumentError


def regular(expression: str) -> re.Pattern[str]:
    """Returns the regular expression of a part of a grammar: literals become text, the spaces between parts go."""
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"|(\[(?:[^\]\\]|\\.)*\])|(\{[^}]*\}|[()|?*+])|\s+', expression)
    return re.compile("".join(re.escape(text.replace("\\", "")) + kind + sign for text, kind, sign in parts))


BOUNDS = [(0, 0), (0, 9), (3, 17), (1, 130), (-5, 5), (-120, -7), (98, 1005), (None, 40), (-12, None), (199, 200)]


@pytest.mark.parametrize(("low", "high"), BOUNDS)
def test_whole_numbers_are_exactly_those_within_the_bounds(low, high):
    pattern = regular(gbnf.integer(low, high))
    for value in range(-1500, 1501):
        within = (low is None or value >= low) and (high is None or value <= high)
        assert bool(pattern.fullmatch(str(value))) == within, value
    assert not pattern.fullmatch("007")
    assert not pattern.fullmatch("-0")


@given(st.integers(-(10**14), 10**14), st.integers(0, 10**14), st.integers(-(10**15) + 1, 10**15 - 1))
def test_whole_numbers_of_any_size_are_those_within_the_bounds(low, span, value):
    high = min(low + span, 10**15 - 1)
    assert bool(regular(gbnf.integer(low, high)).fullmatch(str(value))) == (low <= value <= high)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (-3, -1), (2, 12), (None, 5), (0, None)])
def test_decimal_numbers_stay_within_the_bounds(low, high):
    pattern = regular(gbnf.number(low, high))
    for step in range(-1500, 1501):
        text = f"{step / 100:.2f}"
        if text == "-0.00":
            continue
        within = (low is None or step >= low * 100) and (high is None or step <= high * 100)
        assert bool(pattern.fullmatch(text)) == within, text


def test_dates_are_dates():
    pattern = regular(gbnf.DATE)
    for month in range(14):
        for day in range(34):
            text = f"2023-{month:02}-{day:02}"
            try:
                dt.date.fromisoformat(text)
            except ValueError:
                assert not pattern.fullmatch(text)
            else:
                assert pattern.fullmatch(text)


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"type": "string", "pattern": "a+"}, "#/pattern"),
        ({"type": "object", "properties": {"a": {"type": "string", "format": "email"}}}, "#/properties/a/format"),
        ({"type": "array", "items": {"type": "integer", "multipleOf": 2}}, "#/items/multipleOf"),
        ({"type": "array", "uniqueItems": True}, "#/uniqueItems"),
        ({"oneOf": [{"type": "string"}]}, "#/oneOf"),
        ({"anyOf": [{"type": "string"}, {"not": {}}]}, "#/anyOf/1/not"),
        ({"allOf": [{"type": "string"}, {"type": "string"}]}, "#/allOf"),
        ({"type": "number", "minimum": 0.5}, "#/minimum"),
        ({"type": "integer", "minimum": 5, "maximum": 4}, "#"),
        ({"type": "string", "minLength": 5, "maxLength": 4}, "#/maxLength"),
        ({"type": "string", "maxLength": 100_000}, "#/maxLength"),
        ({"type": "string", "maximum": 4}, "#/maximum"),
        ({"type": "colour"}, "#/type"),
        ({"minimum": 4}, "#"),
        ({"$ref": "https://example.org/schema"}, "#/$ref"),
        ({"$ref": "#/$defs/gone"}, "#/$ref"),
        ({"type": "object", "properties": {"a": {}}, "required": ["b"]}, "#/required"),
        ({"enum": []}, "#/enum"),
        ({"type": "string", "enum": [1]}, "#/enum"),
        ({"type": "array", "items": False, "minItems": 1}, "#/items"),
        ({"type": "object", "properties": {"a": False}}, "#/properties/a"),
    ],
)
def test_what_no_grammar_can_hold_is_refused_with_its_path(schema, path):
    with pytest.raises(InvalidArgumentError) as caught:
        grammar_of(schema)
    assert caught.value.violations[0].field == path
    assert caught.value.reason == "SCHEMA_UNSUPPORTED"


def test_a_schema_that_is_too_deep_too_large_or_no_json_is_refused():
    deep: dict = {"type": "string"}
    for _ in range(40):
        deep = {"type": "array", "items": deep}
    with pytest.raises(InvalidArgumentError, match="deeper"):
        grammar_of(deep)
    wide = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(3000)}}
    with pytest.raises(InvalidArgumentError, match="rules"):
        grammar_of(wide)
    with pytest.raises(InvalidArgumentError, match="at most"):
        schema_grammar({"type": "string", "description": "x" * 200_000})
    with pytest.raises(InvalidArgumentError, match="must be JSON"):
        schema_grammar({"const": object()})


NAMES = st.text(min_size=1, max_size=8)
LEAVES = st.one_of(
    st.just({"type": "string", "maxLength": 4}),
    st.just({"type": "boolean"}),
    st.just({"type": ["integer", "null"], "minimum": -3, "maximum": 12}),
    st.just({"type": "number", "minimum": 0, "maximum": 1}),
    st.builds(lambda values: {"enum": values}, st.lists(st.one_of(NAMES, st.integers()), min_size=1, max_size=3)),
    st.just({"type": "string", "format": "date"}),
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda item, high: {"type": "array", "items": item, "maxItems": high}, inner, st.integers(0, 3)),
        st.builds(
            lambda properties, count: {
                "type": "object",
                "properties": properties,
                "required": list(properties)[:count],
                "additionalProperties": False,
            },
            st.dictionaries(NAMES, inner, max_size=4),
            st.integers(0, 4),
        ),
        st.builds(lambda parts: {"anyOf": parts}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=8,
)


@given(schema=SCHEMAS)
def test_llama_cpp_understands_every_grammar_that_is_made(schema, vocabulary):
    sampler = library().llama_sampler_init_grammar(vocabulary, grammar_of(schema).encode(), b"root")
    assert sampler
    library().llama_sampler_free(sampler)


def test_a_schema_that_refers_to_itself_is_understood(vocabulary):
    tree = {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "next": {"$ref": "#/$defs/node"}},
                "required": ["name"],
            }
        },
        "$ref": "#/$defs/node",
    }
    sampler = library().llama_sampler_init_grammar(vocabulary, grammar_of(tree).encode(), b"root")
    assert sampler
    library().llama_sampler_free(sampler)
