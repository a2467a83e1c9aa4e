"""Small formulas as trees: read from JSON, evaluated on many rows at once, and written in CEL. Pure.

A tree can only calculate with what the inputs are made of, so whatever it comes from, its formula type-checks, or it is
no tree. The functions are those of the registry, for numbers below `LIMIT`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from onenumbers_research.discovery.extraction import Kind

Rows = NDArray[np.int64]
LIMIT: Final = 1_000_000
"""Numbers on the way must be below it."""
NONE: Final = -(2**40)
"""Stands for "no result" in rows."""
MOST_STEPS: Final = 12
LARGEST_NUMBER: Final = 99
_MASTERS: Final = (11, 22, 33)


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that an input is made of."""

    kind: Kind
    formula: str
    """In CEL, over inputs that are named as below."""
    words: str
    """A pattern of words by which a text speaks of it."""


INPUT_NAMES: Final[Mapping[Kind, str]] = {"date": "born", "string": "name", "integer": "number"}
_LETTERS: Final = r"\bletters?\b|\bname\b"
QUANTITIES: Final[Mapping[str, Quantity]] = {
    "day": Quantity("date", "day(born)", r"\bdays?\b"),
    "month": Quantity("date", "month(born)", r"\bmonths?\b"),
    "year": Quantity("date", "year(born)", r"\byears?\b"),
    "digits of the day": Quantity("date", "digit_sum(day(born))", r"\bdigits?\b.*\bdays?\b|\bdays?\b.*\bdigits?\b"),
    "digits of the month": Quantity("date", "digit_sum(month(born))", r"\bdigits?\b.*\bmonths?\b|\bmonths?\b.*\bdigit"),
    "digits of the year": Quantity("date", "digit_sum(year(born))", r"\bdigits?\b.*\byears?\b|\byears?\b.*\bdigits?\b"),
    "last two digits of the year": Quantity("date", "year(born) % 100", r"\b(?:last|final) (?:two|pair)\b|\bcentury\b"),
    "digits of the date": Quantity(
        "date",
        "digit_sum(day(born)) + digit_sum(month(born)) + digit_sum(year(born))",
        r"\bdigits?\b.*\b(?:date|birth)\b|\b(?:date|birth)\b.*\bdigits?\b",
    ),
    "letters": Quantity("string", "sum(letter_values(letters(name)))", _LETTERS),
    "vowels": Quantity("string", "sum(letter_values(vowels(name)))", r"\bvowels?\b"),
    "consonants": Quantity("string", "sum(letter_values(consonants(name)))", r"\bconsonants?\b"),
    "initials": Quantity("string", "sum(letter_values(initials(name)))", r"\binitials?\b|\bfirst letters\b"),
    "first letter": Quantity("string", "letter_values(letters(name))[0]", r"\bfirst letter\b|\bopen"),
    "last letter": Quantity(
        "string", "letter_values(letters(name))[size(letters(name)) - 1]", r"\b(?:last|final) letter\b"
    ),
    "chaldean letters": Quantity("string", "sum(letter_values(letters(name), 'chaldean'))", r"\bchaldean\b"),
    "number of letters": Quantity("string", "size(letters(name))", r"\b(?:number|count|many|length)\b"),
    "number of vowels": Quantity("string", "size(vowels(name))", r"\b(?:number|count|many)\b.*\bvowels?\b"),
    "number of consonants": Quantity("string", "size(consonants(name))", r"\b(?:number|count|many)\b.*\bconsonants?\b"),
    "number of names": Quantity("string", "size(names(name))", r"\b(?:number|count|many)\b.*\bnames\b"),
    "number": Quantity("integer", "number", r""),
    "digits of the number": Quantity("integer", "digit_sum(number)", r"\bdigits?\b"),
}
"""By the names that a tree gives them."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of one or two numbers."""

    operands: int
    formula: str
    """In CEL, with {0} and {1} for the operands."""
    level: int
    """How loosely the formula binds: 0 not at all, 1 as a product, 2 as a sum."""
    needs: tuple[int, ...]
    """How tightly each operand has to bind."""


FUNCTIONS: Final[Mapping[str, Function]] = {
    "add": Function(2, "{0} + {1}", 2, (2, 1)),
    "subtract": Function(2, "{0} - {1}", 2, (2, 1)),
    "multiply": Function(2, "{0} * {1}", 1, (1, 0)),
    "difference": Function(2, "abs({0} - {1})", 0, (2, 1)),
    "remainder": Function(2, "{0} % {1}", 1, (1, 0)),
    "reduce": Function(1, "reduce({0})", 0, (2,)),
    "single digit": Function(1, "root({0})", 0, (2,)),
    "digit sum": Function(1, "digit_sum({0})", 0, (2,)),
}
"""By the names that a tree gives them: "reduce" keeps 11, 22 and 33, "single digit" keeps none."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A quantity, a number, or a function of trees."""

    head: str | int
    of: tuple[Tree, ...] = ()

    @property
    def size(self) -> int:
        """Quantities, numbers and functions in it."""
        return 1 + sum(part.size for part in self.of)

    @property
    def quantities(self) -> frozenset[str]:
        """Names of the quantities in it."""
        own = frozenset({self.head}) if isinstance(self.head, str) and not self.of else frozenset[str]()
        return own.union(*(part.quantities for part in self.of))

    @property
    def numbers(self) -> tuple[int, ...]:
        """Numbers that are written in it, from left to right."""
        own = (self.head,) if isinstance(self.head, int) else ()
        return own + tuple(number for part in self.of for number in part.numbers)

    def formula(self) -> str:
        """Returns the formula in CEL."""
        return _written(self)[0]

    def evaluate(self, rows: Mapping[str, Rows]) -> Rows:
        """Returns its value in each row; NONE where it has none."""
        if isinstance(self.head, int):
            return np.full(len(next(iter(rows.values()))), self.head, dtype=np.int64)
        if not self.of:
            return rows[self.head]
        return apply(self.head, *(part.evaluate(rows) for part in self.of))


def _written(tree: Tree) -> tuple[str, int]:
    """Returns the formula and how loosely it binds."""
    if isinstance(tree.head, int):
        return str(tree.head), 0
    if not tree.of:
        formula = QUANTITIES[tree.head].formula
        return formula, 2 if " + " in formula else 1 if " % " in formula else 0
    function = FUNCTIONS[tree.head]
    parts = [_written(part) for part in tree.of]
    told = [text if level <= need else f"({text})" for (text, level), need in zip(parts, function.needs, strict=True)]
    return function.formula.format(*told), function.level


def read_tree(value: Any, allowed: Sequence[str], *, most: int = MOST_STEPS) -> Tree | None:
    """Returns the tree that JSON describes, or None where it is none, too large, or has other quantities than allowed.

    JSON is the name of a quantity, a whole number of 1-99, or {"do": a function, "a": ..., "b": ...}.
    """
    tree = _read(value, allowed, most)
    return tree if tree is not None and tree.quantities and tree.size <= most else None


def _read(value: Any, allowed: Sequence[str], depth: int) -> Tree | None:
    if isinstance(value, str):
        return Tree(value) if value in allowed else None
    if isinstance(value, int) and not isinstance(value, bool):
        return Tree(value) if 1 <= value <= LARGEST_NUMBER else None
    if not isinstance(value, Mapping) or depth == 0:
        return None
    name = value.get("do")
    if not isinstance(name, str) or name not in FUNCTIONS:
        return None
    keys = ("a", "b")[: FUNCTIONS[name].operands]
    if set(value) != {"do", *keys}:
        return None
    parts = [_read(value[key], allowed, depth - 1) for key in keys]
    return Tree(name, tuple(part for part in parts if part is not None)) if None not in parts else None


def tree_schema(allowed: Sequence[str], *, depth: int) -> dict[str, Any]:
    """Returns the JSON Schema of trees over some quantities, at most `depth` functions deep."""
    leaf = {"anyOf": [{"enum": list(allowed)}, {"type": "integer", "minimum": 1, "maximum": LARGEST_NUMBER}]}
    definitions: dict[str, Any] = {"tree0": leaf}
    one = [name for name, function in FUNCTIONS.items() if function.operands == 1]
    two = [name for name, function in FUNCTIONS.items() if function.operands != 1]
    for level in range(1, depth + 1):
        below = {"$ref": f"#/$defs/tree{level - 1}"}
        calls = [_call(one, {"a": below}), _call(two, {"a": below, "b": below})]
        definitions[f"tree{level}"] = {"anyOf": [*calls, {"$ref": "#/$defs/tree0"}] if level < depth else calls}
    return {
        "type": "object",
        "properties": {"formula": {"$ref": f"#/$defs/tree{depth}"}},
        "required": ["formula"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _call(names: Sequence[str], operands: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"do": {"enum": list(names)}, **operands},
        "required": ["do", *operands],
        "additionalProperties": False,
    }


def apply(name: str, *operands: Rows) -> Rows:
    """Returns a function's values on rows of operands, which may be broadcast; NONE where it has none."""
    first = operands[0]
    missing = first == NONE
    if len(operands) == 1:
        missing = missing | (first < 0)
        found = _table(name)[np.where(missing, 0, first)]
        return np.where(missing, NONE, found)
    second = operands[1]
    missing = missing | (second == NONE)
    if name == "add":
        found = first + second
    elif name == "multiply":
        found = first * second
    elif name == "remainder":
        missing = missing | (second <= 0) | (first < 0)
        found = first % np.where(second <= 0, 1, second)
    else:
        found = first - second
        if name == "difference":
            found = np.abs(found)
    return np.where(missing | (np.abs(found) >= LIMIT), NONE, found)


@cache
def _table(name: str) -> Rows:
    numbers = np.arange(LIMIT, dtype=np.int64)
    sums = np.zeros(LIMIT, dtype=np.int64)
    rest = numbers
    while rest.any():
        sums += rest % 10
        rest = rest // 10
    if name == "digit sum":
        return sums
    if name == "single digit":
        return np.where(numbers == 0, 0, 1 + (numbers - 1) % 9)
    found = numbers
    for _ in range(4):
        found = np.where((found < 10) | np.isin(found, _MASTERS), found, sums[found])
    return found
