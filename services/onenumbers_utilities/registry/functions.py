"""Our functions of the formula language. Pure: numbers, texts and dates in, numbers, texts and dates out.

Each one is the same code that the built-in calculations run on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final, Literal

from onenumbers_runtime.errors import invalid
from onenumbers_utilities.numerology.dates import age_on, read_date
from onenumbers_utilities.numerology.names import Name, read_name
from onenumbers_utilities.numerology.options import YRule
from onenumbers_utilities.numerology.primitives import MASTERS_11_22_33, ds
from onenumbers_utilities.numerology.primitives import chain as chain_of
from onenumbers_utilities.numerology.primitives import root as root_of
from onenumbers_utilities.numerology.tables import CHALDEAN, PYTHAGOREAN, VOWELS, LetterTable
from onenumbers_utilities.numerology.vowels import mark
from onenumbers_utilities.registry.limits import MAX_ITEMS

TypeName = Literal["int", "string", "date", "list<int>", "list<string>"]

_TABLES: Final = {table.name: table for table in (PYTHAGOREAN, CHALDEAN)}
_Y_RULES: Final = {rule.value: rule for rule in YRule}
_MAX_MASTERS: Final = 20


@dataclass(frozen=True, slots=True)
class Function:
    """One overload of a function."""

    name: str
    parameters: tuple[TypeName, ...]
    result: TypeName
    implementation: Callable[..., Any]
    description: str

    @property
    def signature(self) -> str:
        """Such as "reduce(int, list<int>) -> int"."""
        return f"{self.name}({', '.join(self.parameters)}) -> {self.result}"


def as_date(value: datetime) -> date:
    """Returns the date of a moment in UTC; dates are midnights there while a formula runs."""
    return value.astimezone(UTC).date()


def as_moment(value: date) -> datetime:
    """Returns the midnight in UTC at which a date begins.

    The engine takes the first moment of year 1 for the infinite past; the microsecond after it is the same date.
    """
    return datetime(value.year, value.month, value.day, microsecond=int(value == date.min), tzinfo=UTC)


def _natural(number: int, function: str) -> int:
    if number < 0:
        raise invalid("formula", f"{function} needs a number of at least 0, not {number}", rule="formula.negative")
    return number


def _masters(numbers: Sequence[int]) -> frozenset[int]:
    if len(numbers) > _MAX_MASTERS:
        raise invalid("formula", f"at most {_MAX_MASTERS} master numbers may be given", rule="formula.masters")
    return frozenset(numbers)


def _digit_sum(number: int) -> int:
    return ds(_natural(number, "digit_sum"))


def _root(number: int) -> int:
    return root_of(_natural(number, "root"))


def _digits(number: int) -> list[int]:
    return [int(digit) for digit in str(_natural(number, "digits"))]


def _chain(number: int, masters: Sequence[int] | None = None) -> list[int]:
    kept = MASTERS_11_22_33 if masters is None else _masters(masters)
    # Without its cache: what strangers ask must not push out what the calculations keep there.
    return list(chain_of.__wrapped__(_natural(number, "chain"), kept))


def _reduce(number: int, masters: Sequence[int] | None = None) -> int:
    return _chain(_natural(number, "reduce"), masters)[-1]


def _sum(numbers: Sequence[int]) -> int:
    return sum(numbers)


def _least(numbers: Sequence[int]) -> int:
    return min(_some(numbers, "least"))


def _greatest(numbers: Sequence[int]) -> int:
    return max(_some(numbers, "greatest"))


def _some(numbers: Sequence[int], function: str) -> Sequence[int]:
    if not numbers:
        raise invalid("formula", f"{function} needs a list with at least one number", rule="formula.empty_list")
    return numbers


def _range(first: int, last: int) -> list[int]:
    if last - first >= MAX_ITEMS:
        raise invalid("formula", f"range makes at most {MAX_ITEMS} numbers", rule="formula.range")
    return list(range(first, last + 1))


@lru_cache(maxsize=256)
def _name(text: str) -> Name:
    return read_name(text)


def _letters(text: str) -> str:
    return "".join(_name(text).parts)


def _names(text: str) -> list[str]:
    return list(_name(text).parts)


def _initials(text: str) -> str:
    return "".join(part[0] for part in _name(text).parts)


def _is_letters(text: str) -> bool:
    return not text or (text.isascii() and text.isalpha() and text.isupper())


def _marked(text: str, rule: str) -> bytes:
    found = _Y_RULES.get(rule)
    if found is None:
        raise invalid("formula", f"'{rule[:40]}' is no Y rule: {', '.join(_Y_RULES)}", rule="formula.y_rule")
    return b"".join(mark(_name(text).parts, found))


def _vowels(text: str, rule: str = YRule.ORTHOGRAPHIC.value) -> str:
    return bytes(code for code in _marked(text, rule) if code in VOWELS).decode().upper()


def _consonants(text: str, rule: str = YRule.ORTHOGRAPHIC.value) -> str:
    return bytes(code for code in _marked(text, rule) if code not in VOWELS).decode()


def _table(system: str) -> LetterTable:
    found = _TABLES.get(system)
    if found is None:
        raise invalid("formula", f"'{system[:40]}' is no letter table: {', '.join(_TABLES)}", rule="formula.system")
    return found


def _letter_values(text: str, system: str = PYTHAGOREAN.name) -> list[int]:
    letters = text if _is_letters(text) else _letters(text)
    return list(letters.encode("ascii").translate(_table(system).letters))


def _count_values(text: str, system: str = PYTHAGOREAN.name) -> list[int]:
    values = _letter_values(text, system)
    return [values.count(value) for value in range(1, 10)]


def _year(moment: datetime) -> int:
    return as_date(moment).year


def _month(moment: datetime) -> int:
    return as_date(moment).month


def _day(moment: datetime) -> int:
    return as_date(moment).day


def _date(year: int, month: int, day: int) -> datetime:
    return as_moment(read_date(day, month, year))


def _age(born: datetime, as_of: datetime) -> int:
    return age_on(as_date(born), as_date(as_of))


FUNCTIONS: Final = (
    Function("digit_sum", ("int",), "int", _digit_sum, "Sum of the decimal digits."),
    Function("digits", ("int",), "list<int>", _digits, "The decimal digits, first to last."),
    Function("reduce", ("int",), "int", _reduce, "Repeated digit sums until 1-9 or 11, 22, 33."),
    Function("reduce", ("int", "list<int>"), "int", _reduce, "The same with other master numbers; [] for none."),
    Function("root", ("int",), "int", _root, "Reduced to 1-9; 0 for 0."),
    Function("chain", ("int",), "list<int>", _chain, "Every value that reduce visits, the number itself first."),
    Function("chain", ("int", "list<int>"), "list<int>", _chain, "The same with other master numbers."),
    Function("abs", ("int",), "int", abs, "The number without its sign."),
    Function("sum", ("list<int>",), "int", _sum, "Sum of the numbers; 0 for none."),
    Function("least", ("list<int>",), "int", _least, "The smallest of the numbers."),
    Function("greatest", ("list<int>",), "int", _greatest, "The largest of the numbers."),
    Function("range", ("int", "int"), "list<int>", _range, "The whole numbers from the first to the last, both in."),
    Function("letters", ("string",), "string", _letters, "The letters A-Z of a name, without spaces and titles."),
    Function("names", ("string",), "list<string>", _names, "The names of a full name, each in letters A-Z."),
    Function("initials", ("string",), "string", _initials, "The first letters of the names."),
    Function("vowels", ("string",), "string", _vowels, "The vowels of a name; Y by the orthographic rule."),
    Function(
        "vowels", ("string", "string"), "string", _vowels, "The same with another Y rule, such as 'always_vowel'."
    ),
    Function("consonants", ("string",), "string", _consonants, "The consonants of a name."),
    Function("consonants", ("string", "string"), "string", _consonants, "The same with another Y rule."),
    Function("letter_values", ("string",), "list<int>", _letter_values, "Pythagorean values of the letters."),
    Function("letter_values", ("string", "string"), "list<int>", _letter_values, "On another table: 'chaldean'."),
    Function("count_values", ("string",), "list<int>", _count_values, "How often each value 1-9 is among the letters."),
    Function("count_values", ("string", "string"), "list<int>", _count_values, "The same on another table."),
    Function("year", ("date",), "int", _year, "Year of a date."),
    Function("month", ("date",), "int", _month, "Month of a date, 1-12."),
    Function("day", ("date",), "int", _day, "Day of the month, 1-31."),
    Function("date", ("int", "int", "int"), "date", _date, "The date of year, month and day."),
    Function("age", ("date", "date"), "int", _age, "Completed years from a birth to another date."),
)
"""All overloads, in the order of docs/registry.md."""

FUNCTION_NAMES: Final = frozenset(function.name for function in FUNCTIONS)
