"""Values in place of text: the grammar of a schema, and the value that was written under it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from onenumbers_models.generation.requests import Completion, JsonResult
from onenumbers_models.grammar.schema_grammar import grammar_of
from onenumbers_runtime.errors import MeshError, ResourceExhaustedError, invalid

MAX_SCHEMA = 100_000
"""Characters of a schema."""


class OutputError(MeshError):
    """The model wrote what its grammar does not allow: a defect of ours or of llama.cpp."""

    code = "INTERNAL"


def schema_grammar(schema: Mapping[str, Any]) -> str:
    """Returns the grammar of a JSON Schema.

    Raises:
        InvalidArgumentError: It is no JSON, too large, or has what no grammar is made of; names the path in it.
    """
    try:
        text = json.dumps(schema, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise invalid("schema", "must be JSON", rule="schema.json") from None
    if len(text) > MAX_SCHEMA:
        raise invalid("schema", f"must have at most {MAX_SCHEMA} characters", rule="schema.size")
    return _cached(text)


@lru_cache(maxsize=64)
def _cached(text: str) -> str:
    return grammar_of(json.loads(text))


def parse_json(text: str, completion: Completion) -> JsonResult:
    """Returns the value that was written.

    Raises:
        ResourceExhaustedError: The limit of tokens was reached inside the value.
        OutputError: It is no JSON all the same.
    """
    cut = completion.finish == "length" and (not completion.complete or text[-1:].isdigit())
    if not cut:
        try:
            return JsonResult(json.loads(text), text, completion)
        except ValueError:
            raise OutputError("the model's answer is not the JSON that was asked for", reason="JSON_BROKEN") from None
    raise ResourceExhaustedError(
        f"the value did not end within {completion.tokens} tokens: allow more, or bound its strings and lists",
        reason="JSON_INCOMPLETE",
        metadata={"tokens": str(completion.tokens)},
    )
