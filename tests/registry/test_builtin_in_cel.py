"""Formulas and Python agree: two ways of writing one rule, compared on random inputs."""

import random
import runpy
from datetime import date
from pathlib import Path

import pytest

from onenumbers_utilities.registry.sandbox import Sandbox

BUILT_IN = runpy.run_path(str(Path(__file__).with_name("builtin_in_cel.py")))["BUILT_IN"]
ROUNDS = 10_000
PART = 500
LETTERS = "abcdefghijklmnopqrstuvwxyzyyyaeiou" + "ABCXYZ" + "ăâîșțéèüöäßøœłđñç"
JOINERS = ("-", "'", "’", "·")
TITLES = ("Dr. ", "Mrs ", "Prof. Dr. ")


def a_date(rng: random.Random) -> date:
    """Any date of the calendar; half of them of the years that people are born in."""
    first, last = (date(1900, 1, 1), date(2030, 12, 31)) if rng.random() < 0.5 else (date.min, date.max)
    return date.fromordinal(rng.randint(first.toordinal(), last.toordinal()))


def a_name(rng: random.Random) -> str:
    words = []
    for _ in range(rng.randint(1, 5)):
        word = "".join(rng.choice(LETTERS) for _ in range(rng.randint(1, 12)))
        if len(word) > 3 and rng.random() < 0.2:
            word = f"{word[:2]}{rng.choice(JOINERS)}{word[2:]}"
        words.append(word.capitalize() if rng.random() < 0.8 else word.upper())
    title = rng.choice(TITLES) if rng.random() < 0.1 else ""
    suffix = rng.choice((" Jr.", " III")) if rng.random() < 0.1 else ""
    return title + " ".join(words) + suffix


def a_row(inputs: dict[str, str], rng: random.Random) -> dict[str, object]:
    row: dict[str, object] = {name: a_date(rng) if kind == "date" else a_name(rng) for name, kind in inputs.items()}
    if {"born", "as_of"} <= row.keys():
        row["born"], row["as_of"] = sorted((row["born"], row["as_of"]))
    return row


@pytest.mark.parametrize("built_in", BUILT_IN, ids=lambda item: item.name)
async def test_the_formula_agrees_with_the_python_on_ten_thousand_random_inputs(built_in):
    rng = random.Random(built_in.name)
    async with Sandbox(cpu_s=10) as sandbox:
        for _ in range(ROUNDS // PART):
            rows = [a_row(built_in.inputs, rng) for _ in range(PART)]
            outcome = await sandbox.run(built_in.formula, built_in.inputs, rows)
            for row, found in zip(rows, outcome.rows, strict=True):
                assert found.error is None, (row, found.error)
                assert found.value == built_in.python(**row), row


def test_at_least_ten_calculations_are_compared():
    assert len({item.name for item in BUILT_IN}) >= 10
