"""Worked examples in print, recomputed: each with the page that a reader can open.

Only sources beside this project count here. Further ones stand with their subjects: names, dates, Chaldean, grids,
native letters, standards of transliteration.
"""

from __future__ import annotations

from datetime import date

import pytest

from onenumbers_utilities.numerology.kua import KuaFormula, kua, lunar_new_year
from onenumbers_utilities.numerology.life_path import birthday, life_path
from onenumbers_utilities.numerology.name_numbers import expression, mark_name, soul_urge
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import LifePathMethod, NumerologyOptions, SummingMethod

GROUPED, ALL_DIGITS = LifePathMethod.GROUPED_MASTERS, LifePathMethod.SUM_ALL_DIGITS
LIFE_PATHS = [
    ("cassandramacleane.com, Richard Branson", date(1950, 7, 18), GROUPED, 22, 22),
    ("cassandramacleane.com, Michelle Obama", date(1964, 1, 17), GROUPED, 11, 11),
    ("zanebaker.com, Albert Einstein", date(1879, 3, 14), GROUPED, 15, 6),
    ("crystalprophecy.live", date(1978, 12, 26), GROUPED, 18, 9),
    ("divinitycode.net", date(1990, 3, 15), GROUPED, 10, 1),
    ("divinitycode.net", date(1983, 11, 29), GROUPED, 25, 7),
    ("ukcalculator.com", date(1990, 7, 15), ALL_DIGITS, 32, 5),
    ("restonyc.com", date(1992, 3, 14), ALL_DIGITS, 29, 11),
    ("webindia123.com", date(1980, 12, 21), ALL_DIGITS, 24, 6),
    ("relocation-astrology.com, after Millman", date(1972, 8, 20), ALL_DIGITS, 29, 11),
    ("sacredpath.forumotion.com", date(1984, 9, 23), ALL_DIGITS, 36, 9),
]
"""Source, birth, method, the printed sum and number. Millman and restonyc go on from 11 to 2, which is the root."""
BIRTHDAYS = [("numerology-school.com", 1, 1), ("numerology-school.com", 24, 6), ("triple7center.com", 23, 5)]
NAMES = [
    ("Clement 1908, chapter 8 (Wikisource)", "Edmund", 25, 7),
    ("Clement 1908, chapter 8 (Wikisource)", "Gregory", 50, 5),
    ("Clement 1908, chapter 9 (Wikisource)", "George", 39, 3),
    ("Clement 1908, after jwork.org", "Anna", 12, 3),
    ("htfbw.com", "Petra", 24, 6),
    ("savita92.wordpress.com", "Blog", 18, 9),
    ("holarithmancy.wordpress.com, lesson 3", "Charles Pendragon", 79, 7),
]
"""Source, name, the sum of all letters and the number that it is reduced to."""
VOWELS = [("holarithmancy.wordpress.com, lesson 3", "Charles Pendragon", 18, 9)]
MALE = "321987654321987654321987654321987654321987654321987654"
FEMALE = "345678912345678912345678912345678912345678912345678912"
KUA = [
    (year, formula, int(printed))
    for formula, row in ((KuaFormula.MALE, MALE), (KuaFormula.FEMALE, FEMALE))
    for year, printed in enumerate(row, start=1925)
]
"""The chart of crystalwind.ca (Your Feng Shui Kua Number Chart) for 1925-1978, which prints 5 as 5."""
NEW_YEARS = {
    1926: (2, 13), 1927: (2, 2), 1928: (1, 23), 1929: (2, 10), 1930: (1, 30), 1931: (2, 17), 1932: (2, 6),
    1933: (1, 26), 1934: (2, 14), 1935: (2, 4), 1936: (1, 24), 1937: (2, 11), 1938: (1, 31),
}  # fmt: skip
"""As starzpsychics.com prints them. For 1925 it prints 25 January, where the calendar of China has the 24th."""


@pytest.mark.parametrize(("source", "born", "method", "total", "value"), LIFE_PATHS)
def test_life_paths(source, born, method, total, value):
    found = life_path(born, NumerologyOptions(life_path_method=method))
    assert (found.total, found.value) == (total, value), source


@pytest.mark.parametrize(("source", "day", "root"), BIRTHDAYS)
def test_birthdays(source, day, root):
    assert birthday(date(1980, 3, day)).root == root, source


@pytest.mark.parametrize(("source", "name", "total", "root"), NAMES)
def test_names(source, name, total, root):
    marked = mark_name(read_name(name), NumerologyOptions(summing_method=SummingMethod.LETTER_TOTAL))
    found = expression(marked)
    assert (found.total, found.root) == (total, root), source


@pytest.mark.parametrize(("source", "name", "total", "root"), VOWELS)
def test_vowels(source, name, total, root):
    marked = mark_name(read_name(name), NumerologyOptions(summing_method=SummingMethod.LETTER_TOTAL))
    assert (soul_urge(marked).total, soul_urge(marked).root) == (total, root), source


@pytest.mark.parametrize(("year", "formula", "printed"), KUA)
def test_the_kua_of_every_year_of_a_chart(year, formula, printed):
    found = kua(date(year, 7, 1), formula).number
    read = {KuaFormula.MALE: 2, KuaFormula.FEMALE: 8}[formula] if printed == 5 else printed
    assert found.value == read
    assert printed in found.chain


@pytest.mark.parametrize(("year", "day"), NEW_YEARS.items())
def test_lunar_new_years(year, day):
    assert lunar_new_year(year) == date(year, *day)
