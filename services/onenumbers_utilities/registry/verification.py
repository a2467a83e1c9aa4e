"""Verifies a definition: its formula against its types, and its results against its worked examples."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from onenumbers_runtime.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    FieldViolation,
    InvalidArgumentError,
    MeshError,
)
from onenumbers_utilities.registry.definitions import (
    Definition,
    ResultType,
    agree,
    check_names,
    plain,
    read_expected,
    read_inputs,
    several,
)
from onenumbers_utilities.registry.sandbox import Evaluation, Sandbox

_NAMED: Final = 20
"""Examples that an error names."""
_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class Verified:
    """What a definition has shown."""

    result: ResultType
    examples: int
    """Worked examples, all of them reproduced."""


async def verify(definition: Definition, sandbox: Sandbox, *, taken: Collection[str] = ()) -> Verified:
    """Type-checks the formula and runs every worked example.

    Args:
        definition: What to verify.
        sandbox: Where the formula runs.
        taken: Names of tools that are no utilities.

    Raises:
        AlreadyExistsError: The id is the name of another tool.
        InvalidArgumentError: The definition cannot be used: the formula, an input, or the values of an example.
        FailedPreconditionError: The formula does not reproduce an example; each one is named with what was expected
            and what was found.
    """
    if definition.utility_id in taken:
        raise AlreadyExistsError(
            f"definition.utility_id: '{definition.utility_id}' is a built-in tool; choose another id",
            reason="TOOL_EXISTS",
            violations=[FieldViolation("definition.utility_id", "is the name of a built-in tool", "utility_id.taken")],
        )
    check_names(definition)
    rows: list[dict[str, int | str | date]] = []
    violations: list[FieldViolation] = []
    for index, example in enumerate(definition.examples):
        try:
            rows.append(read_inputs(definition.inputs, example.inputs, prefix=f"definition.examples[{index}].inputs."))
        except InvalidArgumentError as error:
            violations.extend(error.violations)
    if violations:
        raise several(violations)
    outcome = await sandbox.run(definition.formula, definition.kinds, rows)
    expected: list[Any] = []
    for index, example in enumerate(definition.examples):
        try:
            expected.append(read_expected(example.expected, outcome.result, f"definition.examples[{index}].expected"))
        except InvalidArgumentError as error:
            violations.extend(error.violations)
    if violations:
        raise several(violations)
    wrong = [
        (index, wanted, row)
        for index, (wanted, row) in enumerate(zip(expected, outcome.rows, strict=True))
        if row.error is not None or not agree(row.value, wanted)
    ]
    if wrong:
        raise _not_reproduced(definition, wrong)
    return Verified(outcome.result, len(rows))


def _not_reproduced(definition: Definition, wrong: list[tuple[int, Any, Evaluation]]) -> MeshError:
    given = len(definition.examples)
    violations = [
        FieldViolation(
            f"definition.examples[{index}].expected", f"is {_shown(wanted)}, but {_found(row)}", "example.reproduced"
        )
        for index, wanted, row in wrong[:_NAMED]
    ]
    named = "; ".join(f"{item.field} {item.description}" for item in violations)
    more = f"; and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
    return FailedPreconditionError(
        f"the formula reproduces {given - len(wrong)} of {given} worked examples: {named}{more}",
        reason="EXAMPLES_NOT_REPRODUCED",
        violations=violations,
        metadata={
            "examples_given": str(given),
            "examples_reproduced": str(given - len(wrong)),
            "accuracy": f"{(given - len(wrong)) / given:.6g}",
        },
    )


def _found(row: Evaluation) -> str:
    if row.error is None:
        return f"the formula gives {_shown(row.value)}"
    return row.error.violations[0].description if row.error.violations else "the formula has no result"


def _shown(value: Any) -> str:
    text = json.dumps(plain(value), ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
