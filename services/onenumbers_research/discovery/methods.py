"""What a document says of a method whose rule the grammar of prose does not read. Pure.

A document counts as one that has a method when it gives at least two worked examples in the form that extraction reads,
and has a sentence with a word of calculation. Everything else is left alone: nothing could be verified there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from onenumbers_research.discovery.extraction import (
    INPUT_DESCRIPTIONS,
    MAX_EXAMPLES,
    Input,
    Kind,
    Worked,
    prose_of,
    stated_by,
    subjects_of,
    worked_examples,
)
from onenumbers_research.discovery.formula_trees import INPUT_NAMES, LARGEST_NUMBER, QUANTITIES

LEAST_EXAMPLES: Final = 2
"""Worked examples without which a document has no method that could be found."""
_MOST_TEXT: Final = 2_000
"""Characters of sentences that are kept."""
_CALCULATES: Final = re.compile(
    r"\b(?:add|sum|plus|total|subtract|minus|less|take away|remove|multipl\w+|times|twice|double|triple|divid\w+"
    r"|remainder|difference|reduc\w+|digits?|vowels?|consonants?|letters?|initials?|count(?:s|ed)?|calculat\w+"
    r"|put together)\b",
    re.IGNORECASE,
)
_NUMBER_WORDS: Final = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "twice": 2,
    "double": 2,
    "doubled": 2,
    "triple": 3,
    "tripled": 3,
    "thrice": 3,
}
_NUMBER: Final = re.compile(rf"\b(?:\d{{1,2}}|{'|'.join(_NUMBER_WORDS)})\b", re.IGNORECASE)
_SINGLE_DIGIT: Final = re.compile(
    r"\b(?:single|one) digit\b|\broot\b|\bno masters?\b|\bwithout masters?\b", re.IGNORECASE
)
_REDUCES: Final = re.compile(r"\breduc\w+|\bmaster\b|\bmasters\b", re.IGNORECASE)
_KEEPS: Final = re.compile(r"\bmaster", re.IGNORECASE)
_DIGITS: Final = re.compile(r"\bdigits?\b", re.IGNORECASE)
_BINARY: Final = ("add", "subtract", "multiply", "difference", "remainder")


@dataclass(frozen=True, slots=True)
class Method:
    """A method that a document tells of without a rule that can be read."""

    title: str
    sentences: tuple[str, ...]
    """Those that may say how it is calculated; no examples among them."""
    inputs: tuple[Input, ...]
    examples: tuple[Worked, ...]
    quantities: tuple[str, ...]
    """What the sentences speak of; everything that the inputs are made of where they speak of nothing."""
    numbers: tuple[int, ...]
    """Numbers that the sentences name, at most 99."""
    functions: tuple[str, ...]
    """Functions that the sentences allow for."""


def method_of(title: str, content: str) -> Method | None:
    """Returns the method that a document tells of, or None where it does not look as if it had one."""
    sentences = prose_of(content)
    inputs = _inputs(sentences)
    examples = worked_examples(sentences, inputs)[:MAX_EXAMPLES] if inputs else []
    examples = [item for item in examples if isinstance(item.expected, int)]
    if len(examples) < LEAST_EXAMPLES:
        return None
    quotes = {item.quote for item in examples}
    said = [text for text in sentences if text[:300] not in quotes and _CALCULATES.search(text)]
    if not said:
        return None
    text = " ".join(said)
    return Method(
        title=title,
        sentences=tuple(_first(said)),
        inputs=inputs,
        examples=tuple(examples),
        quantities=_quantities(text, [item.kind for item in inputs]),
        numbers=_numbers(text),
        functions=_functions(text),
    )


def _first(sentences: Sequence[str]) -> list[str]:
    kept: list[str] = []
    for sentence in sentences:
        if sum(map(len, kept)) + len(sentence) > _MOST_TEXT:
            break
        kept.append(sentence)
    return kept


def _inputs(sentences: Sequence[str]) -> tuple[Input, ...]:
    """Returns the inputs that most examples name; of as many, the most inputs."""
    named = [subjects_of(text).keys() for text in sentences if stated_by(text) is not None]
    kinds: list[Kind] = ["date", "string", "integer"]
    choices = [choice for count in (3, 2, 1) for choice in combinations(kinds, count)]
    best = max(choices, key=lambda choice: sum(set(choice) <= names for names in named))
    if not any(set(best) <= names for names in named):
        return ()
    return tuple(Input(INPUT_NAMES[kind], kind, INPUT_DESCRIPTIONS[INPUT_NAMES[kind]]) for kind in best)


def _quantities(text: str, kinds: Sequence[Kind]) -> tuple[str, ...]:
    there = {name: quantity for name, quantity in QUANTITIES.items() if quantity.kind in kinds}
    spoken = tuple(name for name, quantity in there.items() if _speaks(text, quantity.words))
    return spoken or tuple(there)


def every_quantity(inputs: Sequence[Input]) -> tuple[str, ...]:
    """Returns all that the inputs are made of."""
    kinds = {item.kind for item in inputs}
    return tuple(name for name, quantity in QUANTITIES.items() if quantity.kind in kinds)


def _speaks(text: str, words: str) -> bool:
    return any(re.search(words, part, re.IGNORECASE) for part in re.split(r"[.;!?]", text))


def _numbers(text: str) -> tuple[int, ...]:
    found = [_NUMBER_WORDS.get(match[0].lower()) or int(match[0]) for match in _NUMBER.finditer(text)
             if match[0].isdigit() or match[0].lower() in _NUMBER_WORDS]  # fmt: skip
    return tuple(dict.fromkeys(number for number in found if 1 <= number <= LARGEST_NUMBER))[:8]


def _functions(text: str) -> tuple[str, ...]:
    """Returns the functions of one number that the words allow for, and all those of two."""
    single, reduces = _SINGLE_DIGIT.search(text) is not None, _REDUCES.search(text) is not None
    found: list[str] = []
    if reduces and (not single or _KEEPS.search(text)):
        found.append("reduce")
    if single:
        found.append("single digit")
    if _DIGITS.search(text) and not (single or reduces):
        found.append("digit sum")
    return (*_BINARY, *(found or ("reduce", "single digit", "digit sum")))


def inputs_of(quantities: frozenset[str], inputs: Sequence[Input]) -> tuple[Input, ...]:
    """Returns those of the inputs that some quantities are made of."""
    kinds = {QUANTITIES[name].kind for name in quantities}
    return tuple(item for item in inputs if item.kind in kinds)


def examples_of(examples: Sequence[Worked], inputs: Sequence[Input]) -> tuple[Worked, ...]:
    """Returns examples with some of their inputs alone, each once."""
    found: dict[str, Worked] = {}
    for item in examples:
        given: Mapping[str, Any] = {each.name: item.inputs[each.name] for each in inputs}
        found.setdefault(repr(given), Worked(given, item.expected, item.quote))
    return tuple(found.values())
