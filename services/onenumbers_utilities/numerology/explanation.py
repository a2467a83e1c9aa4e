"""Plain sentences about a result, in English and Romanian, made from its trace and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from onenumbers_utilities.numerology.explanation_words import (
    DEBT_ORIGINS,
    LABELS,
    NOTICES,
    PHRASES,
    SCHOOLS,
    TITLES,
)
from onenumbers_utilities.numerology.results import Component, NumberResult

LANGUAGES: Final = ("en", "ro")
"""Languages in which results are explained."""


def explain(result: NumberResult, language: str) -> str:
    """Returns how a number came about, for a reader who knows no numerology.

    Args:
        result: With its components, as calculations return it with explain.
        language: "en" or "ro".
    """
    words = PHRASES[language]
    sentences = [_head(result, language)]
    sentences += [_part(component, language) for component in result.components]
    if result.chain:
        sentences.append(_sum(result, words))
    if result.is_master:
        sentences.append(words["master"].format(value=result.value, root=result.root))
    sentences += [
        words["debt"].format(number=debt.number, origin=DEBT_ORIGINS[language][debt.origin])
        for debt in result.karmic_debts
    ]
    sentences.append(words["rule"].format(rule=result.rule_id, school=SCHOOLS[language][result.school]))
    if result.alternatives:
        others = ", ".join(
            f"{each.rule_id}: {words['none'] if each.value is None else each.value}" for each in result.alternatives
        )
        sentences.append(words["others"].format(others=others))
    sentences += [_notice(notice.code, notice.message, language) for notice in result.warnings]
    return " ".join(sentences)


def title(rule_id: str, language: str) -> str:
    """Returns the name of the number that a rule calculates."""
    family = rule_id.partition(".")[0]
    return TITLES[language].get(family, family.replace("_", " ").capitalize())


def _head(result: NumberResult, language: str) -> str:
    words = PHRASES[language]
    if result.value is None:
        return words["head_none"].format(title=title(result.rule_id, language))
    return words["head"].format(title=title(result.rule_id, language), value=result.value)


def _part(component: Component, language: str) -> str:
    label = LABELS[language].get(component.label, component.label.replace("_", " "))
    counted = [letter for letter in component.letters if letter.counted]
    if counted:
        letters = " + ".join(f"{letter.letter} {letter.value}" for letter in counted)
        return f"{label.capitalize()} {component.text}: {letters} = {_steps(component.chain)}."
    if component.text == str(component.value):
        return f"{label.capitalize()} {component.text}."
    chain = component.chain
    if component.text.isdecimal() and sum(map(int, component.text)) == chain[0] != int(component.text):
        chain = (int(component.text), *chain)
    # What is taken away is reduced as what is added is; only the part as a whole is less than 0.
    shown = _steps(tuple(map(abs, chain))).removeprefix(f"{component.text}, ")
    if component.value < 0:
        shown = f"{PHRASES[language]['minus']} {shown}"
    return f"{label.capitalize()} {component.text}: {shown}."


def _steps(chain: tuple[int, ...]) -> str:
    """Returns a reduction with its sums of digits, such as "29 = 2 + 9 = 11"."""
    shown = [str(number) for number in chain[:1]]
    for before, number in pairwise(chain):
        shown.append(f"{' + '.join(str(before))} = {number}" if before > 9 else str(number))
    return ", ".join(shown)


def _sum(result: NumberResult, words: Mapping[str, str]) -> str:
    values = [component.value for component in result.components]
    steps = _steps(result.chain)
    if len(values) > 1 and sum(values) == result.total:
        added = " + ".join(str(value) if value >= 0 else f"({value})" for value in values)
        return words["sum"].format(sum=f"{added} = {steps}")
    return words["total"].format(steps=steps)


def _notice(code: str, message: str, language: str) -> str:
    return message if language == "en" else NOTICES.get(code, message)
