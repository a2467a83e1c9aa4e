"""Published transits and essences, recomputed, and which years a timeline shows."""

from __future__ import annotations

from datetime import date

import pytest

from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.numerology.cycles import cycles
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import NumerologyOptions, PersonalYearSpan
from onenumbers_utilities.numerology.timeline import timeline_ages
from onenumbers_utilities.numerology.transits import EssenceMark, transits

IOANA = "Ioana Brândușa Țurcanu"
AUTUMN_1974 = date(1974, 9, 29)
TOM, TOM_BORN = "Thomas Cruise Mapother", date(1962, 7, 3)
SPEC = "reference specification of this project"
DECOZ_22 = "worldnumerology.com, course part 22 (Transits): Tom's chart at age 20"


def test_published_transits_of_tom_at_20():
    """Decoz prints A, I and H at age 20, the I entered five years before, and H lasting eight years."""
    (year,) = transits(read_name(TOM), TOM_BORN, [20]).years
    assert (year.physical.letter, year.mental.letter, year.spiritual.letter) == ("A", "I", "H"), DECOZ_22
    assert (year.mental.since_age, year.spiritual.value, year.physical.since_age) == (15, 8, 20)
    assert year.essence.chain == (18, 9)


def test_transits_of_the_specification_at_40():
    (year,) = transits(read_name(IOANA), AUTUMN_1974, [40]).years
    letters = (year.physical.letter, year.mental.letter, year.spiritual.letter)
    assert (letters, year.essence.chain, year.mark) == (("N", "N", "C"), (13, 4), EssenceMark.KARMIC_DEBT), SPEC


def test_the_name_returns_when_its_last_letter_has_passed():
    """Thomas lasts 22 years, at which age the T begins again (Decoz)."""
    found = transits(read_name(TOM), TOM_BORN, [0, 21, 22, 23, 24]).years
    assert [year.physical.letter for year in found] == ["T", "S", "T", "T", "H"], DECOZ_22
    assert [year.physical.since_age for year in found] == [0, 21, 22, 22, 24]
    assert [year.start_year for year in found] == [1962, 1983, 1984, 1985, 1986]


def test_middle_names_and_last_names_are_strung_together():
    name = read_name("Ana Maria Elena Pop Ionescu")
    one = transits(name, AUTUMN_1974, [0])
    assert (one.physical_name, one.mental_name, one.spiritual_name) == ("ANA", "MARIAELENAPOP", "IONESCU")
    two = transits(name, AUTUMN_1974, [0], last_names=2)
    assert (two.mental_name, two.spiritual_name) == ("MARIAELENA", "POPIONESCU")
    assert two.years[0].essence.inputs_used["last_names"] == "2"


def test_without_a_middle_name_the_last_one_counts_twice_and_the_result_says_so():
    found = transits(read_name("Ana Pop"), AUTUMN_1974, [0])
    assert [part.value for part in found.years[0].essence.components] == [1, 7, 7]
    assert [notice.code for notice in found.notices] == ["NO_MIDDLE_NAME"]


@pytest.mark.parametrize(
    ("letters", "mark", "value"),
    [
        ("Bob Bob Gog", EssenceMark.MASTER, 11),  # 2 + 2 + 7
        ("Ron Kim Kim", EssenceMark.KARMIC_DEBT, 4),  # 9 + 2 + 2
        ("Ron Eva Bob", EssenceMark.KARMIC_DEBT, 7),  # 9 + 5 + 2
        ("Ron Ion Dan", EssenceMark.MASTER, 22),  # 9 + 9 + 4
        ("Ana Bob Cal", EssenceMark.NONE, 6),
    ],
)
def test_totals_that_stand_out_are_marked(letters, mark, value):
    (year,) = transits(read_name(letters), AUTUMN_1974, [0]).years
    assert (year.mark, year.essence.value) == (mark, value)


def test_a_year_of_life_meets_two_personal_years_by_the_calendar():
    (year,) = transits(read_name(IOANA), AUTUMN_1974, [56]).years
    assert [(each.year, each.personal_year) for each in year.personal_years] == [(2030, 7), (2031, 8)]
    for each in year.personal_years:
        assert each.personal_year == cycles(AUTUMN_1974, date(each.year, 12, 31)).personal_year.value


def test_a_year_of_life_meets_one_personal_year_by_birthdays_and_when_born_on_new_year():
    options = NumerologyOptions(personal_year_span=PersonalYearSpan.BIRTHDAY)
    (year,) = transits(read_name(IOANA), AUTUMN_1974, [56], options).years
    assert [(each.year, each.personal_year) for each in year.personal_years] == [(2030, 7)]
    (year,) = transits(read_name(IOANA), date(1990, 1, 1), [5]).years
    assert [each.year for each in year.personal_years] == [1995]


def test_a_duality_is_an_essence_that_equals_the_personal_year():
    found = transits(read_name(IOANA), AUTUMN_1974, range(121)).years
    for year in found:
        assert year.duality == any(each.personal_year == year.essence.root for each in year.personal_years)
    assert 0 < sum(year.duality for year in found) < 121


@pytest.mark.parametrize(
    ("name", "last_names", "field", "rule"),
    [
        ("Ana", 1, "name", "transits.two_names"),
        ("Ana Pop", 2, "last_names", "transits.last_names"),
        ("Ana Pop", 0, "last_names", "transits.last_names"),
    ],
)
def test_names_that_have_no_transits_are_refused(name, last_names, field, rule):
    with pytest.raises(InvalidArgumentError) as caught:
        transits(read_name(name), AUTUMN_1974, [0], last_names=last_names)
    assert [(each.field, each.rule) for each in caught.value.violations] == [(field, rule)]


@pytest.mark.parametrize(
    ("from_age", "to_age", "as_of", "ages"),
    [
        (None, None, None, range(121)),
        (30, None, None, range(30, 121)),
        (None, 3, None, range(4)),
        (7, 7, None, range(7, 8)),
        (0, 0, None, range(1)),
        (120, 120, None, range(120, 121)),
        (None, None, date(2014, 9, 29), range(40, 41)),
        (None, None, date(2014, 9, 28), range(39, 40)),
    ],
)
def test_a_timeline_shows_the_ages_asked_for(from_age, to_age, as_of, ages):
    assert timeline_ages(AUTUMN_1974, from_age=from_age, to_age=to_age, as_of=as_of) == ages


@pytest.mark.parametrize(
    ("from_age", "to_age", "as_of", "field", "rule"),
    [
        (1, None, date(2000, 1, 1), "as_of", "timeline.as_of_or_ages"),
        (None, 1, date(2000, 1, 1), "as_of", "timeline.as_of_or_ages"),
        (5, 4, None, "to_age", "timeline.order"),
        (-1, None, None, "from_age", "timeline.age"),
        (None, 121, None, "to_age", "timeline.age"),
        (None, None, date(1974, 9, 28), "as_of", "as_of.after_birth"),
        (None, None, date(2095, 9, 29), "as_of", "timeline.age"),
    ],
)
def test_a_timeline_that_contradicts_itself_is_refused(from_age, to_age, as_of, field, rule):
    with pytest.raises(InvalidArgumentError) as caught:
        timeline_ages(AUTUMN_1974, from_age=from_age, to_age=to_age, as_of=as_of)
    assert [(each.field, each.rule) for each in caught.value.violations] == [(field, rule)]
