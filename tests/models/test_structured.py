"""Answers under a grammar parse and follow their schema, always; what cannot be finished fails with a status."""

import asyncio

import jsonschema
import pytest
from google.protobuf import json_format

from onenumbers.utilities.v1 import utilities_pb2
from onenumbers_models.generation.generator import ChatMessage
from onenumbers_models.generation.requests import Completion
from onenumbers_models.grammar.message_schema import message_schema
from onenumbers_models.grammar.schema_grammar import grammar_of
from onenumbers_models.grammar.structured import OutputError, parse_json
from onenumbers_runtime.errors import InvalidArgumentError, ResourceExhaustedError

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 12},
        "age": {"type": "integer", "minimum": 0, "maximum": 130},
        "numbers": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 33}, "maxItems": 3},
        "kind": {"enum": ["master", 'say "karmic"\n', None, 7]},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}
OTHERS = [
    {"type": "array", "items": {"type": "number", "minimum": -1, "maximum": 1}, "minItems": 1, "maxItems": 3},
    {"anyOf": [{"type": "string", "maxLength": 8}, {"type": "boolean"}, {"type": "null"}]},
    {"type": "object", "additionalProperties": {"type": "boolean"}},
    {"type": "string", "format": "date"},
    {"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 60},
    {
        "type": "array",
        "prefixItems": [{"const": "a"}, {"type": "integer", "minimum": 0}],
        "items": False,
        "minItems": 2,
    },
]


def ask(what: str) -> list[ChatMessage]:
    return [ChatMessage("user", f"Write {what} as JSON.")]


async def test_a_hundred_and_twenty_hot_answers_follow_their_schema(generator):
    """Temperature 1.5 makes the model say nearly anything: what keeps the form is the grammar alone."""

    async def one(number: int) -> str:
        schema = PERSON if number % 2 else OTHERS[number // 2 % len(OTHERS)]
        try:
            result = await generator.generate_json(
                ask(f"person {number}"), schema, max_tokens=110, temperature=1.5, seed=number
            )
        except ResourceExhaustedError:
            if schema is OTHERS[2]:  # a map has no bound of its own
                return ""
            raise
        jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER).validate(
            result.value
        )
        return result.text

    texts: list[str] = []
    for start in range(0, 120, 24):
        texts += await asyncio.gather(*(one(number) for number in range(start, start + 24)))
    written = [text for text in texts if text]
    assert len(written) >= 105
    assert len(set(written)) > 80, "they are different answers"


async def test_a_value_that_does_not_end_within_the_limit_is_an_error_and_no_broken_json(generator):
    with pytest.raises(ResourceExhaustedError, match="did not end within 6 tokens") as caught:
        await generator.generate_json(ask("a person"), PERSON, max_tokens=6)
    assert caught.value.reason == "JSON_INCOMPLETE"


async def test_an_unsupported_schema_is_refused_before_the_model_is_asked(generator):
    with pytest.raises(InvalidArgumentError, match="#/pattern"):
        await generator.generate_json(ask("a word"), {"type": "string", "pattern": "x"}, max_tokens=5)
    assert generator.statistics().steps == 0


async def test_a_grammar_that_never_ends_stops_at_the_limit(generator):
    endless = {"$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}, "minItems": 1}}, "$ref": "#/$defs/a"}
    with pytest.raises(ResourceExhaustedError):
        await generator.generate_json(ask("a list"), endless, max_tokens=12)


async def test_a_grammar_that_llama_cpp_does_not_understand_is_refused_and_the_next_answer_comes(generator):
    loop = {"$ref": "#"}
    with pytest.raises(InvalidArgumentError, match="grammar"):
        await generator.generate_json(ask("nothing"), loop, max_tokens=5)
    assert (await generator.generate_json(ask("a number"), {"enum": [3]}, max_tokens=5)).value == 3


def test_a_number_that_was_cut_is_not_taken_for_a_shorter_one():
    cut = Completion("length", 5, 0, 3, 0, 0, 0, complete=True)
    with pytest.raises(ResourceExhaustedError):
        parse_json("123", cut)
    assert parse_json('{"a": 1}', cut).value == {"a": 1}
    with pytest.raises(OutputError):
        parse_json('{"a": ', Completion("stop", 5, 0, 3, 0, 0, 0, complete=True))


async def test_a_message_is_written_as_its_json_form(generator):
    request = utilities_pb2.CalculateLifePathRequest
    schema = message_schema(request.DESCRIPTOR)
    written = 0
    for seed in range(6):
        try:
            result = await generator.generate_json(
                ask("the birth date 14 November 1968"), schema, max_tokens=200, temperature=0.8, seed=seed
            )
        except ResourceExhaustedError:
            # A string went on to the limit: which seed does that hangs on the processor.
            continue
        json_format.ParseDict(result.value, request())
        written += 1
    assert written


def test_every_request_of_the_contract_has_a_grammar_or_a_reason():
    refused = []
    for name, message in utilities_pb2.DESCRIPTOR.message_types_by_name.items():
        try:
            schema = message_schema(message)
        except InvalidArgumentError as error:
            refused.append((name, error.violations[0].field))
            continue
        jsonschema.Draft202012Validator.check_schema(schema)
        assert grammar_of(schema)
    assert all(field.startswith(name) for name, field in refused)
    assert len(refused) < len(utilities_pb2.DESCRIPTOR.message_types_by_name) / 2
