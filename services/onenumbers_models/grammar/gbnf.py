"""Parts of GBNF, llama.cpp's notation for grammars: literals, repetitions, and numbers within bounds. Pure."""

from __future__ import annotations

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
DIGITS = 15
"""Digits that a number has at most before its point: what a double holds exactly."""

STRING_CHARACTER = (
    r'[^"\\\x00-\x1F\x7F\uD800-\uDFFF] | "\\" (["\\/bfnrt] | '
    r'"u" ([0-9a-cA-CefEF] [0-9a-fA-F]{3} | [dD] [0-7] [0-9a-fA-F]{2}))'
)
"""One character of a JSON string; halves of characters beyond U+FFFF are left out."""
DATE = (
    r'[0-9]{4} "-" (("01" | "03" | "05" | "07" | "08" | "10" | "12") "-" ("0" [1-9] | [12] [0-9] | "3" [01]) | '
    r'("04" | "06" | "09" | "11") "-" ("0" [1-9] | [12] [0-9] | "30") | "02-" ("0" [1-9] | "1" [0-9] | "2" [0-8]))'
)
"""A date of RFC 3339; 29 February is left out, for it depends on the year."""
TIME = r'([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,6})? "Z"'
UUID = r'[0-9a-f]{8} "-" [0-9a-f]{4} "-" [0-9a-f]{4} "-" [0-9a-f]{4} "-" [0-9a-f]{12}'


def literal(text: str) -> str:
    """Returns the expression for exactly this text."""
    return '"' + "".join(_ESCAPES.get(character, character) for character in text) + '"'


def repeated(item: str, low: int, high: int | None) -> str:
    """Returns the expression for `low` to `high` of an item, without end where `high` is None."""
    return f"{item}{{{low},{'' if high is None else high}}}"


def separated(item: str, separator: str, low: int, high: int | None) -> str:
    """Returns the expression for `low` to `high` items with separators between them."""
    if high == 0:
        return '""'
    rest = repeated(f"({separator} {item})", max(0, low - 1), None if high is None else high - 1)
    return f"{item} {rest}" if low else f"({item} {rest})?"


def integer(low: int | None, high: int | None) -> str:
    """Returns the expression for whole numbers from `low` to `high`, both included; None is no bound."""
    limit = 10**DIGITS - 1
    first, last = max(-limit, -limit if low is None else low), min(limit, limit if high is None else high)
    parts = []
    if first < 0:
        parts.append('"-" (' + _natural(max(1, -last), -first) + ")")
    if last >= 0:
        parts.append(_natural(max(0, first), last))
    return " | ".join(parts)


def number(low: int | None, high: int | None) -> str:
    """Returns the expression for decimal numbers between whole bounds, both included; None is no bound."""
    fraction, nothing = '("." [0-9]{1,6})?', '("." "0"{1,6})?'
    limit = 10**DIGITS
    first, last = (-limit if low is None else low), (limit if high is None else high)
    parts = []
    if last >= 0:
        parts += _decimal(max(0, first), last, fraction, nothing)
    if first < 0:
        parts += [f'"-" ({part})' for part in _decimal(max(0, -last), -first, fraction, nothing)]
    return " | ".join(parts)


def _decimal(low: int, high: int, fraction: str, nothing: str) -> list[str]:
    parts = [f"({_natural(low, high - 1)}) {fraction}"] if high > low else []
    # The upper bound itself has no digits behind its point but zeros; the numbers without a bound never get there.
    return parts if high >= 10**DIGITS else [*parts, f"{literal(str(high))} {nothing}"]


def _natural(low: int, high: int) -> str:
    """Returns the expression for the whole numbers from `low` to `high`, neither negative."""
    parts = []
    for length in range(len(str(low)), len(str(high)) + 1):
        smallest = 0 if length == 1 else 10 ** (length - 1)
        parts.append(_same_length(str(max(low, smallest)), str(min(high, 10**length - 1))))
    return " | ".join(parts)


def _same_length(low: str, high: str) -> str:
    if low == high:
        return literal(low)
    if len(low) == 1:
        return f"[{low}-{high}]"
    rest = len(low) - 1
    anything = f"[0-9]{{{rest}}}"
    if low[0] == high[0]:
        return f"{literal(low[0])} ({_same_length(low[1:], high[1:])})"
    first, last, parts = int(low[0]), int(high[0]), []
    if int(low[1:]):
        parts.append(f"{literal(low[0])} ({_same_length(low[1:], '9' * rest)})")
        first += 1
    top = ""
    if high[1:] != "9" * rest:
        top = f"{literal(high[0])} ({_same_length('0' * rest, high[1:])})"
        last -= 1
    if first <= last:
        parts.append(f"[{first}-{last}] {anything}")
    return " | ".join([*parts, *([top] if top else [])])
