"""What a utility may cost. Every number here is a decision of ours; docs/registry.md lists them for users."""

from __future__ import annotations

from typing import Final

MAX_FORMULA_LENGTH: Final = 4_000
"""Characters of a formula."""
MAX_TOKENS: Final = 1_000
"""Tokens of a formula: each node of its syntax tree needs at least one."""
MAX_NESTING: Final = 24
"""Brackets that may be open at once. The parser itself stops at a recursion of 32."""
MAX_LITERAL: Final = 500
"""Characters of a text literal."""
MAX_MACROS: Final = 4
"""Macros (all, exists, exists_one, map, filter) inside each other; the engine runs at most 10,000 rounds in all."""
MAX_TEXT: Final = 1_000
"""Characters of a text input, and of a text result."""
MAX_ITEMS: Final = 1_000
"""Elements of a result that is a list, and of a list that a function makes."""
MAX_LIST_TEXT: Final = 10_000
"""Characters of all texts of a result that is a list."""
MAX_INTEGER: Final = (1 << 53) - 1
"""Largest absolute value of a whole number as an input: what JSON carries exactly."""
MAX_RESULT: Final = (1 << 31) - 1
"""Largest absolute value of a whole number as a result: a 32 bit number is a number in JSON on every face."""
MAX_INPUTS: Final = 20
MAX_EXAMPLES: Final = 200
