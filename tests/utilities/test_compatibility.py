"""Comparisons of people and spellings, and favourable dates: the groupings in print, symmetry, reasons."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.numerology.comparison import compare_names
from onenumbers_utilities.numerology.compatibility import WEIGHTS, Position, compare, compare_people, read_person
from onenumbers_utilities.numerology.correspondences import CORRESPONDENCES
from onenumbers_utilities.numerology.cycles import cycles
from onenumbers_utilities.numerology.favourable_dates import DateBasis, ReasonKind, favourable_dates
from onenumbers_utilities.numerology.groupings import (
    CONVENTION_TABLE,
    INTERCHANGEABLE,
    TRIADS,
    Relation,
    cheiro,
    concord,
    convention_points,
)
from onenumbers_utilities.numerology.options import NumerologyOptions, School, SummingMethod
from onenumbers_utilities.numerology.primitives import root

NUMBERS = st.integers(min_value=1, max_value=9)
DATES = st.dates(min_value=date(1900, 1, 1), max_value=date(2030, 12, 31))
ANA = read_person("Ana Pop", date(1968, 11, 14))
ION = read_person("Ion Rusu", date(1974, 9, 29))


# --- groupings ------------------------------------------------------------------------------------------------------


def test_the_concord_triads_are_clements():
    """1-5-7, 2-4-8 and 3-6-9, and every number is in one."""
    assert {tuple(sorted(each)) for each in TRIADS} == {(1, 5, 7), (2, 4, 8), (3, 6, 9)}
    assert concord(1, 7).relation is Relation.CONCORD
    assert concord(4, 8).members == (2, 4, 8)
    assert concord(5, 5).relation is Relation.SAME
    found = concord(1, 2)
    assert (found.relation, found.members, found.school) == (Relation.NO_CONCORD, (), School.CLEMENT)


@pytest.mark.parametrize(
    ("first", "second", "relation"),
    [(1, 4, Relation.INTERCHANGEABLE), (2, 7, Relation.INTERCHANGEABLE), (3, 6, Relation.FAMILY),
     (6, 9, Relation.FAMILY), (3, 9, Relation.FAMILY), (4, 8, Relation.CAUTION), (8, 8, Relation.SAME),
     (1, 2, Relation.UNNAMED), (5, 8, Relation.UNNAMED)],
)  # fmt: skip
def test_cheiros_relations_are_those_in_print(first, second, relation):
    """fanantes.org and the general literature of Cheiro."""
    assert cheiro(first, second).relation is cheiro(second, first).relation is relation


def test_clement_praises_and_cheiro_warns_of_4_with_8_and_both_are_told():
    assert concord(4, 8).relation is Relation.CONCORD
    assert cheiro(4, 8).relation is Relation.CAUTION


@given(NUMBERS, NUMBERS)
def test_the_published_table_is_symmetric_and_within_0_and_100(first, second):
    points = CONVENTION_TABLE[first - 1][second - 1]
    assert points == CONVENTION_TABLE[second - 1][first - 1] == convention_points(second, first)
    assert 0 <= points <= 100


def test_the_table_is_the_one_that_is_published():
    """docs/rules-systems.md prints this table; a change of it is a change of the convention."""
    assert CONVENTION_TABLE == (
        (75, 50, 50, 70, 75, 50, 75, 50, 50),
        (50, 75, 50, 75, 50, 50, 70, 75, 50),
        (50, 50, 75, 50, 50, 85, 50, 50, 85),
        (70, 75, 50, 75, 50, 50, 50, 50, 50),
        (75, 50, 50, 50, 75, 50, 75, 50, 50),
        (50, 50, 85, 50, 50, 75, 50, 50, 85),
        (75, 70, 50, 50, 75, 50, 75, 50, 50),
        (50, 75, 50, 50, 50, 50, 50, 75, 50),
        (50, 50, 85, 50, 50, 85, 50, 50, 75),
    )
    for first, row in enumerate(CONVENTION_TABLE, start=1):
        assert tuple(convention_points(first, second) for second in range(1, 10)) == row
    assert sum(WEIGHTS.values()) == 100


# --- people ---------------------------------------------------------------------------------------------------------


def test_numbers_are_compared_by_the_grouping_of_their_source():
    """Birth numbers 5 and 2, life paths 22 (4) and 5."""
    found = {each.position: each for each in compare(ANA, ION).relations}
    assert list(found) == list(Position)
    path = found[Position.LIFE_PATH]
    assert (path.first, path.first_root, path.second) == (22, 4, 5)
    assert (path.grouping.relation, path.grouping.school) == (Relation.NO_CONCORD, School.CLEMENT)
    birth = found[Position.BIRTH_NUMBER]
    assert (birth.first, birth.second, birth.grouping.school) == (5, 2, School.CHEIRO)
    assert found[Position.CHALDEAN_NAME].grouping.school is School.CHEIRO


def test_a_master_is_compared_as_its_root_and_the_answer_says_so():
    notices = compare(ANA, ION).warnings
    assert [each.code for each in notices if "life path" in each.message] == ["MASTER_REDUCED"]
    assert "first life path 22 was compared as its root 4" in notices[0].message


def test_the_points_are_the_weighted_mean_of_the_published_table():
    found = compare(ANA, ION)
    score = found.score
    by_position = {each.position: each for each in found.relations}
    for part in score.components:
        each = by_position[part.position]
        assert part.points == CONVENTION_TABLE[each.first_root - 1][each.second_root - 1]
        assert part.weight == WEIGHTS[part.position]
    assert score.points == sum(part.points * part.weight for part in score.components) / score.weight
    assert (score.school, score.rule_id) == (School.CONVENTION, "compatibility.convention_score")
    assert compare(ANA, ION, score=False).score is None


def test_a_number_that_one_has_not_is_left_out_with_its_weight():
    silent = read_person("Brl", date(1990, 5, 15))
    found = compare(silent, ION)
    soul = next(each for each in found.relations if each.position is Position.SOUL_URGE)
    assert (soul.first, soul.grouping) == (None, None)
    assert found.score.weight == 100 - WEIGHTS[Position.SOUL_URGE]
    assert "NOTHING_TO_COMPARE" in [each.code for each in found.warnings]


@given(
    st.text(alphabet="abcdehiknorstuy ", min_size=1, max_size=20).filter(str.strip),
    st.text(alphabet="abcdehiknorstuy ", min_size=1, max_size=20).filter(str.strip),
    DATES,
    DATES,
)
def test_who_is_first_makes_no_difference(one, other, born, later):
    first, second = read_person(one, born, explain=False), read_person(other, later, explain=False)
    there, back = compare(first, second), compare(second, first)
    for left, right in zip(there.relations, back.relations, strict=True):
        assert (left.first, left.second) == (right.second, right.first)
        assert left.grouping == right.grouping
    assert there.score == back.score
    assert 0 <= there.score.points <= 100


def test_several_people_are_their_pairs_and_nothing_else():
    people = [ANA, ION, read_person("Maria Munteanu", date(1990, 5, 3))]
    found = compare_people(people)
    assert [(first, second) for first, second, _ in found] == [(0, 1), (0, 2), (1, 2)]
    for first, second, comparison in found:
        assert comparison == compare(people[first], people[second])
    assert len(compare_people([ANA] * 20)) == 190
    assert len(compare_people([ANA, ION])) == 1


def test_sums_are_shown_unless_they_are_left_out():
    assert ANA.numbers[Position.LIFE_PATH].components
    assert not read_person("Ana", BORN, explain=False).numbers[Position.EXPRESSION].components
    assert compare_names("Ana", "Ane").numbers[0].first.components
    assert not compare_names("Ana", "Ane", explain=False).numbers[0].first.components


@pytest.mark.parametrize("count", [0, 1, 21])
def test_a_group_has_2_to_20_people(count):
    with pytest.raises(InvalidArgumentError) as caught:
        compare_people([ANA] * count)
    assert caught.value.violations[0].field == "people"


# --- spellings ------------------------------------------------------------------------------------------------------


def test_two_spellings_are_shown_side_by_side_without_a_verdict():
    """K is 2 and C is 3: expression 24 + 25 against 25 + 25 by letters."""
    found = compare_names(
        "Katherine Novak", "Catherine Novak", NumerologyOptions(summing_method=SummingMethod.LETTER_TOTAL)
    )
    by_position = {each.position: each for each in found.numbers}
    assert by_position["expression"].second.total - by_position["expression"].first.total == 1
    assert by_position["expression"].differs
    assert not by_position["soul_urge"].total_differs
    assert by_position["balance"].second.total - by_position["balance"].first.total == 1
    assert [(each.letter, each.first_count, each.second_count) for each in found.letters] == [("C", 0, 1), ("K", 2, 1)]
    assert "better" not in str(found).lower()
    assert "improve" not in str(found).lower()


def test_spellings_that_are_counted_alike_are_noted():
    found = compare_names("Ștefan", "Stefan")
    assert [each.code for each in found.warnings] == ["SAME_LETTERS"]
    assert not any(each.differs or each.total_differs for each in found.numbers)
    assert not found.letters


def test_a_spelling_that_cannot_be_read_names_its_field():
    for names, field in ((("", "Ana"), "first_name"), (("Ana", "Иван"), "second_name")):
        with pytest.raises(InvalidArgumentError) as caught:
            compare_names(*names)
        assert caught.value.violations[0].field == field


# --- favourable dates -----------------------------------------------------------------------------------------------

BORN = date(1974, 9, 29)


def test_17_june_2031_is_a_personal_day_4_in_a_personal_month_5_and_year_8():
    """The cycles of the specification: born 29 September; year 2031 is 8, June 5, 17 June 4. Life path 5."""
    found = favourable_dates(BORN, date(2031, 6, 1), date(2031, 6, 30), min_reasons=1)
    by_day = {each.day.day: each for each in found.dates}
    assert found.life_path_root == 5
    assert 17 not in by_day, "4 is of another triad than 5, and neither 5 nor 8"
    eighteenth = by_day[18]
    assert (eighteenth.personal_year, eighteenth.personal_month, eighteenth.personal_day) == (8, 5, 5)
    assert [each.kind for each in eighteenth.reasons] == [
        ReasonKind.PERSONAL_DAY_IS_LIFE_PATH,
        ReasonKind.PERSONAL_DAY_IS_PERSONAL_MONTH,
    ]
    assert all(each.school is School.CONVENTION for each in eighteenth.reasons)


def test_cheiros_days_of_a_birth_number_2_are_its_series_and_that_of_7():
    """free-numerology.org: 2, 11, 20, 29, next to them the interchangeable 7, 16, 25; Sunday, Monday, Friday."""
    found = favourable_dates(BORN, date(2031, 6, 1), date(2031, 6, 30), basis=DateBasis.CHEIRO, min_reasons=1)
    assert found.birth_number == 2
    assert [each.day.day for each in found.dates] == [2, 7, 11, 16, 20, 25, 29]
    monday = found.dates[0]
    assert [each.kind for each in monday.reasons] == [
        ReasonKind.DAY_OF_BIRTH_SERIES,
        ReasonKind.WEEKDAY_OF_BIRTH_NUMBER,
    ]
    assert monday.day.strftime("%A") == "Monday" == monday.weekday.name.capitalize()
    assert all(each.school is School.CHEIRO for item in found.dates for each in item.reasons)


@pytest.mark.parametrize(
    ("first", "last", "reasons", "field"),
    [
        (date(2031, 6, 2), date(2031, 6, 1), 1, "to_date"),
        (date(2031, 1, 1), date(2032, 1, 2), 1, "to_date"),
        (date(1974, 9, 28), date(1974, 9, 30), 1, "from_date"),
        (date(2031, 1, 1), date(2031, 1, 2), 0, "min_reasons"),
        (date(2031, 1, 1), date(2031, 1, 2), 6, "min_reasons"),
    ],
)
def test_a_range_that_cannot_be_searched_names_the_field(first, last, reasons, field):
    with pytest.raises(InvalidArgumentError) as caught:
        favourable_dates(BORN, first, last, min_reasons=reasons)
    assert caught.value.violations[0].field == field


def test_the_limits_themselves_are_accepted():
    assert favourable_dates(BORN, BORN, BORN).days_examined == 1
    day = date(2031, 6, 18)
    assert favourable_dates(BORN, day, day, min_reasons=5).dates == ()
    assert favourable_dates(BORN, day, day) == favourable_dates(BORN, day, day, min_reasons=2)
    assert len(favourable_dates(BORN, day, day).dates) == 1
    assert favourable_dates(BORN, day, day, min_reasons=3).dates == ()


def test_the_longest_range_is_366_days():
    assert favourable_dates(BORN, date(2031, 1, 1), date(2032, 1, 1)).days_examined == 366


@given(DATES, st.integers(0, 60), st.sampled_from(DateBasis))
def test_every_reason_holds_and_every_date_that_has_one_is_listed(born, days, basis):
    first = born + timedelta(days=500)
    last = first + timedelta(days=days)
    found = favourable_dates(born, first, last, basis=basis, min_reasons=1)
    listed = {each.day: {reason.kind for reason in each.reasons} for each in found.dates}
    path, birth = found.life_path_root, root(born.day)
    for offset in range(days + 1):
        day = first + timedelta(days=offset)
        now = cycles(born, day, explain=False)
        number = now.personal_day.root
        expected = set()
        if basis is not DateBasis.CHEIRO:
            if number == path:
                expected.add(ReasonKind.PERSONAL_DAY_IS_LIFE_PATH)
            elif any({number, path} <= triad for triad in TRIADS):
                expected.add(ReasonKind.PERSONAL_DAY_IN_CONCORD)
            if number == now.personal_month.root:
                expected.add(ReasonKind.PERSONAL_DAY_IS_PERSONAL_MONTH)
            if number == now.personal_year.root:
                expected.add(ReasonKind.PERSONAL_DAY_IS_PERSONAL_YEAR)
        if basis is not DateBasis.PERSONAL_CYCLES:
            series = root(day.day)
            related = {series, birth} in map(set, INTERCHANGEABLE) or ({series, birth} <= {3, 6, 9})
            if series == birth:
                expected.add(ReasonKind.DAY_OF_BIRTH_SERIES)
            elif related:
                expected.add(ReasonKind.DAY_OF_RELATED_SERIES)
            weekdays = [each.value for each in CORRESPONDENCES[birth].weekdays]
            if (series == birth or related) and day.isoweekday() in weekdays:
                expected.add(ReasonKind.WEEKDAY_OF_BIRTH_NUMBER)
        assert listed.get(day, set()) == expected
