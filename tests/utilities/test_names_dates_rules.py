"""Every rule that a result of names or dates can name is documented, with its school."""

from __future__ import annotations

import re
from datetime import date
from itertools import product
from pathlib import Path

from onenumbers_utilities.numerology.attitude import attitude
from onenumbers_utilities.numerology.bridges import bridges, maturity_readings
from onenumbers_utilities.numerology.cycles import cycles
from onenumbers_utilities.numerology.debt_report import KarmicDebtNumbers, debt_report
from onenumbers_utilities.numerology.inclusion import IntensityAverages, inclusion
from onenumbers_utilities.numerology.life_path import birthday, life_path
from onenumbers_utilities.numerology.name_analysis import analyze_name
from onenumbers_utilities.numerology.name_details import cornerstones, rational_thought
from onenumbers_utilities.numerology.name_numbers import expression, mark_name, personality, soul_urge
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import (
    ChallengeAges,
    KarmicDebtScope,
    LifePathMethod,
    NumerologyOptions,
    PersonalYearSpan,
    PinnacleRule,
    SummingMethod,
)
from onenumbers_utilities.numerology.period_cycles import PeriodCycleTiming, period_cycles
from onenumbers_utilities.numerology.periods import challenges, pinnacles
from onenumbers_utilities.numerology.transits import transits

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "rules-names-dates.md"
BORN = date(1968, 11, 14)
NAME = read_name("David Maya Țurcanu")


def documented():
    rows = re.findall(r"^\| `([a-z0-9_.*]+)` \| ([^|]+) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    return {rule: school.strip() for rule, school in rows}


def numbers_of(options):
    name = mark_name(NAME, options)
    analysis = analyze_name(name, name)
    report = debt_report(name, BORN)
    pair = bridges(life_path(BORN, options), expression(name), soul_urge(name), personality(name))
    yield from (analysis.expression, analysis.soul_urge, analysis.personality, analysis.balance)
    yield from (analysis.minor.expression, analysis.minor.soul_urge, analysis.minor.personality)
    yield from (report.life_path, pair.life_path_expression, pair.soul_urge_personality)
    yield maturity_readings(life_path(BORN, options), expression(name), options).number
    yield from (rational_thought(NAME, 14), birthday(BORN, options), attitude(14, 11, options))
    yield from (each.number for each in period_cycles(BORN, options))
    yield from (each.number for each in challenges(BORN, options))
    of_date = cycles(BORN, date(2026, 1, 1), options)
    yield from (of_date.personal_year, of_date.personal_month, of_date.personal_day)
    yield from (of_date.universal_year, of_date.universal_month, of_date.universal_day)
    yield transits(NAME, BORN, [3], options).years[0].essence


def named():
    """Yields rule and school of everything that can be computed, in every variant."""
    for method, summing, span, ages in product(LifePathMethod, SummingMethod, PersonalYearSpan, ChallengeAges):
        options = NumerologyOptions(
            life_path_method=method, summing_method=summing, personal_year_span=span, challenge_ages=ages
        )
        for number in numbers_of(options):
            yield number.rule_id, number.school
            yield from ((other.rule_id, other.school) for other in number.alternatives)
    for rule in PinnacleRule:
        yield from ((each.number.rule_id, each.number.school) for each in pinnacles(BORN, rule=rule))
    for timing in PeriodCycleTiming:
        yield from ((each.number.rule_id, each.number.school) for each in period_cycles(BORN, timing=timing))
    for scope, numbers in product(KarmicDebtScope, KarmicDebtNumbers):
        report = debt_report(mark_name(NAME, NumerologyOptions(karmic_debt_scope=scope)), BORN, numbers=numbers)
        yield report.rule_id, report.school
    analysis, stones = analyze_name(mark_name(NAME)), cornerstones(mark_name(NAME))
    masters = maturity_readings(life_path(BORN), expression(mark_name(read_name("Ioana Brândușa Țurcanu")))).number
    yield from ((other.rule_id, other.school) for other in masters.alternatives)
    for averages in IntensityAverages:
        yield from inclusion(NAME, averages=averages).rules
    yield from ((each.rule_id, each.school) for each in (analysis.planes_by_letters, analysis.planes_by_values))
    for stone in (stones.cornerstone, stones.capstone, stones.first_vowel, stones.keystone):
        yield stone.rule_id, stone.school


def row_of(rule):
    """Returns the row that documents a rule: its own, or the one with a place for the variant."""
    rule = re.sub(r"\.y_[a-z_]+$", "", rule)
    rule = re.sub(r"^(minor_[a-z_]+)\..+$", r"\1.*", rule)
    return re.sub(r"^karmic_debt\.[a-z]+\.malefic$", "karmic_debt.*.malefic", rule)


def test_every_rule_has_its_row_and_every_row_its_rule():
    rows, found = documented(), dict(named())
    assert {row_of(rule) for rule in found} == set(rows)
    for rule, school in found.items():
        if not rule.startswith("minor_"):
            assert rows[row_of(rule)] == school.name, rule
