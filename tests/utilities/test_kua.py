"""Kua numbers: examples in print, both turns of the year, and the New Year days they rest on."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.numerology.kua import KuaFormula, KuaGroup, YearTurn, kua, lunar_new_year
from onenumbers_utilities.numerology.primitives import root

MALE, FEMALE = KuaFormula.MALE, KuaFormula.FEMALE
SUMMER = (5, 27)


@pytest.mark.parametrize(
    ("year", "formula", "number", "source"),
    [
        (1976, MALE, 6, "tejash.me"),
        (1976, FEMALE, 9, "tejash.me"),
        (1979, MALE, 3, "goodfengshuitips.blogspot.com"),
        (1983, FEMALE, 7, "goodfengshuitips.blogspot.com"),
        (1959, MALE, 2, "dhealingforum.com: 5 is read as 2"),
        (1959, FEMALE, 1, "dhealingforum.com"),
        (1986, MALE, 2, "kakprosto.ru: five, read as 2"),
        (1986, FEMALE, 1, "kakprosto.ru"),
        (2003, MALE, 6, "numerologyscience.com"),
        (2003, FEMALE, 9, "numerologyscience.com"),
    ],
)
def test_numbers_in_print_are_reproduced(year, formula, number, source):
    found = kua(date(year, *SUMMER), formula)
    assert found.number.value == found.number.root == number, source
    assert found.number.chain[-1] == number


NEW_YEARS = {
    1996: (2, 19), 1997: (2, 7), 1998: (1, 28), 1999: (2, 16), 2000: (2, 5), 2001: (1, 24), 2002: (2, 12), 2003: (2, 1),
    2004: (1, 22), 2005: (2, 9), 2006: (1, 29), 2007: (2, 18), 2008: (2, 7), 2009: (1, 26), 2010: (2, 14), 2011: (2, 3),
    2012: (1, 23), 2013: (2, 10), 2014: (1, 31), 2015: (2, 19), 2016: (2, 8), 2017: (1, 28), 2018: (2, 16),
    2019: (2, 5),
}  # fmt: skip
"""As lilacfarm.blogspot.com prints them."""


@pytest.mark.parametrize(("year", "day"), NEW_YEARS.items())
def test_new_year_days_are_those_in_print(year, day):
    assert lunar_new_year(year) == date(year, *day)


def test_new_years_lie_between_21_january_and_21_february_and_354_or_384_days_apart():
    days = [lunar_new_year(year) for year in range(1900, 2101)]
    assert all((1, 20) <= (each.month, each.day) <= (2, 21) for each in days)
    assert {(after - before).days for before, after in pairwise(days)} <= {
        353,
        354,
        355,
        383,
        384,
        385,
    }


def test_24_january_1982_belongs_to_1981_by_the_lunar_turn():
    """kakprosto.ru: New Year was on 25 January 1982, so who was born the day before counts 1981."""
    before, after = (kua(date(1982, 1, day), FEMALE, YearTurn.LUNAR) for day in (24, 25))
    assert (before.year, after.year) == (1981, 1982)
    assert after.year_began == date(1982, 1, 25)
    assert "YEAR_BEFORE_COUNTED" in [each.code for each in before.number.warnings]


def test_the_solar_year_turns_on_4_february_and_says_when_the_birth_is_near():
    before, after = kua(date(1990, 2, 3), MALE), kua(date(1990, 2, 4), MALE)
    assert (before.year, after.year) == (1989, 1990)
    assert before.year_began == date(1989, 2, 4)
    for found in (before, after, kua(date(1990, 2, 5), MALE)):
        assert "NEAR_TURN_OF_YEAR" in [each.code for each in found.number.warnings]
    assert kua(date(1990, 2, 6), MALE).number.warnings == ()


def test_the_other_turn_is_an_alternative_where_it_differs():
    found = kua(date(1982, 1, 28), FEMALE).number
    assert [(each.rule_id, each.value) for each in found.alternatives] == [("kua.lunar_year", 6)]
    assert kua(date(1982, 6, 1), FEMALE).number.alternatives == ()


@pytest.mark.parametrize("born", [date(1900, 1, 30), date(1899, 12, 31), date(2101, 1, 1), date(1500, 6, 1)])
def test_the_lunar_turn_is_refused_outside_its_years(born):
    with pytest.raises(InvalidArgumentError) as caught:
        kua(born, MALE, YearTurn.LUNAR)
    assert caught.value.violations[0].field == "year"
    assert caught.value.violations[0].rule == "kua.lunar_years"


def test_the_first_and_the_last_day_of_the_lunar_years_count():
    assert kua(date(1900, 1, 31), MALE, YearTurn.LUNAR).year == 1900
    assert kua(date(2100, 12, 31), MALE, YearTurn.LUNAR).year == 2100
    assert kua(date(2100, 1, 1), MALE, YearTurn.LUNAR).year == 2099


def test_the_solar_year_before_year_1_is_refused():
    with pytest.raises(InvalidArgumentError) as caught:
        kua(date(1, 2, 3), MALE)
    assert caught.value.violations[0].rule == "kua.first_year"
    assert kua(date(1, 2, 4), MALE).year == 1


def test_groups_are_the_two_of_the_school():
    east, west = {1, 3, 4, 9}, {2, 6, 7, 8}
    for year in range(1950, 1959):
        for formula in KuaFormula:
            found = kua(date(year, *SUMMER), formula)
            assert found.number.value in (east if found.group is KuaGroup.EAST else west)


@given(st.dates(min_value=date(1900, 2, 4), max_value=date(2099, 12, 31)), st.sampled_from(KuaFormula))
def test_the_formula_of_two_digits_agrees(born, formula):
    """10 - s and 5 + s of the last two digits for the years 1900-1999, 9 - s and 6 + s for 2000-2099.

    Births before 4 February 1900 are of the year 1899, of which the short formulas say nothing.
    """
    found = kua(born, formula)
    two = root(found.year % 100)
    later = found.year >= 2000
    plain = (9 if later else 10) - two if formula is MALE else (6 if later else 5) + two
    expected = root(plain) or 9
    expected = {5: 2 if formula is MALE else 8}.get(expected, expected)
    assert found.number.value == expected


@given(st.dates(min_value=date(1900, 1, 31), max_value=date(2100, 12, 31)), st.sampled_from(KuaFormula))
def test_the_parts_add_up_and_the_number_is_never_5(born, formula):
    for turn in YearTurn:
        found = kua(born, formula, turn)
        assert sum(part.value for part in found.number.components) == found.number.total
        assert found.number.value in {1, 2, 3, 4, 6, 7, 8, 9}
        assert found.year_began <= born < found.year_began + timedelta(days=386)
