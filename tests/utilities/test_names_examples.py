"""Published worked examples of names, recomputed. Each row says where the example is printed."""

from __future__ import annotations

from datetime import date

import pytest

from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.numerology.bridges import bridges, maturity_readings
from onenumbers_utilities.numerology.inclusion import SIKKA_AVERAGES, IntensityAverages, IntensityLevel, inclusion
from onenumbers_utilities.numerology.life_path import life_path
from onenumbers_utilities.numerology.minor import minor_numbers
from onenumbers_utilities.numerology.name_analysis import analyze_name
from onenumbers_utilities.numerology.name_details import cornerstones, rational_thought
from onenumbers_utilities.numerology.name_numbers import balance, expression, mark_name, personality, soul_urge
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import MasterSet, NumerologyOptions, School, SummingMethod, YRule
from onenumbers_utilities.numerology.planes import (
    ENERGY_LETTERS,
    PLANE_LETTERS,
    PLANE_VALUES,
    Plane,
    PlaneEnergy,
    PlaneSystem,
    planes,
)
from onenumbers_utilities.numerology.tables import CHALDEAN

IOANA = "Ioana Brândușa Țurcanu"
TOM, TOM_BORN = "Thomas Cruise Mapother", date(1962, 7, 3)
PLAIN, TOTAL = SummingMethod.PER_NAME_PLAIN, SummingMethod.LETTER_TOTAL
SPEC = "reference specification of this project"
DEFINITION = "recomputed from the definition"
DECOZ_7 = "worldnumerology.com, course class 7 (Expression): Tom's chart"
DECOZ_11 = "decoz.com, course part 11 (Bridge numbers): Tom's chart"
DECOZ_LESSONS = "worldnumerology.com, Karmic Lessons: Thomas John Hancock"
MCCLAIN = "astrology-numerology.com, The Full Birth Name: David Michael McClain"
XERT = "xert.org, numerology: Sally Jane Smith"
LEHNING = "nimblespirit.com, Lehning on arithmancy: Hervé Lehning"
SEBERO = "github.com Michael-Sebero/Numerology-Calculator, README: Norman Gene Macdonald"
GOODWIN_12 = "astrologicalsociety.us, Goodwin chapter 12: James Paul McCartney"
FREETAROT = "freetarot.com, rational thought: Victor, 21 April"
API_DOCS = "numerology-api-docs, rational thought: John, 16"
FUTURE = "futuresobright.com, rational thought: John, 1 January"


def marked(name, **options):
    return mark_name(read_name(name), NumerologyOptions(**options))


def bridges_of(name, born):
    of_name = marked(name)
    return bridges(life_path(born), expression(of_name), soul_urge(of_name), personality(of_name))


@pytest.mark.parametrize(
    ("source", "number", "name", "options", "parts", "total", "value"),
    [
        (SPEC, expression, IOANA, {}, [22, 8, 8], 38, 11),
        (SPEC, soul_urge, IOANA, {}, [8, 5, 7], 20, 2),
        (SPEC, soul_urge, IOANA, {"summing_method": TOTAL}, [17, 5, 7], 29, 11),
        (SPEC, balance, IOANA, {}, [9, 2, 2], 13, 4),
        (DECOZ_7, expression, TOM, {}, [22, 3, 6], 31, 4),
        (DECOZ_11, soul_urge, TOM, {}, [7, 8, 3], 18, 9),
        (DECOZ_11, personality, TOM, {}, [6, 4, 3], 13, 4),
        (MCCLAIN, expression, "David Michael McClain", {"summing_method": PLAIN}, [4, 6, 1], 11, 11),
        (XERT, soul_urge, "Sally Jane Smith", {"summing_method": TOTAL, "y_rule": YRule.ALWAYS_CONSONANT}, None, 16, 7),
        (XERT, expression, "Sally Jane Smith", {"summing_method": TOTAL}, [15, 12, 24], 51, 6),
        (LEHNING, expression, "Hervé Lehning", {"summing_method": TOTAL}, None, 73, 1),
        (LEHNING, soul_urge, "Hervé Lehning", {"summing_method": TOTAL}, None, 24, 6),
        (LEHNING, personality, "Hervé Lehning", {"summing_method": TOTAL}, None, 49, 4),
        (SEBERO, expression, "Norman Gene Macdonald", {}, None, 29, 11),
        (SEBERO, soul_urge, "Norman Gene Macdonald", {}, [7, 1, 8], 16, 7),
        (SEBERO, personality, "Norman Gene Macdonald", {}, None, 13, 4),
    ],
)
def test_published_numbers_of_a_name(source, number, name, options, parts, total, value):
    found = number(marked(name, **options))
    assert (found.total, found.value) == (total, value), source
    if parts is not None:
        assert [part.value for part in found.components] == parts, source


@pytest.mark.parametrize(
    ("source", "name", "lessons"),
    [
        (DECOZ_LESSONS, "Thomas John Hancock", (7, 9)),
        (GOODWIN_12, "James Paul McCartney", (6, 8)),
        (SPEC, IOANA, (7, 8)),
    ],
)
def test_published_karmic_lessons(source, name, lessons):
    found = inclusion(read_name(name))
    assert found.parts.karmic_lessons == lessons, source
    assert found.subconscious_self.value == 9 - len(lessons)


def test_goodwins_intensity_table_of_mccartney():
    """Goodwin prints five 1's, four 3's, two 4's, three 5's, two 7's and one 9, with 1 as the largest quantity."""
    found = inclusion(read_name("James Paul McCartney"))
    assert [each.count for each in found.values] == [5, 1, 4, 2, 3, 0, 2, 0, 1]
    assert found.parts.hidden_passions == (1,)
    assert found.values[2].letters == "ULCC"


def test_averages_are_letters_by_nine_and_say_that_they_are_a_convention():
    found = inclusion(read_name("Ana Pop Lin"))  # nine letters: an average of one each
    assert [each.average for each in found.values] == [1.0] * 9
    assert [(each.value, each.deviation) for each in found.values if each.intensity is IntensityLevel.ABOVE] == [
        (1, 1.0),
        (5, 1.0),
        (7, 1.0),
    ]
    assert {each.value for each in found.values if each.intensity is IntensityLevel.AVERAGE} == {3, 6, 9}
    assert "AVERAGES_ARE_A_CONVENTION" in [notice.code for notice in found.notices]


def test_goodwins_intensity_points_of_mccartney_by_the_table_in_print():
    """Goodwin finds 1, 3, 4 and 7 above the average and 9 below; 6 and 8 are lessons; three 5's are in his range."""
    found = inclusion(read_name("James Paul McCartney"), averages=IntensityAverages.SIKKA)
    assert [each.average for each in found.values] == list(SIKKA_AVERAGES) == [3, 1, 2, 1, 4, 2, 1, 1, 3]
    assert [each.value for each in found.values if each.intensity is IntensityLevel.ABOVE] == [1, 3, 4, 7]
    assert [each.value for each in found.values if each.intensity is IntensityLevel.BELOW] == [5, 6, 8, 9]
    assert found.values[0].deviation == 2.0
    assert ("intensity.sikka_table", "pythagorean") in [(rule, school.value) for rule, school in found.rules]
    assert "AVERAGES_OF_ANY_NAME" in [notice.code for notice in found.notices]


def test_the_subconscious_self_shows_its_lessons():
    found = inclusion(read_name(IOANA)).subconscious_self
    assert (found.value, found.rule_id) == (7, "subconscious_self.nine_less_lessons")
    assert [(part.label, part.text, part.value) for part in found.components] == [
        ("values", "1-9", 9),
        ("karmic_lessons", "7, 8", 2),
    ]
    assert inclusion(read_name(IOANA), explain=False).subconscious_self.components == ()


# --- first name -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "name", "day", "first", "value"),
    [
        (FREETAROT, "Victor Howard Newell", 21, 33, 9),
        (API_DOCS, "John", 16, 20, 9),
        (FUTURE, "John", 1, 20, 3),
        (DEFINITION, IOANA, 29, 22, 6),
    ],
)
def test_published_rational_thought(source, name, day, first, value):
    found = rational_thought(read_name(name), day)
    assert found.value == value, source
    assert [(part.label, part.total) for part in found.components] == [("first_name", first), ("day", day)]
    assert not found.is_master


@pytest.mark.parametrize(
    ("name", "stones"),
    [
        ("Thomas John Hancock", ("T", "S", "O", None)),
        ("David Michael McClain", ("D", "D", "A", "V")),
        ("Ioana Țurcanu", ("I", "A", "I", "A")),
        ("Ng Lan", ("N", "G", None, None)),
        ("Yvonne Pop", ("Y", "E", "Y", None)),
        ("Yolanda Pop", ("Y", "A", "O", "A")),
        ("A Pop", ("A", "A", "A", "A")),
    ],
)
def test_stones_are_first_last_first_vowel_and_middle_of_the_first_name(name, stones):
    """The rule of Clement 1908, chapter 4, for cornerstone, keystone and capstone; Decoz for the first vowel."""
    found = cornerstones(marked(name))
    letters = (found.cornerstone, found.capstone, found.first_vowel, found.keystone)
    assert tuple(each.letter if each else None for each in letters) == stones
    codes = {notice.code for notice in found.notices}
    assert ("NO_FIRST_VOWEL" in codes) == (stones[2] is None)
    assert ("NO_KEYSTONE" in codes) == (stones[3] is None)


def test_stones_carry_value_position_rule_and_school():
    found = cornerstones(marked("David Pop"))
    assert found.keystone is not None
    assert (found.keystone.value, found.keystone.position, found.keystone.school) == (4, 3, School.CLEMENT)
    assert found.capstone.position == 5
    assert found.first_vowel is not None
    assert (found.first_vowel.rule_id, found.first_vowel.value) == ("first_vowel.first_name", 1)


def test_the_first_vowel_obeys_the_rule_of_y():
    found = cornerstones(marked("Yolanda Pop", y_rule=YRule.ALWAYS_VOWEL))
    assert found.first_vowel is not None
    assert found.first_vowel.letter == "Y"
    assert found.inputs_used["y_rule"] == "always_vowel"


# --- planes ---------------------------------------------------------------------------------------------------------


def test_published_planes_of_macdonald():
    """The README of Michael-Sebero/Numerology-Calculator prints 8, 33, 3, 3."""
    found = planes(read_name("Norman Gene Macdonald"))
    assert [each.number.value for each in found.planes] == [8, 33, 3, 3], SEBERO
    assert [each.number.total for each in found.planes] == [26, 33, 21, 3]
    assert [each.letters for each in found.planes] == ["MEEMDD", "NANGNANAL", "ORO", "C"]
    assert (found.rule_id, found.school) == ("planes.letters", School.GOODWIN)


def test_planes_keep_masters_of_the_options_only():
    found = planes(
        read_name("Norman Gene Macdonald"), options=NumerologyOptions(master_set=MasterSet.ELEVEN_AND_TWENTY_TWO)
    )
    assert found.planes[1].number is not None
    assert (found.planes[1].number.value, found.planes[1].number.chain) == (6, (33, 6))


def test_every_letter_and_every_value_has_one_plane_and_one_energy():
    alphabet = sorted("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert sorted("".join(PLANE_LETTERS.values())) == alphabet
    assert sorted("".join(ENERGY_LETTERS.values())) == alphabet
    assert sorted(value for values in PLANE_VALUES.values() for value in values) == list(range(1, 10))


def test_planes_by_values_count_only():
    found = planes(read_name("James Paul McCartney"), PlaneSystem.VALUES)
    assert {each.plane: len(each.letters) for each in found.planes} == {
        Plane.PHYSICAL: 5,
        Plane.MENTAL: 5,
        Plane.EMOTIONAL: 5,
        Plane.INTUITIVE: 3,
    }
    assert all(each.number is None and each.energies == () for each in found.planes)
    assert (found.rule_id, found.school, found.energies) == ("planes.values", School.JORDAN, ())


def test_an_empty_plane_has_no_number_rather_than_zero():
    found = planes(read_name("Ana")).planes[0]
    assert found.number is not None
    assert (found.number.value, found.number.root, found.number.chain) == (None, 0, ())
    assert [notice.code for notice in found.number.warnings] == ["NO_LETTERS_ON_PLANE"]


def test_energies_sort_the_letters_of_a_name():
    found = planes(read_name("David"))
    assert {each.energy: each.letters for each in found.energies} == {
        PlaneEnergy.CREATIVE: "AI",
        PlaneEnergy.VACILLATING: "",
        PlaneEnergy.GROUNDED: "DVD",
    }


@pytest.mark.parametrize(
    ("call", "rule"),
    [
        (lambda: inclusion(read_name(IOANA), CHALDEAN), "inclusion.table"),
        (lambda: planes(read_name(IOANA), table=CHALDEAN), "planes.table"),
    ],
)
def test_the_chaldean_table_is_refused_where_it_means_nothing(call, rule):
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    assert [(each.field, each.rule) for each in caught.value.violations] == [("system", rule)]


# --- bridges, maturity, minor numbers -------------------------------------------------------------------------------


def test_published_bridges_of_tom():
    """Decoz prints 3 between life path 1 and expression 4, and 5 between heart's desire 9 and personality 4."""
    found = bridges_of(TOM, TOM_BORN)
    assert (found.life_path_expression.value, found.soul_urge_personality.value) == (3, 5), DECOZ_11
    assert [(part.label, part.value) for part in found.life_path_expression.components] == [
        ("life_path", 1),
        ("expression", 4),
    ]
    assert found.soul_urge_personality.rule_id == "bridge.soul_urge_personality"


def test_bridges_reduce_masters_first():
    found = bridges_of(IOANA, date(1968, 11, 14))  # life path 22, expression 11
    assert [part.chain for part in found.life_path_expression.components] == [(22, 4), (11, 2)]
    assert found.life_path_expression.value == 2


def test_a_bridge_over_nothing_has_no_value():
    found = bridges_of("Ng", date(1990, 1, 1)).soul_urge_personality
    assert (found.value, found.root, found.chain) == (None, 0, ())
    assert "NO_BRIDGE" in [notice.code for notice in found.warnings]


def test_a_bridge_says_that_it_depends_on_y():
    codes = [notice.code for notice in bridges_of("Maya", date(1990, 1, 1)).soul_urge_personality.warnings]
    assert "Y_MODES_DISAGREE" in codes


def test_a_master_maturity_has_two_readings():
    found = maturity_readings(life_path(date(1968, 11, 14)), expression(marked(IOANA)))  # 22 + 11, the specification
    assert (found.number.value, found.reduced_reading) == (33, 6)
    assert [(each.rule_id, each.value) for each in found.number.alternatives] == [("maturity.component_roots", 6)]


def test_a_plain_maturity_has_one_reading():
    found = maturity_readings(life_path(TOM_BORN), expression(marked(TOM)))  # 1 + 4
    assert (found.number.value, found.reduced_reading, found.number.alternatives) == (5, None, ())


def test_minor_numbers_follow_the_rules_of_the_birth_name_and_name_their_own_rule():
    found = minor_numbers(marked("Tom Cruise"))
    assert found.current_name == "TOM CRUISE"
    assert found.expression.value == expression(marked("Tom Cruise")).value == 6
    assert (found.expression.rule_id, found.soul_urge.rule_id) == (
        "minor_expression.per_name",
        "minor_soul_urge.per_name",
    )
    assert found.personality.inputs_used == {"current_name": "Tom Cruise"}


def test_minor_numbers_carry_no_debts():
    assert expression(marked("Ibab")).karmic_debts
    assert minor_numbers(marked("Ibab")).expression.karmic_debts == ()


def test_the_analysis_joins_what_the_single_calculations_give():
    name, current = marked(TOM), marked("Tom Cruise")
    found = analyze_name(name, current)
    assert found.expression == expression(name)
    assert found.soul_urge == soul_urge(name)
    assert found.personality == personality(name)
    assert found.balance == balance(name)
    assert found.inclusion == inclusion(name.name)
    assert found.cornerstones == cornerstones(name)
    assert found.planes_by_letters == planes(name.name)
    assert found.planes_by_values == planes(name.name, PlaneSystem.VALUES)
    assert found.minor == minor_numbers(current)
    assert [(debt.number, debt.position) for debt in found.karmic_debts] == [(13, "personality")]
    assert analyze_name(name).minor is None
