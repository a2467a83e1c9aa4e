"""Published worked examples of dates and cycles, recomputed. Each row says where the example is printed."""

from __future__ import annotations

from datetime import date

import pytest

from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.numerology.attitude import attitude
from onenumbers_utilities.numerology.cycles import cycles, universal_cycles
from onenumbers_utilities.numerology.debt_report import KarmicDebtNumbers, debt_report
from onenumbers_utilities.numerology.life_path import life_path
from onenumbers_utilities.numerology.name_numbers import mark_name
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import (
    KarmicDebtScope,
    LifePathMethod,
    MasterSet,
    NumerologyOptions,
    PersonalYearSpan,
    PinnacleRule,
    School,
    SummingMethod,
)
from onenumbers_utilities.numerology.period_cycles import PeriodCycleTiming, cycle_starts, period_cycles
from onenumbers_utilities.numerology.periods import challenges, period_ages, pinnacles
from onenumbers_utilities.numerology.results import DebtOrigin, KarmicDebt

AUTUMN_1974 = date(1974, 9, 29)
TOM, TOM_BORN = "Thomas Cruise Mapother", date(1962, 7, 3)
MAY_1949 = date(1949, 5, 15)
SPEC = "reference specification of this project"
DEFINITION = "recomputed from the definition"
DECOZ_19 = "decoz.com, course part 19 (Pinnacles)"
DECOZ_READING = "decoz.com, Do your own reading 6 (Pinnacles): 23 March 1987"
NUMEROLOGY_COM = "numerology.com, Period cycles and pinnacle cycles: 15 May 1949"
SCHEMBRI = "num.schembrionics.net, page 14: 11 November 1939"
UNICORN = "unicornwisdom.com, life path cycles: 28 December 1931"
CALIFORNIA = "californiapsychics.com, numerology guides: life path 9"
ASTROVERA = "astrovera.com, the period cycles: table of ages"
FINDYOURFATE = "findyourfate.com, personal year: 15 May, 1992"
NUMEROLOGIST = "numerologist.com, essence: 23 February, 15 November 2012"
GAYNA = "gayna.org, personal year: 27 June, 2004"
BASIC = "basicbitchnumerology.com: 22 July, birthday span"
WORLD_MONTHS = "worldnumerology.com, monthly forecast: personal year 5, December"
GAIA = "gaia.com, karmic numbers: 5 May"
NOVA = "novacalculator.com, karmic debt: 14 July 1990"
LEHNING = "nimblespirit.com, Lehning on arithmancy: Hervé Lehning"


def marked(name, **options):
    return mark_name(read_name(name), NumerologyOptions(**options))


# --- attitude -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "day", "month", "total", "value"),
    [
        (GAIA, 5, 5, 10, 1),
        (DEFINITION, 21, 12, 33, 33),
        (DEFINITION, 29, 9, 38, 11),
        (DEFINITION, 31, 12, 43, 7),
        (DEFINITION, 29, 2, 31, 4),
    ],
)
def test_attitude_is_month_plus_day(source, day, month, total, value):
    found = attitude(day, month)
    assert (found.total, found.value, found.rule_id) == (total, value, "attitude.month_and_day"), source
    assert [part.value for part in found.components] == [month, day]


def test_attitude_keeps_the_masters_of_the_options():
    options = NumerologyOptions(master_set=MasterSet.NONE)
    assert attitude(21, 12, options).chain == (33, 6)


@pytest.mark.parametrize(("day", "month", "field"), [(31, 4, "day"), (30, 2, "day"), (0, 1, "day"), (1, 13, "month")])
def test_a_day_that_no_year_has_is_refused(day, month, field):
    with pytest.raises(InvalidArgumentError) as caught:
        attitude(day, month)
    assert [each.field for each in caught.value.violations] == [field]


# --- pinnacles and challenges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "born", "rule", "values"),
    [
        (DECOZ_19, MAY_1949, PinnacleRule.COMPONENT_MASTERS, [11, 11, 22, 1]),
        (DECOZ_19, TOM_BORN, PinnacleRule.COMPONENT_MASTERS, [1, 3, 4, 7]),
        # The page shows the first two; the others follow from them.
        (DECOZ_READING, date(1987, 3, 23), PinnacleRule.COMPONENT_MASTERS, [8, 3, 11, 1]),
        (SPEC, AUTUMN_1974, PinnacleRule.COMPONENT_MASTERS, [2, 5, 7, 3]),
        (DEFINITION, date(1974, 11, 11), PinnacleRule.COMPONENT_ROOTS, [4, 5, 9, 5]),
        (DEFINITION, date(1974, 11, 11), PinnacleRule.FULL_NUMBERS, [22, 5, 9, 5]),
    ],
)
def test_published_pinnacles(source, born, rule, values):
    found = pinnacles(born, rule=rule)
    assert [period.number.value for period in found] == values, source
    assert {period.number.rule_id for period in found} == {f"pinnacle.{rule.value}"}


def test_a_november_birth_adds_its_master_to_the_first_pinnacle():
    """Decoz, part 19: somebody born on 5 November adds 11 and 5 to get 16, which is 7."""
    assert pinnacles(date(1960, 11, 5))[0].number.chain == (16, 7)


def test_pinnacle_rules_list_each_other_where_they_differ():
    for rule in PinnacleRule:
        first = pinnacles(date(1974, 11, 11), rule=rule)[0].number
        for other in PinnacleRule:
            value = pinnacles(date(1974, 11, 11), rule=other)[0].number.value
            listed = [each.value for each in first.alternatives if each.rule_id == f"pinnacle.{other.value}"]
            assert listed == ([value] if value != first.value else [])


def test_published_ages_of_life_path_9():
    """The page prints 0-27, 28-36, 37-45 and 46 and older."""
    born = date(1980, 9, 9)  # 9 + 9 + 9
    assert life_path(born).value == 9
    assert period_ages(born) == ((0, 27), (28, 36), (37, 45), (46, None)), CALIFORNIA


def test_challenges_of_the_specification():
    assert [period.number.value for period in challenges(AUTUMN_1974)] == [7, 1, 6, 6], SPEC


# --- period cycles --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "born", "values"),
    [
        (NUMEROLOGY_COM, MAY_1949, [5, 6, 5]),
        (UNICORN, date(1931, 12, 28), [3, 1, 5]),
        (SCHEMBRI, date(1939, 11, 11), [11, 11, 22]),
        (DEFINITION, AUTUMN_1974, [9, 11, 3]),
    ],
)
def test_published_period_cycles(source, born, values):
    assert [cycle.number.value for cycle in period_cycles(born)] == values, source


def test_published_ages_of_11_november_1939():
    """Schembri prints 0-28, 29-55 and 56 to death, with personal years 9 in 1967 and 1994."""
    found = period_cycles(date(1939, 11, 11))
    assert [(cycle.start_age, cycle.end_age) for cycle in found] == [(0, 28), (29, 55), (56, None)], SCHEMBRI
    assert [cycle.start_year for cycle in found] == [1939, 1968, 1995]


@pytest.mark.parametrize(
    ("path", "ends"),
    [
        (1, (26, 53)),
        (2, (25, 52)),
        (3, (33, 60)),
        (4, (32, 59)),
        (5, (31, 58)),
        (6, (30, 57)),
        (7, (29, 56)),
        (8, (28, 55)),
        (9, (27, 54)),
    ],
)
def test_the_printed_table_of_ages_by_life_path(path, ends):
    born = next(date(1990, 1, day) for day in range(1, 29) if life_path(date(1990, 1, day)).root == path)
    assert tuple(cycle.end_age for cycle in period_cycles(born))[:2] == ends, ASTROVERA


@pytest.mark.parametrize(
    ("path", "starts"),
    [
        (1, (27, 54)),
        (2, (26, 53)),
        (3, (25, 52)),
        (4, (24, 60)),
        (5, (32, 59)),
        (6, (31, 58)),
        (7, (30, 57)),
        (8, (29, 56)),
        (9, (28, 55)),
    ],
)
def test_the_variant_takes_the_personal_years_1_nearest_to_28_and_56(path, starts):
    born = next(date(1990, 1, day) for day in range(1, 29) if life_path(date(1990, 1, day)).root == path)
    assert cycle_starts(born, PeriodCycleTiming.PERSONAL_YEAR_ONE) == starts
    assert all(abs(start - near) <= 4 for start, near in zip(starts, (28, 56), strict=True))


def test_the_period_cycle_in_force_is_marked():
    found = period_cycles(date(1939, 11, 11), age=29)
    assert [cycle.current for cycle in found] == [False, True, False]
    assert found[0].number.school is School.DECOZ
    variant = period_cycles(date(1939, 11, 11), timing=PeriodCycleTiming.PERSONAL_YEAR_ONE)
    assert variant[0].number.rule_id == "period_cycle.personal_year_one"
    assert variant[0].number.school is School.GOODWIN


# --- personal and universal cycles ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "born", "as_of", "values"),
    [
        (SPEC, AUTUMN_1974, date(2031, 6, 17), (8, 5, 4)),
        (FINDYOURFATE, MAY_1949, date(1992, 7, 17), (5, 3, 2)),
        (NUMEROLOGIST, date(1970, 2, 23), date(2012, 11, 15), (3, 5, 2)),
        (GAYNA, date(1970, 6, 27), date(2004, 3, 1), (3, None, None)),
    ],
)
def test_published_personal_cycles(source, born, as_of, values):
    found = cycles(born, as_of)
    numbers = (found.personal_year, found.personal_month, found.personal_day)
    for number, value in zip(numbers, values, strict=True):
        assert value is None or number.value == value, source


def test_a_published_personal_month_of_december():
    """Worldnumerology: with the personal year 5, December is 5 + 12 = 17, which is 8; the next January is 6 + 1 = 7."""
    born = date(1949, 5, 15)
    assert cycles(born, date(1992, 12, 1)).personal_year.value == 5
    assert cycles(born, date(1992, 12, 1)).personal_month.chain == (17, 8), WORLD_MONTHS
    assert cycles(born, date(1993, 1, 1)).personal_month.value == 7, WORLD_MONTHS


@pytest.mark.parametrize(("as_of", "value"), [(date(2023, 8, 1), 9), (date(2023, 7, 21), 8), (date(2023, 7, 22), 9)])
def test_published_personal_years_by_birthdays(as_of, value):
    options = NumerologyOptions(personal_year_span=PersonalYearSpan.BIRTHDAY)
    assert cycles(date(1987, 7, 22), as_of, options).personal_year.value == value, BASIC


def test_published_universal_cycles():
    """Numerologist.com prints year 5, month 7 and day 4 for 15 November 2012."""
    assert [number.value for number in universal_cycles(date(2012, 11, 15))] == [5, 7, 4], NUMEROLOGIST


def test_universal_cycles_are_those_of_the_profile_and_keep_masters_only_when_asked():
    as_of = date(2031, 6, 17)
    of_profile = cycles(AUTUMN_1974, as_of)
    assert universal_cycles(as_of) == (
        of_profile.universal_year,
        of_profile.universal_month,
        of_profile.universal_day,
    )
    options = NumerologyOptions(master_set=MasterSet.ELEVEN_AND_TWENTY_TWO)
    found = universal_cycles(date(2009, 1, 1), options)
    assert [number.value for number in found] == [11, 3, 4]
    assert found[0].components[0].chain == (2009, 11)
    assert universal_cycles(date(2009, 1, 1))[0].value == 2


# --- karmic debts ---------------------------------------------------------------------------------------------------


def test_debts_of_tom_are_the_19_of_his_life_path_and_the_13_of_his_consonants():
    """7 + 3 + 9 = 19 and 6 + 4 + 3 = 13: the sums behind the 1 and the 4 of his chart in the course of Decoz."""
    found = debt_report(marked(TOM), TOM_BORN)
    assert found.debts == (
        KarmicDebt(19, DebtOrigin.DIRECT, "life_path"),
        KarmicDebt(13, DebtOrigin.DIRECT, "personality"),
    )
    assert (found.rule_id, found.school) == ("karmic_debt.chain", School.DECOZ)


def test_the_malefic_set_leaves_13_out_everywhere():
    found = debt_report(marked(TOM), TOM_BORN, numbers=KarmicDebtNumbers.MALEFIC)
    assert [debt.number for debt in found.debts] == [19]
    assert found.personality.karmic_debts == ()
    assert found.rule_id == "karmic_debt.chain.malefic"


def test_published_debts_of_parts_need_their_scope():
    """Novacalculator finds 14 in the birthday and the day, and 19 in the year, of 14 July 1990; the life path is 4."""
    found = debt_report(marked("Ana", karmic_debt_scope=KarmicDebtScope.COMPONENTS), date(1990, 7, 14))
    assert found.life_path.value == 4, NOVA
    printed = {(14, "life_path", "day"), (19, "life_path", "year"), (14, "birthday", "")}
    # By Decoz's reduced components the total itself is a debt as well: 7 + 5 + 1 = 13.
    assert {(debt.number, debt.position, debt.component) for debt in found.debts} == {*printed, (13, "life_path", "")}
    assert [debt.number for debt in debt_report(marked("Ana"), date(1990, 7, 14)).debts] == [13, 14]


def test_a_debt_within_the_chain_is_intermediate():
    """The consonants of Hervé Lehning are 49, then 13, then 4."""
    found = debt_report(marked("Hervé Lehning", summing_method=SummingMethod.LETTER_TOTAL), date(1990, 1, 1))
    assert KarmicDebt(13, DebtOrigin.INTERMEDIATE, "personality") in found.debts, LEHNING
    direct = marked(
        "Hervé Lehning", summing_method=SummingMethod.LETTER_TOTAL, karmic_debt_scope=KarmicDebtScope.DIRECT
    )
    assert debt_report(direct, date(1990, 1, 1)).debts == ()


def test_debts_follow_the_method_of_the_life_path():
    name = marked("Ana", life_path_method=LifePathMethod.STRAIGHT)
    found = debt_report(name, date(1999, 12, 18))  # 2029, 13, 4
    assert KarmicDebt(13, DebtOrigin.INTERMEDIATE, "life_path") in found.debts
