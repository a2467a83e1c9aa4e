"""A utility as data: inputs, formula, examples; and values of its types."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import Enum, unique
from typing import Any, Final, Literal

from onenumbers_runtime.errors import FieldViolation, InvalidArgumentError, MeshError, invalid
from onenumbers_utilities.numerology.dates import read_date
from onenumbers_utilities.registry.lexer import RESERVED
from onenumbers_utilities.registry.limits import MAX_INTEGER, MAX_TEXT

InputKind = Literal["int", "string", "date"]
ResultKind = Literal["int", "double", "bool", "string", "date"]

_NAMES: Final = {"int": "whole number", "double": "number", "bool": "truth value", "string": "text", "date": "date"}


@unique
class Status(Enum):
    """Where a utility stands."""

    PROPOSED = "proposed"
    """Stored, not verified: examples are missing."""
    VALIDATED = "validated"
    """Reproduced its examples."""
    ACTIVE = "active"
    """A tool."""
    DEPRECATED = "deprecated"
    """Out of use."""


@dataclass(frozen=True, slots=True)
class ResultType:
    """What a formula gives."""

    kind: ResultKind
    repeated: bool = False

    def __str__(self) -> str:
        return f"list of {_NAMES[self.kind]}s" if self.repeated else _NAMES[self.kind]


@dataclass(frozen=True, slots=True)
class Input:
    """An input of a utility."""

    name: str
    kind: InputKind
    description: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """Inputs with the result that a source gives for them, as JSON."""

    inputs: Mapping[str, Any]
    expected: Any
    source: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A calculation as data."""

    utility_id: str
    title: str
    description: str
    inputs: tuple[Input, ...]
    formula: str
    category: str = ""
    provenance: str = ""
    examples: tuple[Example, ...] = ()

    @property
    def kinds(self) -> dict[str, InputKind]:
        """Types of the inputs by name, in order."""
        return {item.name: item.kind for item in self.inputs}

    def to_json(self) -> str:
        """Returns the definition as it is stored."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Definition:
        """Returns the definition that `to_json` wrote."""
        values = json.loads(text)
        values["inputs"] = tuple(Input(**item) for item in values["inputs"])
        values["examples"] = tuple(Example(**item) for item in values["examples"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Record:
    """A version of a utility as it is stored."""

    definition: Definition
    version: int
    status: Status
    result: ResultType
    examples_given: int
    examples_reproduced: int
    updated: datetime
    """UTC, without zone."""

    @property
    def accuracy(self) -> float | None:
        """Examples reproduced / examples given; None where none were given."""
        return self.examples_reproduced / self.examples_given if self.examples_given else None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a utility."""

    time: datetime
    """UTC, without zone."""
    status: Status
    version: int
    note: str


def check_names(definition: Definition) -> None:
    """Does nothing for inputs that a formula and a message can hold.

    Raises:
        InvalidArgumentError: A name is reserved, or given twice; names that differ only in underscores count as one,
            for JSON writes them alike. The field is definition.inputs[N].name.
    """
    seen: dict[str, str] = {}
    for index, item in enumerate(definition.inputs):
        field = f"definition.inputs[{index}].name"
        if item.name in RESERVED:
            raise invalid(field, f"'{item.name}' is a word of the formula language", rule="input.reserved")
        key = item.name.replace("_", "")
        if key in seen:
            raise invalid(field, f"'{item.name}' is the same name as '{seen[key]}'", rule="input.unique")
        seen[key] = item.name


def read_inputs(
    inputs: Sequence[Input], values: Mapping[str, Any], *, prefix: str = "inputs."
) -> dict[str, int | str | date]:
    """Returns the values in the order and of the types of the inputs.

    Args:
        inputs: What is declared.
        values: As JSON, or as Python values already. A date is "YYYY-MM-DD" or {"year", "month", "day"}.
        prefix: What stands before the names in errors.

    Raises:
        InvalidArgumentError: One violation for each value that is missing, unknown or of another type.
    """
    violations: list[FieldViolation] = []
    found: dict[str, int | str | date] = {}
    for item in inputs:
        field = f"{prefix}{item.name}"
        if values.get(item.name) is None:
            violations.append(FieldViolation(field, "must be given", "input.required"))
            continue
        try:
            found[item.name] = _typed(values[item.name], item.kind, field)
        except MeshError as error:
            violations.extend(error.violations)
    known = {item.name for item in inputs}
    for name in values:
        if name not in known:
            shown = f"{prefix}{name[:64]}"
            violations.append(
                FieldViolation(shown, f"is no input; the inputs are {', '.join(sorted(known))}", "input.unknown")
            )
    if violations:
        raise several(violations)
    return found


def read_expected(value: Any, result: ResultType, field: str) -> Any:
    """Returns the expected result of an example as a value of the type that the formula gives.

    Raises:
        InvalidArgumentError: It is of another type.
    """
    if not result.repeated:
        return _typed(value, result.kind, field)
    if not isinstance(value, list):
        raise _other_type(field, f"{result}", value)
    return [_typed(item, result.kind, f"{field}[{index}]") for index, item in enumerate(value)]


def agree(found: Any, expected: Any) -> bool:
    """Tells whether a result is the expected one; decimal numbers may differ by their last digits (1e-9)."""
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(agree, found, expected))
    if isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12)
    return bool(found == expected)


def plain(value: Any) -> Any:
    """Returns a value as JSON: dates as "YYYY-MM-DD"."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def several(violations: Sequence[FieldViolation]) -> InvalidArgumentError:
    """Returns the error for several violations; its message names the first ones."""
    text = "; ".join(f"{violation.field}: {violation.description}" for violation in violations[:3])
    if len(violations) > 3:
        text += f"; and {len(violations) - 3} more"
    return InvalidArgumentError(text, reason="INVALID_FIELD", violations=violations)


def _typed(value: Any, kind: ResultKind, field: str) -> Any:
    if kind == "int":
        return _integer(value, field)
    if kind == "date":
        return _date(value, field)
    if kind == "string" and isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise invalid(field, f"has {len(value)} characters, at most {MAX_TEXT} may be", rule="input.max_length")
        return value
    if kind == "double" and isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise invalid(field, "must be a finite number", rule="input.finite")
        return float(value)
    if kind == "bool" and isinstance(value, bool):
        return value
    raise _other_type(field, _NAMES[kind], value)


def _integer(value: Any, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _other_type(field, "whole number", value)
    if isinstance(value, float) and not value.is_integer():
        raise _other_type(field, "whole number", value)
    if abs(value) > MAX_INTEGER:
        raise invalid(field, f"must be within -{MAX_INTEGER} and {MAX_INTEGER}", rule="input.range")
    return int(value)


def _date(value: Any, field: str) -> date:
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            if len(value) == 10:
                return date.fromisoformat(value)
        except ValueError:
            pass
        raise invalid(field, "must be a date of the calendar as YYYY-MM-DD", rule="input.date")
    if isinstance(value, Mapping) and set(value) <= {"year", "month", "day"}:
        parts = {name: _integer(value.get(name, 0), f"{field}.{name}") for name in ("year", "month", "day")}
        return read_date(parts["day"], parts["month"], parts["year"], prefix=f"{field}.")
    raise _other_type(field, "date as YYYY-MM-DD", value)


def _other_type(field: str, wanted: str, value: Any) -> InvalidArgumentError:
    shown = json.dumps(plain(value), ensure_ascii=False, default=str)
    return invalid(field, f"must be a {wanted}, not {shown[:60]}", rule="input.type")
