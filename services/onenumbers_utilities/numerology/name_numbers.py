"""Expression, soul urge, personality and balance: the numbers of a name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from onenumbers_utilities.numerology.karmic import debts_of
from onenumbers_utilities.numerology.names import Name
from onenumbers_utilities.numerology.options import (
    DEFAULTS,
    KarmicDebtScope,
    NumerologyOptions,
    School,
    SummingMethod,
    YRule,
)
from onenumbers_utilities.numerology.primitives import NO_MASTERS, chain, root
from onenumbers_utilities.numerology.records import changed, record
from onenumbers_utilities.numerology.results import Alternative, Component, LetterValue, Notice, NumberResult
from onenumbers_utilities.numerology.tables import PYTHAGOREAN, VOWELS
from onenumbers_utilities.numerology.vowels import mark

_SCHOOLS: Final = {
    SummingMethod.PER_NAME: School.DECOZ,
    SummingMethod.LETTER_TOTAL: School.PYTHAGOREAN,
    SummingMethod.PER_NAME_PLAIN: School.MCCLAIN,
}
_RULE_IDS: Final = {
    (position, method): f"{position}.{method.value}"
    for position in ("expression", "soul_urge", "personality")
    for method in SummingMethod
}
_COUNTED: Final = {
    "expression": PYTHAGOREAN.letters,
    "soul_urge": PYTHAGOREAN.vowels,
    "personality": PYTHAGOREAN.consonants,
}


@record
class MarkedName:
    """A name with its vowels decided, ready for all its numbers."""

    name: Name
    marked: tuple[bytes, ...]
    """The names as vowels.mark writes them."""
    options: NumerologyOptions
    inputs: dict[str, str]
    """Inputs of a number that does not depend on vowels."""
    vowel_inputs: dict[str, str]
    """Inputs of a number that does."""
    has_y: bool
    """Whether there is a Y, on which schools disagree."""


def mark_name(name: Name, options: NumerologyOptions = DEFAULTS) -> MarkedName:
    """Decides the vowels of a name by the Y rule of the options.

    Raises:
        InvalidArgumentError: an override does not fit the name.
    """
    marked = mark(name.parts, options.y_rule, options.y_overrides)
    inputs = name.inputs()
    if options.master_set is not None:
        inputs["master_numbers"] = options.master_set.value
    vowel_inputs = inputs
    if options.y_rule is not YRule.ORTHOGRAPHIC or options.y_overrides:
        vowel_inputs = {**inputs, "y_rule": options.y_rule.value}
        if options.y_overrides:
            vowel_inputs["y_overrides"] = ", ".join(
                f"{each.position} {'vowel' if each.vowel else 'consonant'}" for each in options.y_overrides
            )
    return MarkedName(name, marked, options, inputs, vowel_inputs, "Y" in name.text)


def expression(name: MarkedName, *, explain: bool = True) -> NumberResult:
    """Returns the expression (destiny) number: all letters of the name."""
    return _number("expression", name, name.inputs, explain=explain)


def destiny(name: MarkedName, *, explain: bool = True) -> NumberResult:
    """Returns the expression number with a notice that destiny is another name of it."""
    found = expression(name, explain=explain)
    notice = Notice("SAME_AS_EXPRESSION", "Destiny and expression are two names of one number.")
    return changed(found, warnings=(*found.warnings, notice))


def soul_urge(name: MarkedName, *, explain: bool = True) -> NumberResult:
    """Returns the soul urge (heart's desire) number: the vowels. Its value is None where there is no vowel."""
    return _number("soul_urge", name, name.vowel_inputs, explain=explain)


def personality(name: MarkedName, *, explain: bool = True) -> NumberResult:
    """Returns the personality number: the consonants. Its value is None where there is no consonant."""
    return _number("personality", name, name.vowel_inputs, explain=explain)


def balance(name: MarkedName, *, explain: bool = True) -> NumberResult:
    """Returns the balance number: the initials of every name, reduced to 1-9 whatever masters are in force."""
    values = [PYTHAGOREAN.values[part[0]] for part in name.name.parts]
    visited = chain(sum(values), NO_MASTERS)
    return NumberResult(
        value=visited[-1],
        root=visited[-1],
        is_master=False,
        total=visited[0],
        chain=visited,
        rule_id="balance.initials",
        school=School.DECOZ,
        inputs_used=name.inputs,
        warnings=name.name.notices,
        components=tuple(
            Component("initial", part[0], value, value, (value,))
            for part, value in zip(name.name.parts, values, strict=True)
        )
        if explain
        else (),
    )


def _number(position: str, name: MarkedName, inputs: dict[str, str], *, explain: bool) -> NumberResult:
    options, table = name.options, _COUNTED[position]
    masters = options.masters()
    totals = [sum(part.translate(table)) for part in name.marked]
    visited = _visited(totals, options.summing_method, masters)
    value = visited[-1] if visited else None
    warnings = name.name.notices
    y_alternatives: tuple[Alternative, ...] = ()
    if name.has_y and position != "expression":
        warnings, y_alternatives = _y_disagreement(position, name, value)
    if value is None:
        kind = "VOWELS" if position == "soul_urge" else "CONSONANTS"
        warnings = (*warnings, Notice(f"NO_{kind}", f"The name has no {kind.lower()}, so there is nothing to count."))
    return NumberResult(
        value=value,
        root=root(value or 0),
        is_master=(value or 0) > 9,
        total=visited[0] if visited else 0,
        chain=visited,
        rule_id=_RULE_IDS[position, options.summing_method],
        school=_SCHOOLS[options.summing_method],
        inputs_used=inputs,
        warnings=warnings,
        components=tuple(_components(name, totals, table, masters)) if explain else (),
        alternatives=(*_other_methods(position, totals, options.summing_method, masters, value), *y_alternatives)
        if explain
        else (),
        karmic_debts=debts_of(
            position,
            visited,
            options.karmic_debt_scope,
            # A name that stands alone is the total itself and not a part of it.
            parts=() if sum(totals) in totals else zip(name.name.parts, totals, strict=True),
            masters=masters,
        )
        if len(visited) > 1 or options.karmic_debt_scope is KarmicDebtScope.COMPONENTS
        else (),
    )


def _contribution(total: int, method: SummingMethod, masters: frozenset[int]) -> tuple[int, ...]:
    """Returns the chain of one name, from its sum to what it contributes."""
    match method:
        case SummingMethod.PER_NAME:
            return chain(total, masters)
        case SummingMethod.PER_NAME_PLAIN:
            return chain(total, NO_MASTERS)
        case SummingMethod.LETTER_TOTAL:
            return (total,)


def _visited(totals: Sequence[int], method: SummingMethod, masters: frozenset[int]) -> tuple[int, ...]:
    """Returns the chain of the whole name; empty where no letter counts.

    Where a single name counts, nothing is added to it, and its letters are the sum before the last reduction. Otherwise
    the debts of people with one name would be hidden in a component.
    """
    whole = sum(totals)
    if not whole:
        return ()
    if method is SummingMethod.LETTER_TOTAL or (method is SummingMethod.PER_NAME and whole in totals):
        return chain(whole, masters)
    kept = masters if method is SummingMethod.PER_NAME else NO_MASTERS
    return chain(sum([chain(total, kept)[-1] for total in totals]), masters)


def _components(name: MarkedName, totals: Sequence[int], table: bytes, masters: frozenset[int]) -> Iterator[Component]:
    method = name.options.summing_method
    for part, marked, total in zip(name.name.parts, name.marked, totals, strict=True):
        visited = _contribution(total, method, masters)
        letters = tuple(
            LetterValue(letter, PYTHAGOREAN.values[letter], code in VOWELS, table[code] > 0)
            for letter, code in zip(part, marked, strict=True)
        )
        yield Component("name", part, total, visited[-1], visited, letters)


def _other_methods(
    position: str, totals: Sequence[int], method: SummingMethod, masters: frozenset[int], value: int | None
) -> Iterator[Alternative]:
    for other, school in _SCHOOLS.items():
        visited = _visited(totals, other, masters)
        if other is not method and visited and visited[-1] != value:
            yield Alternative(_RULE_IDS[position, other], school, visited[-1], visited[0])


def _y_disagreement(
    position: str, name: MarkedName, value: int | None
) -> tuple[tuple[Notice, ...], tuple[Alternative, ...]]:
    """Returns the notices of the name and, where the rules of Y give other numbers, these with one more notice."""
    options, table = name.options, _COUNTED[position]
    masters, school = options.masters(), _SCHOOLS[options.summing_method]
    found: list[Alternative] = []
    for rule in YRule:
        totals = [sum(part.translate(table)) for part in mark(name.name.parts, rule)]
        visited = _visited(totals, options.summing_method, masters)
        other = visited[-1] if visited else None
        if other != value:
            rule_id = f"{_RULE_IDS[position, options.summing_method]}.y_{rule.value}"
            found.append(Alternative(rule_id, school, other, visited[0] if visited else 0))
    if not found:
        return name.name.notices, ()
    others = ", ".join(f"{each.rule_id.rpartition('.y_')[2]} {_shown(each.value)}" for each in found)
    message = f"The number depends on what Y is: {_shown(value)} as counted here, by other rules {others}."
    return (*name.name.notices, Notice("Y_MODES_DISAGREE", message)), tuple(found)


def _shown(value: int | None) -> str:
    return "none" if value is None else str(value)
