"""Whatever is sent as a formula, the answer is a result or a refusal that names the formula or its inputs."""

import random

from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.registry.functions import FUNCTION_NAMES
from onenumbers_utilities.registry.sandbox import Sandbox

WORDS = (
    *sorted(FUNCTION_NAMES),
    *("name", "born", "n", "size", "map", "filter", "all", "exists", "has", "in", "true", "null", "dyn", "type", "int"),
    *("1", "0", "-1", "9223372036854775807", "1.5e308", "0x7f", "1u", "'a'", '"b"', "b'c'", "r'\\d'", "'''x'''"),
    *(
        "+",
        "-",
        "*",
        "/",
        "%",
        "==",
        "!=",
        "<",
        ">=",
        "&&",
        "||",
        "!",
        "?",
        ":",
        ",",
        ".",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
    ),
    *(" ", "\n", "// c\n", "\\", "@", "ș", "😀", "\x00", "\u202e"),
)
INPUTS = {"name": "string", "n": "int"}
ROUNDS = 1_500


def soup(rng: random.Random) -> str:
    """Words in any order."""
    return "".join(rng.choice(WORDS) for _ in range(rng.randint(1, 40)))


def grown(rng: random.Random, depth: int = 4) -> str:
    """Something that mostly parses."""
    if depth == 0 or rng.random() < 0.2:
        return rng.choice(("name", "n", "1", "0", "-3", "'Ana'", "[1, 2]", "[]", "1.5", "true", "range(1, 50)"))
    part = lambda: grown(rng, depth - 1)  # noqa: E731
    return rng.choice(
        (
            lambda: f"{rng.choice(sorted(FUNCTION_NAMES))}({part()})",
            lambda: f"{rng.choice(sorted(FUNCTION_NAMES))}({part()}, {part()})",
            lambda: f"({part()} {rng.choice(('+', '-', '*', '/', '%', '==', '<', '&&', 'in'))} {part()})",
            lambda: f"({part()} ? {part()} : {part()})",
            lambda: f"{part()}.{rng.choice(('map', 'filter', 'all', 'exists'))}(x, {part()})",
            lambda: f"[{part()}, {part()}][{part()}]",
            lambda: f"{rng.choice(('size', 'string', 'int', 'double', 'dyn', 'type'))}({part()})",
        )
    )()


async def test_nothing_breaks_more_than_its_own_call():
    rng = random.Random(7)
    rows = [{"name": "Ana-Maria Pop", "n": 29}, {"name": "", "n": 0}, {"name": "Іван\u202e😀", "n": -(2**53) + 1}]
    usable = results = 0
    refused: list[tuple[str, InvalidArgumentError]] = []
    async with Sandbox(cpu_s=2) as sandbox:
        for number in range(ROUNDS):
            formula = soup(rng) if number % 3 == 0 else grown(rng)
            try:
                outcome = await sandbox.run(formula, INPUTS, rows)
            except InvalidArgumentError as error:
                refused.append((formula, error))
                continue
            usable += 1
            for row in outcome.rows:
                if row.error is None:
                    results += 1
                else:
                    assert row.error.violations[0].field.startswith("inputs"), formula
                    assert "Traceback" not in row.error.message
    for formula, error in refused:
        assert [item.field for item in error.violations] == ["definition.formula"], formula
        assert len(error.message) < 1000
    # The test says something only where a part of what is made gets as far as this.
    assert usable > 50
    assert results > 50
