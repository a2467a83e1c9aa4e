"""Every result of every calculation is whole: fields are of their types, sums add up, sentences are sentences.

A mutation test found that single fields of results (a root, an input, a label, a notice) were asserted for some
calculations only. Here every field of every result is looked at, on names and dates drawn by chance.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onenumbers_utilities.numerology import objects
from onenumbers_utilities.numerology.attitude import attitude
from onenumbers_utilities.numerology.bridges import bridges, maturity_readings
from onenumbers_utilities.numerology.chaldean import Compound, CompoundMethod, chaldean_birth, chaldean_name
from onenumbers_utilities.numerology.comparison import compare_names
from onenumbers_utilities.numerology.compatibility import compare, read_person
from onenumbers_utilities.numerology.cycles import cycles, universal_cycles
from onenumbers_utilities.numerology.debt_report import debt_report
from onenumbers_utilities.numerology.favourable_dates import DateBasis, favourable_dates
from onenumbers_utilities.numerology.inclusion import IntensityAverages, inclusion
from onenumbers_utilities.numerology.kua import KuaFormula, YearTurn, kua
from onenumbers_utilities.numerology.life_path import birthday, life_path
from onenumbers_utilities.numerology.lo_shu import GridDigits, lo_shu_grid
from onenumbers_utilities.numerology.minor import minor_numbers
from onenumbers_utilities.numerology.name_analysis import analyze_name
from onenumbers_utilities.numerology.name_details import cornerstones, rational_thought
from onenumbers_utilities.numerology.name_numbers import (
    MarkedName,
    balance,
    expression,
    mark_name,
    personality,
    soul_urge,
)
from onenumbers_utilities.numerology.names import Name, read_name
from onenumbers_utilities.numerology.native_letters import NativeLetters, native_letters
from onenumbers_utilities.numerology.options import (
    KarmicDebtScope,
    LifePathMethod,
    MasterSet,
    NumerologyOptions,
    PinnacleRule,
    SummingMethod,
    YRule,
)
from onenumbers_utilities.numerology.period_cycles import PeriodCycleTiming, period_cycles
from onenumbers_utilities.numerology.periods import challenges, pinnacles
from onenumbers_utilities.numerology.phillips import phillips_chart
from onenumbers_utilities.numerology.planes import Planes, PlaneSystem, planes
from onenumbers_utilities.numerology.primitives import ds, root
from onenumbers_utilities.numerology.profile import profile
from onenumbers_utilities.numerology.results import Alternative, Component, Notice, NumberResult
from onenumbers_utilities.numerology.transits import Transits, transits
from onenumbers_utilities.numerology.vedic import vedic_numbers

MASTERS = (11, 22, 33)
RULE = re.compile(r"[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)*")
FREE_CHAINS = ("kua.", "challenge.", "bridge.", "subconscious_self.")
"""Rules whose sums are differences, or which go on after the reduction."""


@dataclasses.dataclass
class Person:
    """What calculations are made of."""

    name: Name
    marked: MarkedName
    born: date
    as_of: date
    options: NumerologyOptions


CALCULATIONS: dict[str, Callable[[Person, bool], Any]] = {
    "life_path": lambda p, e: life_path(p.born, p.options, explain=e),
    "birthday": lambda p, e: birthday(p.born, p.options, explain=e),
    "attitude": lambda p, e: attitude(p.born.day, p.born.month, p.options, explain=e),
    "expression": lambda p, e: expression(p.marked, explain=e),
    "soul_urge": lambda p, e: soul_urge(p.marked, explain=e),
    "personality": lambda p, e: personality(p.marked, explain=e),
    "balance": lambda p, e: balance(p.marked, explain=e),
    "minor": lambda p, e: minor_numbers(p.marked, explain=e),
    "inclusion": lambda p, e: inclusion(p.name, explain=e),
    "inclusion_in_print": lambda p, e: inclusion(p.name, averages=IntensityAverages.SIKKA, explain=e),
    "planes_by_letters": lambda p, e: planes(p.name, PlaneSystem.LETTERS, p.options, explain=e),
    "planes_by_values": lambda p, e: planes(p.name, PlaneSystem.VALUES, p.options, explain=e),
    "cornerstones": lambda p, _: cornerstones(p.marked),
    "rational_thought": lambda p, e: rational_thought(p.name, p.born.day, explain=e),
    "bridges": lambda p, e: bridges(
        life_path(p.born, p.options), expression(p.marked), soul_urge(p.marked), personality(p.marked), explain=e
    ),
    "maturity": lambda p, e: maturity_readings(life_path(p.born), expression(p.marked), p.options, explain=e),
    "name_analysis": lambda p, e: analyze_name(p.marked, p.marked, explain=e),
    "debt_report": lambda p, e: debt_report(p.marked, p.born, explain=e),
    "period_cycles": lambda p, e: period_cycles(p.born, p.options, age=30, explain=e),
    "period_cycles_goodwin": lambda p, e: period_cycles(
        p.born, p.options, timing=PeriodCycleTiming.PERSONAL_YEAR_ONE, explain=e
    ),
    **{
        f"pinnacles_{rule.value}": lambda p, e, rule=rule: pinnacles(p.born, p.options, rule=rule, age=40, explain=e)
        for rule in PinnacleRule
    },
    "challenges": lambda p, e: challenges(p.born, p.options, age=40, explain=e),
    "cycles": lambda p, e: cycles(p.born, p.as_of, p.options, explain=e),
    "universal_cycles": lambda p, e: universal_cycles(p.as_of, p.options, explain=e),
    "transits": lambda p, e: transits(p.name, p.born, range(20, 30), p.options, explain=e),
    **{
        f"chaldean_{method.value}": lambda p, e, method=method: chaldean_name(p.name, method, explain=e)
        for method in CompoundMethod
    },
    "chaldean_birth": lambda p, e: chaldean_birth(p.born.day, explain=e),
    "vedic": lambda p, e: vedic_numbers(p.born, p.name, explain=e),
    **{
        f"lo_shu_{digits.value}": lambda p, _, digits=digits: lo_shu_grid(
            p.born, digits, formula=KuaFormula.FEMALE if digits is GridDigits.WITH_KUA else None
        )
        for digits in GridDigits
    },
    "phillips": lambda p, _: phillips_chart(p.born),
    **{
        f"kua_{formula.value}_{turn.value}": lambda p, e, formula=formula, turn=turn: kua(
            p.born, formula, turn, explain=e
        )
        for formula in KuaFormula
        for turn in YearTurn
    },
    "house": lambda p, e: objects.house_number(f"{p.born.year}B", str(p.born.day), explain=e),
    "phone": lambda p, e: objects.phone_number(f"+{p.born.year} {p.born.day}", explain=e),
    "plate": lambda p, e: objects.plate_number(f"{p.name.parts[0][:8]} {p.born.year}", explain=e),
    **{
        f"business_{table.value}": lambda p, e, table=table: objects.business_name(
            f"{p.name.raw} & {p.born.day} SRL", table, explain=e
        )
        for table in objects.LetterValues
    },
    "comparison_of_people": lambda p, e: compare(
        read_person(p.name.raw, p.born, p.options, explain=e), read_person("Ana Byrd", p.as_of, p.options, explain=e)
    ),
    "comparison_of_names": lambda p, e: compare_names(p.name.raw, "Ana Byrd", p.options, explain=e),
    "favourable_dates": lambda p, _: favourable_dates(
        p.born, p.as_of, p.as_of + timedelta(days=60), p.options, basis=DateBasis.BOTH, min_reasons=1
    ),
    "native_letters": lambda _, e: native_letters("Ёжик Юля", explain=e),
    "profile": lambda p, e: profile(p.name.raw, p.born, p.options, as_of=p.as_of, explain=e),
}

NAMES = (
    st.lists(st.text("abcdefghijklmnopqrstuvwxyzșÉ", min_size=1, max_size=9), min_size=2, max_size=4)
    .map(lambda parts: " ".join(part.capitalize() for part in parts))
    .filter(lambda name: "None" not in name)
)
OPTIONS = st.builds(
    NumerologyOptions,
    life_path_method=st.sampled_from(LifePathMethod),
    summing_method=st.sampled_from(SummingMethod),
    y_rule=st.sampled_from(YRule),
    master_set=st.sampled_from([None, *MasterSet]),
    karmic_debt_scope=st.sampled_from(KarmicDebtScope),
)


def people(names=NAMES, options=OPTIONS):
    def made(name: str, born: date, days: int, chosen: NumerologyOptions) -> Person:
        read = read_name(name)
        return Person(read, mark_name(read, chosen), born, born + timedelta(days=days), chosen)

    born = st.dates(date(1930, 1, 1), date(2020, 12, 31))
    return st.builds(made, names, born, st.integers(0, 30_000), options)


def whole(found: Any, *, explain: bool) -> None:
    """Asserts that a result and all that it holds is whole."""
    if dataclasses.is_dataclass(found) and not isinstance(found, type):
        hints = typing.get_type_hints(type(found))
        for field in dataclasses.fields(found):
            value = getattr(found, field.name)
            assert is_of(value, hints[field.name]), (type(found).__name__, field.name, value)
            whole(value, explain=explain)
        for kind, check in CHECKS.items():
            if isinstance(found, kind):
                check(found, explain)
    elif isinstance(found, Mapping):
        for key, value in found.items():
            whole(key, explain=explain)
            whole(value, explain=explain)
    elif isinstance(found, (tuple, list)):
        for each in found:
            whole(each, explain=explain)


def is_of(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotated type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(is_of(value, each) for each in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and (
            all(is_of(each, arguments[0]) for each in value)
            if arguments[-1] is ...
            else len(value) == len(arguments) and all(map(is_of, value, arguments))
        )
    if origin in (dict, Mapping, typing.get_origin(Mapping[str, str])):
        return isinstance(value, Mapping) and all(
            is_of(key, arguments[0]) and is_of(each, arguments[1]) for key, each in value.items()
        )
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def check_number(found: NumberResult, explain: bool) -> None:
    assert RULE.fullmatch(found.rule_id), found.rule_id
    assert found.inputs_used
    assert all(value and "None" not in value for value in found.inputs_used.values()), found.inputs_used
    if found.value is None:
        assert (found.root, found.total, found.chain, found.is_master) == (0, 0, (), False)
        return
    assert found.root == (root(found.value) if found.value else 0)
    assert found.is_master == (found.value in MASTERS)
    assert found.chain[-1] == found.value
    if not found.rule_id.startswith(FREE_CHAINS):
        assert found.chain[0] == found.total
        assert all(after == ds(before) for before, after in zip(found.chain, found.chain[1:], strict=False))
        counted = [part for part in found.components if part.total]
        # The sum of a single part is shown as it stands, so that what it passes through can be seen.
        alone = counted[0].total if len(counted) == 1 else None
        assert not counted or found.total in (sum(part.value for part in counted), alone)
    assert bool(found.components) == explain, found.rule_id
    assert explain or not found.alternatives


def check_part(found: Component, explain: bool) -> None:
    assert explain
    assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", found.label), found.label
    assert found.text or found.label == "karmic_lessons"
    assert "None" not in found.text
    assert found.chain[0] == found.total
    assert found.chain[-1] == found.value
    if found.letters:
        assert "".join(each.letter for each in found.letters) == found.text
        assert found.total == sum(each.value for each in found.letters if each.counted)
        assert all(1 <= each.value <= 9 for each in found.letters)
        # Y and W are what the rule in force makes of them.
        assert all(each.vowel == (each.letter in "AEIOU") for each in found.letters if each.letter != "Y")


def check_other(found: Alternative, _: bool) -> None:
    assert RULE.fullmatch(found.rule_id), found.rule_id
    assert found.value is None or 0 <= found.value <= 33
    assert (found.value is None) == (found.total == 0) or found.value == 0


def check_notice(found: Notice, _: bool) -> None:
    assert re.fullmatch(r"[A-Z]+(_[A-Z0-9]+)*", found.code), found.code
    assert re.fullmatch(r"[A-Z&0-9].+[.]", found.message, re.DOTALL), found.message
    assert "None" not in found.message


def check_compound(found: Compound, _: bool) -> None:
    assert found.label
    assert found.root == root(found.number)
    assert (found.meaning is not None) == (found.number >= 10)
    assert found.meaning is None or found.meaning.number == found.number


def check_planes(found: Planes, explain: bool) -> None:
    assert [each.plane.value for each in found.planes] == ["physical", "mental", "emotional", "intuitive"]
    assert sorted("".join(each.letters for each in found.planes)) == sorted(found.name.replace(" ", ""))
    for each in found.planes:
        assert (each.number is None) == (found.system is PlaneSystem.VALUES)
        if each.number is not None and each.number.value is not None and explain:
            counted = [letter for part in each.number.components for letter in part.letters if letter.counted]
            assert "".join(letter.letter for letter in counted) == each.letters


def check_transits(found: Transits, _: bool) -> None:
    for year in found.years:
        letters = (year.physical, year.mental, year.spiritual)
        names = (found.physical_name, found.mental_name, found.spiritual_name)
        for letter, name in zip(letters, names, strict=True):
            assert name[letter.position - 1] == letter.letter
            assert letter.since_age <= year.age < letter.since_age + letter.value
        assert year.essence.total == sum(each.value for each in letters)
        assert year.essence.inputs_used["age"] == str(year.age)


CHECKS: dict[type, Callable[[Any, bool], None]] = {
    NumberResult: check_number,
    Component: check_part,
    Alternative: check_other,
    Notice: check_notice,
    Compound: check_compound,
    Planes: check_planes,
    Transits: check_transits,
}


@pytest.mark.parametrize("explain", [True, False])
@pytest.mark.parametrize("calculation", CALCULATIONS)
@given(person=people())
@settings(max_examples=10)
def test_every_result_is_whole(calculation, explain, person):
    whole(CALCULATIONS[calculation](person, explain), explain=explain)


@pytest.mark.parametrize("calculation", CALCULATIONS)
@given(person=people(options=st.just(NumerologyOptions())))
@settings(max_examples=5)
def test_leaving_the_sums_out_changes_nothing_else(calculation, person):
    full, plain = (CALCULATIONS[calculation](person, explain) for explain in (True, False))
    assert without_sums(full) == plain


def without_sums(found: Any) -> Any:
    """A result without what `explain` adds."""
    if isinstance(found, NumberResult):
        return dataclasses.replace(found, components=(), alternatives=())
    if isinstance(found, NativeLetters):
        return dataclasses.replace(found, number=without_sums(found.number), words=())
    if dataclasses.is_dataclass(found) and not isinstance(found, type) and not isinstance(found, Enum):
        return dataclasses.replace(
            found, **{field.name: without_sums(getattr(found, field.name)) for field in dataclasses.fields(found)}
        )
    if isinstance(found, tuple):
        return tuple(without_sums(each) for each in found)
    if isinstance(found, dict):
        return {key: without_sums(each) for key, each in found.items()}
    return found
