"""docs/registry.md says what is true."""

import re
from pathlib import Path

from onenumbers_utilities.registry import limits
from onenumbers_utilities.registry.functions import FUNCTIONS

TEXT = (Path(__file__).parents[2] / "docs" / "registry.md").read_text(encoding="utf-8")


def test_every_function_is_documented_as_it_is():
    documented = re.findall(r"^\| `(\w+\(.*) -> (.+)` \| (.+) \|$", TEXT, re.MULTILINE)
    assert [f"{call} -> {result}" for call, result, _ in documented] == [item.signature for item in FUNCTIONS]
    assert [text for _, _, text in documented] == [item.description for item in FUNCTIONS]


def test_the_limits_are_those_of_the_code():
    for number in (
        limits.MAX_FORMULA_LENGTH,
        limits.MAX_TOKENS,
        limits.MAX_NESTING,
        limits.MAX_MACROS,
        limits.MAX_LITERAL,
        limits.MAX_ITEMS,
        limits.MAX_TEXT,
        limits.MAX_LIST_TEXT,
    ):
        assert re.search(rf"\| [^|]*\b{number:,}\b[^|]*\|", TEXT), number
    assert limits.MAX_INTEGER == 2**53 - 1
    assert limits.MAX_RESULT == 2**31 - 1
