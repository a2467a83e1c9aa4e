"""The static limits of a formula, checked on its tokens before a parser sees it."""

from __future__ import annotations

import re
from typing import Final

from onenumbers_runtime.errors import InvalidArgumentError, invalid
from onenumbers_utilities.registry.limits import (
    MAX_FORMULA_LENGTH,
    MAX_LITERAL,
    MAX_MACROS,
    MAX_NESTING,
    MAX_TOKENS,
)

FIELD: Final = "definition.formula"
"""Where errors say that a formula is."""
_RESERVED_WORDS: Final = """
    as break const continue else false for function if import in let loop namespace null package return true var void
    while bool bytes double duration dyn google int list map null_type string timestamp type uint
"""
RESERVED: Final = frozenset(_RESERVED_WORDS.split())
"""Words that CEL reserves, and its types: no name of an input."""

_TOKEN: Final = re.compile(
    r"""
    (?P<space>[\s]+|//[^\n]*)
    | (?P<text>[rRbB]{0,2}(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    | (?P<number>\d\w*(?:\.\d+(?:[eE][+-]?\d+)?)?)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<operator>&&|\|\||[<>=!]=|[-+*/%<>!?:.,])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_MACROS: Final = frozenset(("all", "exists", "exists_one", "map", "filter"))


def check_limits(formula: str) -> None:
    """Does nothing for a formula within the static limits.

    Raises:
        InvalidArgumentError: It is too long, nests too deep, or has a text that is too long or a character that the
            language does not know; the field is definition.formula and the message says where.
    """
    if not formula.strip():
        raise invalid(FIELD, "must not be empty", rule="formula.required")
    if len(formula) > MAX_FORMULA_LENGTH:
        raise _refused(f"has {len(formula)} characters, at most {MAX_FORMULA_LENGTH} may be", "formula.max_length")
    position = tokens = 0
    macros: list[bool] = []
    before: tuple[str, str] = ("", "")
    word = ""
    while position < len(formula):
        match = _TOKEN.match(formula, position)
        if match is None:
            char = formula[position]
            shown = char if char.isprintable() else f"U+{ord(char):04X}"
            raise _refused(f"{place(formula, position)}: '{shown}' does not belong to the language", "formula.syntax")
        kind, text = str(match.lastgroup), match.group()
        if kind == "text" and len(text) > MAX_LITERAL:
            raise _refused(
                f"{place(formula, position)}: the text has {len(text)} characters, at most {MAX_LITERAL} may be",
                "formula.max_literal",
            )
        if kind == "open":
            macros.append(text == "(" and word in _MACROS and before == ("operator", "."))
            _check_depth(formula, position, macros)
        elif kind == "close" and macros:
            macros.pop()
        if kind != "space":
            tokens += 1
            if kind != "word":
                before, word = (kind, text), ""
            else:
                word = text
        position = match.end()
    if tokens > MAX_TOKENS:
        raise _refused(f"has {tokens} tokens, at most {MAX_TOKENS} may be", "formula.max_tokens")


def place(formula: str, position: int) -> str:
    """Returns "line 1, column 5" of a position."""
    line = formula.count("\n", 0, position) + 1
    return f"line {line}, column {position - (formula.rfind(chr(10), 0, position) + 1) + 1}"


def _check_depth(formula: str, position: int, macros: list[bool]) -> None:
    if len(macros) > MAX_NESTING:
        raise _refused(
            f"{place(formula, position)}: more than {MAX_NESTING} brackets are open at once", "formula.max_nesting"
        )
    if sum(macros) > MAX_MACROS:
        raise _refused(
            f"{place(formula, position)}: more than {MAX_MACROS} macros (all, exists, map, filter) inside each other",
            "formula.max_macros",
        )


def _refused(description: str, rule: str) -> InvalidArgumentError:
    return invalid(FIELD, description, rule=rule)
