"""Whole results of the smaller calculations: what a mutation test found that no other suite had noticed.

Each expected record is worked out by hand from the rule that it names. docs/mutation.md says how the test is run.
"""

from __future__ import annotations

from datetime import date

import pytest

from onenumbers_utilities.numerology.bridges import Bridges, bridges, maturity_readings
from onenumbers_utilities.numerology.comparison import compare_names
from onenumbers_utilities.numerology.compounds import CompoundMeaning, compound_meaning
from onenumbers_utilities.numerology.cycles import cycles
from onenumbers_utilities.numerology.debt_report import debt_report
from onenumbers_utilities.numerology.favourable_dates import favourable_dates
from onenumbers_utilities.numerology.groupings import Grouping, Relation, cheiro, concord
from onenumbers_utilities.numerology.life_path import birthday, life_path
from onenumbers_utilities.numerology.maturity import maturity
from onenumbers_utilities.numerology.name_analysis import analyze_name
from onenumbers_utilities.numerology.name_details import rational_thought
from onenumbers_utilities.numerology.name_numbers import balance, expression, mark_name, personality, soul_urge
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import (
    ChallengeAges,
    KarmicDebtScope,
    LifePathMethod,
    MasterSet,
    NumerologyOptions,
    PersonalYearSpan,
    School,
)
from onenumbers_utilities.numerology.period_cycles import (
    PeriodCycle,
    PeriodCycleTiming,
    period_cycles,
    timing_notices,
    timing_school,
)
from onenumbers_utilities.numerology.periods import challenges, pinnacles
from onenumbers_utilities.numerology.planes import PlaneSystem, planes
from onenumbers_utilities.numerology.profile import profile
from onenumbers_utilities.numerology.results import (
    Alternative,
    Component,
    LetterValue,
    MasterPosition,
    Notice,
    NumberResult,
)
from onenumbers_utilities.numerology.vedic import bhagyank, mulank, namank, vedic_numbers

BORN = date(1968, 11, 14)
BORN_INPUTS = {"day": "14", "month": "11", "year": "1968"}
PLAIN = NumerologyOptions(master_set=MasterSet.NONE)


def number(chain, rule_id, school, inputs, components=(), **others):
    """A number as its chain tells it: the first value is the total, the last one the number."""
    value = chain[-1]
    root = value if value < 10 else value % 9
    return NumberResult(
        value, root, value > 9, chain[0], chain, rule_id, school, inputs, components=components, **others
    )


# --- between two numbers --------------------------------------------------------------------------------------------


def bridges_of(name: str) -> Bridges:
    marked = mark_name(read_name(name))
    return bridges(life_path(BORN), expression(marked), soul_urge(marked), personality(marked))


def test_bridges_are_whole_records():
    """Life path 22, root 4; Lynn Mary: expression 2 + 3 = 5, soul urge 7 + 8 = 15 and 6, personality 4 + 4 = 8."""
    found = bridges_of("Lynn Mary")
    assert found.life_path_expression == number(
        (1,),
        "bridge.life_path_expression",
        School.DECOZ,
        {**BORN_INPUTS, "name": "Lynn Mary"},
        (Component("life_path", "22", 22, 4, (22, 4)), Component("expression", "5", 5, 5, (5,))),
    )
    assert found.soul_urge_personality == number(
        (2,),
        "bridge.soul_urge_personality",
        School.DECOZ,
        {"name": "Lynn Mary"},
        (Component("soul_urge", "6", 6, 6, (6,)), Component("personality", "8", 8, 8, (8,))),
        warnings=(
            Notice("Y_MODES_DISAGREE", "The soul urge depends on what Y is, and the bridge with it."),
            Notice("Y_MODES_DISAGREE", "The personality depends on what Y is, and the bridge with it."),
        ),
    )


def test_a_bridge_without_one_side_is_none_and_says_which():
    """BRR is 2 + 9 + 9 = 20 and has no vowel."""
    found = bridges_of("Brr").soul_urge_personality
    assert (found.value, found.root, found.total, found.chain) == (None, 0, 0, ())
    assert found.components == (Component("personality", "2", 2, 2, (2,)),)
    assert found.warnings == (
        Notice("NO_VOWELS", "The name has no vowels, so there is nothing to count."),
        Notice("NO_BRIDGE", "There is no soul urge, so there is nothing to bridge."),
    )


def test_a_maturity_number_is_shown_with_the_sum_of_the_roots_where_that_differs():
    """22 + 11 = 33, which stays a master; 4 + 2 = 6."""
    found = maturity_readings(life_path(BORN), expression(mark_name(read_name("Ioana Brândușa Țurcanu"))))
    assert found.number.chain == (33,)
    assert found.number.alternatives == (Alternative("maturity.component_roots", School.PYTHAGOREAN, 6, 6),)
    assert found.reduced_reading == 6


def test_a_maturity_number_that_the_roots_make_as_well_has_no_alternative():
    """ANA is 7: 22 + 7 = 29 makes 11, and 4 + 7 = 11 as well."""
    found = maturity_readings(life_path(BORN), expression(mark_name(read_name("Ana"))))
    assert (found.number.chain, found.number.alternatives, found.reduced_reading) == ((29, 11), (), 2)


def test_a_maturity_number_keeps_the_masters_that_were_asked_for():
    """Without masters the life path is 4, and 4 + 7 = 11 is reduced to 2."""
    found = maturity_readings(life_path(BORN, PLAIN), expression(mark_name(read_name("Ana"), PLAIN)), PLAIN)
    assert (found.number.chain, found.number.alternatives, found.reduced_reading) == ((11, 2), (), None)


# --- times of a life ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("age", "ordinal"), [(None, 0), (0, 1), (32, 1), (33, 2), (59, 2), (60, 3), (99, 3)])
def test_period_cycles_are_whole_records(age, ordinal):
    """Life path root 4: the first ends at 36 - 4 = 32, the second 27 years later. Without masters 11 is 2."""
    parts = (
        Component("month", "11", 11, 2, (11, 2)),
        Component("day", "14", 14, 5, (14, 5)),
        Component("year", "1968", 24, 6, (24, 6)),
    )
    inputs = {**BORN_INPUTS, "master_numbers": "none"}
    assert period_cycles(BORN, PLAIN, age=age) == tuple(
        PeriodCycle(
            place,
            number(part.chain, "period_cycle.life_path_table", School.DECOZ, inputs, (part,)),
            start,
            end,
            1968 + start,
            current=place == ordinal,
        )
        for place, part, start, end in zip((1, 2, 3), parts, (0, 33, 60), (32, 59, None), strict=True)
    )


def test_period_cycles_by_the_personal_year_begin_in_its_years_1():
    """11 + 14 + 1968 = 1993 has the root 4; 4 + 24 = 28 and 4 + 60 = 64 have the root 1, four years from 28 and 56."""
    found = period_cycles(BORN, timing=PeriodCycleTiming.PERSONAL_YEAR_ONE)
    assert [(each.start_age, each.end_age, each.start_year) for each in found] == [
        (0, 23, 1968),
        (24, 59, 1992),
        (60, None, 2028),
    ]
    assert {(each.number.rule_id, each.number.school) for each in found} == {
        ("period_cycle.personal_year_one", School.GOODWIN)
    }
    assert [each.number.value for each in found] == [11, 5, 6]


def test_only_the_timing_that_is_partly_general_knowledge_says_so():
    assert timing_notices(PeriodCycleTiming.LIFE_PATH_TABLE) == ()
    (notice,) = timing_notices(PeriodCycleTiming.PERSONAL_YEAR_ONE)
    assert notice.code == "SECOND_CHANGE_GENERAL_KNOWLEDGE"
    schools = {timing: timing_school(timing) for timing in PeriodCycleTiming}
    assert schools == {
        PeriodCycleTiming.LIFE_PATH_TABLE: School.DECOZ,
        PeriodCycleTiming.PERSONAL_YEAR_ONE: School.GOODWIN,
    }


def test_favourable_dates_follow_the_span_of_the_personal_year():
    """Before the birthday in 2020 the year of life began in 2019: 2 + 5 + 2019 has the root 1, with 2020 it is 2."""
    for span, year in ((PersonalYearSpan.CALENDAR, 2), (PersonalYearSpan.BIRTHDAY, 1)):
        options = NumerologyOptions(personal_year_span=span)
        found = favourable_dates(BORN, date(2020, 3, 1), date(2020, 5, 31), options, min_reasons=1)
        assert {each.personal_year for each in found.dates} == {year}
        assert (found.life_path_root, found.birth_number, found.days_examined) == (4, 5, 92)


# --- parts of a name ------------------------------------------------------------------------------------------------


def test_a_rational_thought_is_a_whole_record():
    """LYNN is 3 + 7 + 5 + 5 = 20 and 2, day 14 is 5; its Y is a vowel by place."""
    letters = tuple(
        LetterValue(letter, value, letter == "Y", counted=True)
        for letter, value in zip("LYNN", (3, 7, 5, 5), strict=True)
    )
    assert rational_thought(read_name("Lynn Mary"), 14) == number(
        (7,),
        "rational_thought.first_name_and_day",
        School.DECOZ,
        {"name": "Lynn Mary", "day": "14"},
        (
            Component("first_name", "LYNN", 20, 2, (20, 2), letters),
            Component("day", "14", 14, 5, (14, 5)),
        ),
    )


def test_a_report_of_debts_shows_its_numbers_by_the_options_of_the_name():
    """Without masters the day 29 is 11 and goes on to 2."""
    found = debt_report(mark_name(read_name("Ana Pop"), PLAIN), date(1968, 11, 29))
    assert (found.birthday.chain, found.birthday.inputs_used) == ((29, 11, 2), {"day": "29", "master_numbers": "none"})
    assert found.birthday.components
    assert (found.rule_id, found.school) == ("karmic_debt.chain", School.DECOZ)


def test_two_spellings_have_five_numbers_in_one_order():
    found = compare_names("Ștefan", "Stefan")
    positions = ["expression", "soul_urge", "personality", "balance", "chaldean_name"]
    assert [each.position for each in found.numbers] == positions
    words = "Both spellings are counted as STEFAN, so every number is the same."
    assert found.warnings == (Notice("SAME_LETTERS", words),)


# --- Cheiro and Vedic practice --------------------------------------------------------------------------------------


def test_a_compound_above_52_has_no_words():
    words = "Cheiro prints no meaning above 52, so 53 has none."
    assert compound_meaning(53) == CompoundMeaning(53, None, "", "", (Notice("NO_COMPOUND_ABOVE_52", words),))


def test_groupings_are_whole_records():
    of_cheiro, of_clement = ("compatibility.cheiro", School.CHEIRO), ("compatibility.concord", School.CLEMENT)
    assert cheiro(8, 8) == Grouping(*of_cheiro, Relation.SAME, (8,))
    assert cheiro(4, 1) == Grouping(*of_cheiro, Relation.INTERCHANGEABLE, (1, 4))
    assert cheiro(9, 3) == Grouping(*of_cheiro, Relation.FAMILY, (3, 6, 9))
    assert cheiro(8, 4) == Grouping(*of_cheiro, Relation.CAUTION, (4, 8))
    assert cheiro(1, 2) == Grouping(*of_cheiro, Relation.UNNAMED, ())
    assert concord(7, 1) == Grouping(*of_clement, Relation.CONCORD, (1, 5, 7))
    assert concord(5, 5) == Grouping(*of_clement, Relation.SAME, (1, 5, 7))
    assert concord(1, 2) == Grouping(*of_clement, Relation.NO_CONCORD, ())


def test_a_namank_has_the_meaning_of_its_compound():
    """By the Chaldean table ANA is 7, MARIA 9 and POP 23: 39, which takes the meaning of 30."""
    found = vedic_numbers(BORN, read_name("Ana Maria Pop"))
    assert found.namank is not None
    assert found.namank.compound is not None
    assert (found.namank.compound.number, found.namank.compound.meaning_of) == (39, 30)
    assert (found.mulank.compound, found.bhagyank.compound) == (None, None)


def test_vedic_numbers_carry_their_parts_unless_they_are_left_out():
    name = read_name("Ana Pop")
    whole = vedic_numbers(BORN, name)
    assert (whole.mulank, whole.bhagyank, whole.namank) == (mulank(BORN), bhagyank(BORN), namank(name))
    for each in (mulank(BORN), bhagyank(BORN), namank(name)):
        assert each.number.components


# --- whole people and whole names -----------------------------------------------------------------------------------

CHOSEN = NumerologyOptions(
    life_path_method=LifePathMethod.STRAIGHT,
    master_set=MasterSet.NONE,
    personal_year_span=PersonalYearSpan.BIRTHDAY,
    challenge_ages=ChallengeAges.PINNACLE_AGES,
    karmic_debt_scope=KarmicDebtScope.COMPONENTS,
)


@pytest.mark.parametrize("options", [NumerologyOptions(), CHOSEN])
def test_a_profile_is_made_of_the_numbers_that_are_calculated_singly(options):
    """Without masters AMY is 3, ROY 22 and 4, and the straight life path 4: the maturity 11 is reduced to 2 as well."""
    as_of = date(2009, 5, 29)
    name = mark_name(read_name("Amy Roy"), options)
    found = profile("Amy Roy", BORN, options, as_of=as_of)
    assert found.life_path == life_path(BORN, options)
    assert found.expression == expression(name)
    assert found.soul_urge == soul_urge(name)
    assert found.personality == personality(name)
    assert found.birthday == birthday(BORN, options)
    assert found.balance == balance(name)
    assert found.maturity == maturity(found.life_path, found.expression, options)
    assert found.pinnacles == pinnacles(BORN, options, age=40)
    assert found.challenges == challenges(BORN, options, age=40)
    assert found.cycles == cycles(BORN, as_of, options)
    without = profile("Amy Roy", BORN, options, include_pinnacles=False, include_challenges=False)
    assert (without.pinnacles, without.challenges, without.cycles) == ((), (), None)
    assert without.life_path == found.life_path


def test_a_profile_lists_its_master_numbers_and_where_they_stand():
    """Life path 22 and the second pinnacle, 5 + 6 = 11; a master is kept nowhere else."""
    found = profile("Lynn Mary", BORN)
    assert found.master_numbers == (MasterPosition("life_path", 22), MasterPosition("pinnacle_2", 11))
    assert profile("Lynn Mary", BORN, PLAIN).master_numbers == ()


def test_an_analysis_of_a_name_counts_its_planes_by_the_options_of_the_name():
    name = mark_name(read_name("Edmond Jan"), PLAIN)
    found = analyze_name(name)
    assert found.planes_by_letters == planes(name.name, PlaneSystem.LETTERS, PLAIN)
    assert found.planes_by_values == planes(name.name, PlaneSystem.VALUES)
    assert {each.number.inputs_used["master_numbers"] for each in found.planes_by_letters.planes} == {"none"}
