"""JSON in and out of messages: the same as protobuf's own mapping, and strict where that is not."""

import json
import math

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st

from onenumbers_gateway.arguments import MAX_VIOLATIONS, ArgumentReader
from onenumbers_gateway.results import ResultWriter
from onenumbers_runtime.errors import InvalidArgumentError

INT32 = st.integers(-(2**31), 2**31 - 1)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
SCALARS = {
    "i32": INT32,
    "u64": st.integers(0, 2**64 - 1),
    "f32": st.floats(width=32),
    "f64": st.floats(),
    "flag": st.booleans(),
    "text": TEXT,
    "data": st.binary(max_size=20),
    "mood": st.integers(0, 3),
    "maybe": INT32,
    "list": st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3),
    "by_name": st.dictionaries(TEXT, INT32, max_size=3),
    "by_flag": st.dictionaries(st.booleans(), st.binary(max_size=5), max_size=2),
    "moods": st.lists(st.integers(0, 3), max_size=3),
}


@st.composite
def contents(draw, depth=2):
    """Fields of an EchoRequest."""
    fields = draw(st.fixed_dictionaries({}, optional=SCALARS))
    if draw(st.booleans()):
        fields[draw(st.sampled_from(["left", "right"]))] = None
    if depth and draw(st.booleans()):
        fields["inner"] = draw(contents(depth=depth - 1))
        fields["many"] = draw(st.lists(contents(depth=0), max_size=2))
        fields["by_number"] = draw(st.dictionaries(INT32, contents(depth=0), max_size=2))
    if draw(st.booleans()):
        fields["when"] = draw(st.integers(0, 2**31))
        fields["anything"] = draw(st.dictionaries(TEXT, st.booleans() | TEXT, max_size=2))
        fields["value"] = draw(st.none() | TEXT | st.booleans())
    return fields


def fill(message, fields):
    for name, value in fields.items():
        if name in ("left", "right"):
            setattr(message, name, "x" if name == "left" else 1)
        elif name == "inner":
            fill(message.inner, value)
            message.inner.SetInParent()
        elif name == "many":
            for item in value:
                fill(message.many.add(), item)
        elif name == "by_number":
            for key, item in value.items():
                fill(message.by_number[key], item)
        elif name == "when":
            message.when.FromSeconds(value)
        elif name == "anything":
            message.anything.update(value)
        elif name == "value":
            json_format.ParseDict(value, message.value)
        elif name in ("by_name", "by_flag"):
            getattr(message, name).update(value)
        elif isinstance(value, list):
            getattr(message, name).extend(value)
        else:
            setattr(message, name, value)


@pytest.fixture(scope="session")
def echo(foreign):
    return foreign.message("foreign.v1.EchoRequest")


@given(fields=contents())
@settings(max_examples=300, deadline=None)
def test_results_are_protobufs_own_json(echo, fields):
    message = echo()
    fill(message, fields)
    pool = echo.DESCRIPTOR.file.pool
    expected = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, descriptor_pool=pool
    )
    assert json.dumps(ResultWriter(pool).write(message), sort_keys=True) == json.dumps(expected, sort_keys=True)


@given(fields=contents(), camel=st.booleans())
@settings(max_examples=300, deadline=None)
def test_arguments_read_what_protobuf_writes(echo, fields, camel):
    message = echo()
    fill(message, fields)
    text = json_format.MessageToDict(message, preserving_proto_field_name=not camel)
    read = echo()
    ArgumentReader().read(text, read)
    both = [json.dumps(json_format.MessageToDict(each), sort_keys=True) for each in (read, message)]
    assert both[0] == both[1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        "i32",
        "u64",
        "f32",
        "f64",
        "flag",
        "text",
        "data",
        "mood",
        "list",
        "byName",
        "by_number",
        "inner",
        "many",
        "when",
        "anything",
        "value",
        "left",
        "right",
        "by_flag",
        "moods",
        "maybe",
    ]
)


@given(arguments=st.dictionaries(NAMES | st.text(max_size=5), JSON, max_size=4))
@settings(max_examples=500, deadline=None)
def test_any_json_is_either_read_or_refused_with_the_field_named(echo, arguments):
    message = echo()
    refused = None
    try:
        ArgumentReader().read(arguments, message)
    except InvalidArgumentError as error:
        refused = error
    if refused is None:
        message.SerializeToString()
        return
    assert 0 < len(refused.violations) <= MAX_VIOLATIONS
    for violation in refused.violations:
        assert any(violation.field.startswith(name[:190]) for name in arguments)
        assert violation.description
        assert violation.rule


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"byName": {"a": 1}, "by_name": {"a": 2}}, "by_name"),
        ({"i32": math.nan}, "i32"),
        ({"data": "%%%"}, "data"),
        ({"text": "\ud800"}, "text"),
        ({"when": "yesterday"}, "when"),
        ({"f32": 1e300}, "f32"),
        ({"f64": "1_0"}, "f64"),
        ({"u64": -1}, "u64"),
        ({"mood": 1.5}, "mood"),
        ({"by_number": {"x": {}}}, 'by_number["x"]'),
    ],
)
def test_values_that_no_message_can_hold_are_named(echo, arguments, field):
    with pytest.raises(InvalidArgumentError) as caught:
        ArgumentReader().read(arguments, echo())
    assert caught.value.violations[0].field == field


def test_arguments_nested_without_end_are_refused(echo):
    arguments: dict = {}
    for _ in range(500):
        arguments = {"inner": arguments}
    with pytest.raises(InvalidArgumentError, match="nested deeper"):
        ArgumentReader().read(arguments, echo())
