"""Formulas in the Common Expression Language (https://cel.dev), compiled, type-checked and evaluated.

The engine is cel-expr-python, the Python package of Google's C++ implementation. What it is given comes from strangers,
so this module runs in the process of worker.py and nowhere else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from cel_expr_python import cel  # type: ignore[import-untyped]  # it has stubs, but no py.typed

from onenumbers_runtime.errors import InvalidArgumentError, MeshError, invalid
from onenumbers_utilities.registry.definitions import InputKind, ResultKind, ResultType
from onenumbers_utilities.registry.functions import FUNCTIONS, Function, as_date, as_moment
from onenumbers_utilities.registry.lexer import FIELD, check_limits
from onenumbers_utilities.registry.limits import MAX_ITEMS, MAX_LIST_TEXT, MAX_RESULT, MAX_TEXT

_TYPES: Final = {
    "int": cel.Type.INT,
    "string": cel.Type.STRING,
    "date": cel.Type.TIMESTAMP,
    "list<int>": cel.Type.List(cel.Type.INT),
    "list<string>": cel.Type.List(cel.Type.STRING),
}
_RESULTS: Final[Mapping[str, ResultKind]] = {
    "INT": "int",
    "DOUBLE": "double",
    "BOOL": "bool",
    "STRING": "string",
    "TIMESTAMP": "date",
}
_LIST: Final = re.compile(r"LIST<(\w+)>\Z")
_ERROR: Final = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): ([^\n]*)")
_UNDECLARED: Final = re.compile(r"undeclared reference to '([^']*)'")
_STATUS: Final = re.compile(r"\A[A-Z_]+: ")
_LONGEST_REASON: Final = 300
_Raised = tuple[MeshError, tuple[Any, ...]]
"""What a function of ours refused, and its arguments."""


class Formula:
    """A compiled formula. Made by `compile_formula`."""

    def __init__(self, expression: Any, result: ResultType, raised: list[_Raised]) -> None:
        self._expression = expression
        self._raised = raised
        self.result = result

    def evaluate(self, values: Mapping[str, int | str | date]) -> Any:
        """Returns the result: int, float, bool, str or date, or a list of one of them.

        Raises:
            InvalidArgumentError: The formula has no result for these inputs, or one that is too large; its only
                violation is of the field "inputs" and says why.
        """
        self._raised.clear()
        data = {name: as_moment(value) if isinstance(value, date) else value for name, value in values.items()}
        try:
            found = self._expression.eval(data=data)
        except RuntimeError as error:
            raise _unusable(str(error), self._raised, values) from None
        if found.type() == cel.Type.ERROR:
            raise _unusable(str(found.value()), self._raised, values)
        if not self.result.repeated:
            return _plain(found.value(), self.result.kind)
        items = found.value()
        if len(items) > MAX_ITEMS:
            raise _no_result(f"the result has {len(items)} elements, at most {MAX_ITEMS} may be", "result.max_items")
        plain = [_plain(item.value(), self.result.kind) for item in items]
        if self.result.kind == "string" and (total := sum(map(len, plain))) > MAX_LIST_TEXT:
            raise _no_result(
                f"the texts of the result have {total} characters, at most {MAX_LIST_TEXT} may be", "result.max_text"
            )
        return plain


def compile_formula(formula: str, inputs: Mapping[str, InputKind]) -> Formula:
    """Compiles and type-checks a formula over its inputs.

    Raises:
        InvalidArgumentError: It breaks a static limit, does not parse, does not type-check, or gives what no tool can
            return; the field is definition.formula and the message names line and column.
    """
    check_limits(formula)
    raised: list[_Raised] = []
    environment = cel.NewEnv(
        variables={name: _TYPES[kind] for name, kind in inputs.items()}, functions=_declarations(raised)
    )
    try:
        expression = environment.compile(formula)
    except RuntimeError as error:
        raise _refused(str(error), inputs) from None
    return Formula(expression, _result_type(expression.return_type().name()), raised)


def _declarations(raised: list[_Raised]) -> list[Any]:
    overloads: dict[str, list[Any]] = {}
    for function in FUNCTIONS:
        overloads.setdefault(function.name, []).append(
            cel.Overload(
                f"{function.name}({','.join(function.parameters)})",
                _TYPES[function.result],
                [_TYPES[kind] for kind in function.parameters],
                impl=_guarded(function, raised),
            )
        )
    return [cel.FunctionDecl(name, found) for name, found in overloads.items()]


def _guarded(function: Function, raised: list[_Raised]) -> Any:
    """Remembers the errors of a function: the engine keeps only their text."""
    implementation = function.implementation

    def call(*arguments: Any) -> Any:
        try:
            return implementation(*arguments)
        except MeshError as error:
            raised.append((error, arguments))
            raise

    return call


def _result_type(name: str) -> ResultType:
    match = _LIST.match(name)
    kind = _RESULTS.get(match[1] if match else name)
    if kind is None:
        advice = "; convert it with int(), double() or string()" if "DYN" in name else ""
        raise invalid(
            FIELD,
            f"gives {name.lower()}, which no tool returns: whole numbers, decimal numbers, truth values, texts, dates "
            f"and lists of one of them are returned{advice}",
            rule="formula.result_type",
        )
    return ResultType(kind, repeated=match is not None)


def _refused(text: str, inputs: Mapping[str, InputKind]) -> InvalidArgumentError:
    found = _ERROR.search(text)
    if "recursion" in text or found is None:
        return invalid(FIELD, "nests deeper than the parser allows (32 levels)", rule="formula.max_nesting")
    line, column, reason = found[1], found[2], found[3]
    where = f"line {line}, column {column}"
    if undeclared := _UNDECLARED.search(reason):
        known = ", ".join(inputs)
        return invalid(
            FIELD, f"{where}: '{undeclared[1]}' is neither a function nor an input ({known})", rule="formula.undeclared"
        )
    if reason.startswith("Syntax error: "):
        reason = reason.removeprefix("Syntax error: ").split(" expecting {")[0]
        return invalid(FIELD, f"{where}: {reason[:_LONGEST_REASON]}", rule="formula.syntax")
    return invalid(FIELD, f"{where}: {reason[:_LONGEST_REASON]}", rule="formula.type")


def _unusable(text: str, raised: Sequence[_Raised], values: Mapping[str, int | str | date]) -> InvalidArgumentError:
    """Returns the error for a formula that gave none of its results; `text` is what the engine said."""
    if "Iteration budget" in text:
        return _no_result("the formula needs more than the 10,000 rounds that its macros may run", "formula.iterations")
    for error, arguments in raised:
        if error.message in text and error.violations:
            broken = error.violations[0]
            # A name that cannot be read is the input that it came from, where it came from one as it is.
            given = next((name for name, value in values.items() if arguments and value == arguments[0]), None)
            if broken.field == "name" and given is not None:
                return invalid(f"inputs.{given}", broken.description, rule=broken.rule)
            subject = "" if broken.field == "formula" else f"{broken.field} "
            return _no_result(f"the formula has no result: {subject}{broken.description}", broken.rule)
    reason = _STATUS.sub("", text).splitlines()[0] if text else "it failed"
    return _no_result(f"the formula has no result: {reason[:_LONGEST_REASON]}", "formula.no_result")


def _no_result(description: str, rule: str) -> InvalidArgumentError:
    return invalid("inputs", description, rule=rule)


def _plain(value: Any, kind: ResultKind) -> Any:
    if kind == "date" and isinstance(value, datetime):
        return as_date(value)
    if kind == "int" and isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > MAX_RESULT:
            raise _no_result(f"the result {value} is beyond {MAX_RESULT}", "result.max_integer")
        return value
    if kind == "string" and isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise _no_result(f"the result has {len(value)} characters, at most {MAX_TEXT} may be", "result.max_text")
        return value
    if kind == "double" and isinstance(value, float):
        if not math.isfinite(value):
            raise _no_result("the result is no finite number", "result.finite")
        return value
    if kind == "bool" and isinstance(value, bool):
        return value
    raise _no_result(f"the result holds what is no {kind}", "result.type")
