"""Cheiro's Chaldean numbers: worked examples in print, compounds and correspondences."""

from __future__ import annotations

from datetime import date

import pytest

from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.numerology.chaldean import CompoundMethod, chaldean_birth, chaldean_name
from onenumbers_utilities.numerology.compounds import compound_meaning
from onenumbers_utilities.numerology.correspondences import CORRESPONDENCES, Weekday, correspondences
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import School
from onenumbers_utilities.numerology.vedic import vedic_numbers

PUBLISHED = [
    # name, sum of the letters of each name, roots of the names, root of all; source
    ("John Smith", [18, 17], [9, 8], 8, "free-numerology.org, after Cheiro"),
    ("John Adam Smith", [18, 10, 17], [9, 1, 8], 9, "Chaldean Numerology for Beginners, chapter 2"),
    ("Ram", [7], [7], 7, "mahajyotish.com"),
    ("Sunil", [18], [9], 9, "mahajyotish.com"),
    ("Maya", [7], [7], 7, "chaldean-numerology-calculator.com"),
    ("Cheiro", [23], [5], 5, "bostjanlovrat.com"),
    ("Ioana Brândușa Țurcanu", [15, 24, 27], [6, 6, 9], 3, "the specification of the rules"),
]


@pytest.mark.parametrize(("name", "sums", "roots", "root", "source"), PUBLISHED)
def test_names_in_print_have_the_sums_in_print(name, sums, roots, root, source):
    found = chaldean_name(read_name(name))
    assert [each.number for each in found.names] == sums, source
    assert [each.root for each in found.names] == roots, source
    assert found.number.value == found.number.root == root, source
    assert found.number.total == sum(sums)
    assert (found.number.rule_id, found.number.school) == ("chaldean_name.letter_total", School.CHEIRO)


def test_both_compounds_of_the_example_are_labelled_and_share_the_root():
    found = chaldean_name(read_name("Ioana Brândușa Țurcanu"))
    assert [(each.label, each.number, each.root) for each in found.compounds] == [
        ("letter_total", 66, 3),
        ("sum_of_roots", 21, 3),
    ]
    assert found.compound.meaning.meaning_of is None
    assert [each.code for each in found.number.warnings] == ["NO_COMPOUND_ABOVE_52"]
    assert [(each.rule_id, each.total) for each in found.number.alternatives] == [("chaldean_name.sum_of_roots", 21)]
    assert found.planet == "Jupiter"


def test_cheiros_layout_adds_the_roots_of_the_names():
    found = chaldean_name(read_name("John Smith"), CompoundMethod.SUM_OF_ROOTS)
    assert (found.number.total, found.number.chain, found.number.value) == (17, (17, 8), 8)
    assert [(part.text, part.total, part.value) for part in found.number.components] == [
        ("JOHN", 18, 9),
        ("SMITH", 17, 8),
    ]
    assert sum(part.value for part in found.number.components) == found.number.total


def test_a_single_name_keeps_its_compound_by_both_methods():
    for method in CompoundMethod:
        found = chaldean_name(read_name("Sunil"), method)
        assert found.number.total == 18
        assert not found.number.alternatives


def test_masters_are_never_kept():
    assert chaldean_name(read_name("Aa Kk Ee")).number.chain == (16, 7)
    assert chaldean_birth(29).number.chain == (29, 11, 2)
    assert chaldean_birth(22).number.value == 4


@pytest.mark.parametrize(
    ("day", "root", "planet"),
    [(1, 1, "Sun"), (2, 2, "Moon"), (12, 3, "Jupiter"), (13, 4, "Uranus"), (23, 5, "Mercury"), (24, 6, "Venus"),
     (25, 7, "Neptune"), (17, 8, "Saturn"), (27, 9, "Mars"), (31, 4, "Uranus"), (28, 1, "Sun")],
)  # fmt: skip
def test_the_birth_number_is_the_root_of_the_day_with_its_planet(day, root, planet):
    """The series 1-10-19-28, 2-11-20-29 ... and the planets as Cheiro prints them."""
    found = chaldean_birth(day)
    assert (found.number.value, found.planet) == (root, planet)
    assert (found.compound is None) == (day < 10)


def test_letters_and_values_are_in_the_trace_and_left_out_without_explain():
    parts = chaldean_name(read_name("Ioana")).number.components
    assert [(each.letter, each.value) for each in parts[0].letters] == [
        ("I", 1), ("O", 7), ("A", 1), ("N", 5), ("A", 1)
    ]  # fmt: skip
    assert not chaldean_name(read_name("Ioana"), explain=False).number.components


# --- compounds ------------------------------------------------------------------------------------------------------

OWN = {*range(10, 33), 37, 43, 51}
TAKEN = {
    33: 24, 34: 25, 35: 26, 36: 27, 38: 29, 39: 30, 40: 31, 41: 32, 42: 24, 44: 26, 45: 27, 46: 37, 47: 29, 48: 30,
    49: 31, 50: 32, 52: 43,
}  # fmt: skip
"""As bostjanlovrat.com and free-numerology.org report Cheiro."""


def test_every_number_up_to_52_has_the_meaning_that_cheiro_gives_it():
    assert OWN | TAKEN.keys() == set(range(10, 53))
    for number in OWN:
        found = compound_meaning(number)
        assert found.own
        assert found.keynote
        assert found.text
    for number, owner in TAKEN.items():
        found = compound_meaning(number)
        assert (found.meaning_of, found.own) == (owner, False), number
        assert found.text == compound_meaning(owner).text
        assert (number - owner) % 9 == 0


def test_35_follows_26_which_is_a_warning():
    """The platform before this one told good things of 35."""
    assert "warning" in compound_meaning(35).text


def test_above_52_there_is_none_and_below_10_no_compound():
    found = compound_meaning(53)
    assert (found.meaning_of, found.text, found.own) == (None, "", False)
    assert found.notices[0].code == "NO_COMPOUND_ABOVE_52"
    with pytest.raises(InvalidArgumentError) as caught:
        compound_meaning(9)
    assert caught.value.violations[0].rule == "compound.number"


def test_meanings_are_all_different():
    assert len({compound_meaning(number).text for number in OWN}) == len(OWN)


# --- correspondences ------------------------------------------------------------------------------------------------


def test_the_lists_of_numbers_two_and_eight_are_those_in_print():
    """free-numerology.org for 2 (Sunday, Monday, Friday; green, cream, white), futuresamachar.com for 8."""
    two, eight = CORRESPONDENCES[2], CORRESPONDENCES[8]
    assert set(two.weekdays) == {Weekday.SUNDAY, Weekday.MONDAY, Weekday.FRIDAY}
    assert two.colours == ("green", "cream", "white")
    assert set(eight.weekdays) == {Weekday.SATURDAY, Weekday.SUNDAY, Weekday.MONDAY}


def test_each_number_has_planet_days_and_colours_and_relations_are_mutual():
    found = correspondences()
    assert [each.number for each in found] == list(range(1, 10))
    for each in found:
        assert each.planet
        assert each.weekdays
        assert each.colours
        assert each.chief is None or each.chief in each.weekdays
        assert all(each.number in CORRESPONDENCES[other].related for other in each.related)
    assert len({each.planet for each in found}) == 9


def test_the_week_has_its_seven_planets():
    chiefs = {each.chief: each.planet for each in correspondences() if each.chief is not None}
    assert chiefs == {
        Weekday.SUNDAY: "Sun", Weekday.MONDAY: "Moon", Weekday.TUESDAY: "Mars", Weekday.WEDNESDAY: "Mercury",
        Weekday.THURSDAY: "Jupiter", Weekday.FRIDAY: "Venus", Weekday.SATURDAY: "Saturn",
    }  # fmt: skip


def test_nothing_in_the_lists_concerns_health():
    words = " ".join(" ".join(each.colours) + each.planet for each in correspondences())
    words += " ".join(compound_meaning(number).text for number in range(10, 53))
    for word in ("heal", "cure", "illness", "disease", "medicine", "doctor", "health", "stone"):
        assert word not in words.lower()


# --- Vedic ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("born", "mulank", "bhagyank", "source"),
    [
        (date(1973, 12, 9), 9, 5, "shoperclub.com: 9/5"),
        (date(1974, 9, 29), 2, 5, "29 is 11 is 2; 2+9+9+1+9+7+4 = 41"),
        (date(1968, 11, 14), 5, 4, "1+4+1+1+1+9+6+8 = 31"),
        (date(1947, 6, 29), 2, 2, "2+9+6+1+9+4+7 = 38"),
        (date(1990, 5, 15), 6, 3, "1+5+5+1+9+9+0 = 30"),
        (date(1958, 10, 26), 8, 5, "drvishnusrivastava.blogspot.com: dr(26101958) = 5"),
    ],
)
def test_mulank_and_bhagyank_are_roots_of_day_and_date(born, mulank, bhagyank, source):
    found = vedic_numbers(born)
    assert (found.mulank.number.value, found.bhagyank.number.value) == (mulank, bhagyank), source
    assert found.namank is None
    assert found.mulank.number.school is School.VEDIC


def test_namank_is_the_root_on_the_chaldean_table_and_planets_are_the_nine_grahas():
    found = vedic_numbers(date(1974, 9, 13), read_name("Ioana Brândușa Țurcanu"))
    assert (found.namank.number.total, found.namank.number.value) == (66, 3)
    assert (found.mulank.planet, found.namank.planet) == ("Rahu", "Jupiter")
    assert vedic_numbers(date(1974, 9, 25)).mulank.planet == "Ketu"
