"""What holds for the numbers of every name, whatever the school."""

from __future__ import annotations

import unicodedata
from datetime import date

from hypothesis import assume, given
from hypothesis import strategies as st

from onenumbers_utilities.numerology.bridges import bridges, maturity_readings
from onenumbers_utilities.numerology.inclusion import IntensityLevel, inclusion
from onenumbers_utilities.numerology.life_path import life_path
from onenumbers_utilities.numerology.maturity import maturity
from onenumbers_utilities.numerology.minor import minor_numbers
from onenumbers_utilities.numerology.name_analysis import analyze_name
from onenumbers_utilities.numerology.name_details import cornerstones, rational_thought
from onenumbers_utilities.numerology.name_numbers import expression, mark_name, personality, soul_urge
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import (
    KarmicDebtScope,
    LetterPolicy,
    LifePathMethod,
    MasterSet,
    NumerologyOptions,
    SummingMethod,
    YRule,
)
from onenumbers_utilities.numerology.planes import PlaneSystem, planes
from onenumbers_utilities.numerology.primitives import root

LETTERS = "abcdefghijklmnopqrstuvwxyzABCXYZăâîșțşţéèêëàçñöäüßæœøłđðþıŠžÅőű"
words = st.text(alphabet=LETTERS, min_size=1, max_size=12)
names = st.lists(words, min_size=1, max_size=5).map(" ".join)
births = st.dates(min_value=date(1, 1, 1), max_value=date(9990, 12, 31))
option_sets = st.builds(
    NumerologyOptions,
    life_path_method=st.sampled_from(LifePathMethod),
    summing_method=st.sampled_from(SummingMethod),
    y_rule=st.sampled_from(YRule),
    letter_policy=st.sampled_from(LetterPolicy),
    master_set=st.sampled_from([None, *MasterSet]),
    karmic_debt_scope=st.sampled_from(KarmicDebtScope),
)
OTHER_METHODS = [NumerologyOptions(summing_method=method) for method in SummingMethod]


def marked(name, options=None):
    options = options or NumerologyOptions()
    return mark_name(read_name(name, options.letter_policy), options)


def digit_sum_to_root(number):
    while number > 9:
        number = sum(int(digit) for digit in str(number))
    return number


@given(names)
def test_counts_of_values_are_the_letters_of_the_name(name):
    read = read_name(name)
    found = inclusion(read)
    letters = "".join(read.parts)
    assert sorted("".join(each.letters for each in found.values)) == sorted(letters)
    assert [each.count for each in found.values] == list(found.parts.counts)
    assert found.subconscious_self.value == 9 - sum(each.count == 0 for each in found.values)
    assert not set(found.parts.karmic_lessons) & set(found.parts.hidden_passions)


@given(names)
def test_intensities_balance_out_and_agree_with_their_sign(name):
    found = inclusion(read_name(name))
    assert abs(sum(each.deviation for each in found.values)) < 1e-9
    for each in found.values:
        assert abs(each.count - each.average - each.deviation) < 1e-9
        assert (each.intensity is IntensityLevel.ABOVE) == (each.deviation > 0)
        assert (each.intensity is IntensityLevel.BELOW) == (each.deviation < 0)


@given(names, option_sets)
def test_stones_are_letters_of_the_first_name_where_they_say(name, options):
    of_name = marked(name, options)
    found = cornerstones(of_name)
    first = of_name.name.parts[0]
    assert found.first_name == first
    assert found.cornerstone.position == 1
    assert found.capstone.position == len(first)
    for stone in (found.cornerstone, found.capstone, found.first_vowel, found.keystone):
        if stone is not None:
            assert first[stone.position - 1] == stone.letter
            assert stone.value == (ord(stone.letter) - 65) % 9 + 1
    assert (found.keystone is not None) == bool(len(first) % 2)
    if found.keystone is not None:
        assert 2 * found.keystone.position == len(first) + 1
    if found.first_vowel is None:
        assert not set(first) & set("AEIOU")
    else:
        assert not set(first[: found.first_vowel.position - 1]) & set("AEIOU")


@given(names, st.integers(min_value=1, max_value=31))
def test_rational_thought_is_the_same_with_the_day_in_full(name, day):
    read = read_name(name)
    found = rational_thought(read, day)
    in_full = sum((ord(letter) - 65) % 9 + 1 for letter in read.parts[0]) + day
    assert found.value == found.root == digit_sum_to_root(in_full)
    assert found.total == sum(part.value for part in found.components)


@given(names, st.sampled_from(PlaneSystem))
def test_planes_share_out_the_letters_of_a_name(name, system):
    read = read_name(name)
    found = planes(read, system)
    letters = sorted("".join(read.parts))
    assert sorted("".join(each.letters for each in found.planes)) == letters
    if system is PlaneSystem.LETTERS:
        assert sorted("".join(each.letters for each in found.energies)) == letters
        for each in found.planes:
            assert sorted("".join(energy.letters for energy in each.energies)) == sorted(each.letters)


@given(names, option_sets)
def test_plane_numbers_add_up_to_the_expression(name, options):
    read = read_name(name, options.letter_policy)
    found = planes(read, options=options)
    numbers = [each.number for each in found.planes if each.number is not None]
    assert root(sum(number.total for number in numbers)) == expression(marked(name, options)).root
    for number in numbers:
        assert number.total == sum(part.value for part in number.components)
        assert (number.value is None) == (number.chain == ())
        assert number.root == root(number.total)


@given(names, births)
def test_bridges_are_differences_of_roots_by_every_method(name, born):
    found = set()
    for options in OTHER_METHODS:
        of_name = marked(name, options)
        pair = bridges(life_path(born, options), expression(of_name), soul_urge(of_name), personality(of_name))
        found.add((pair.life_path_expression.value, pair.soul_urge_personality.value))
        left, right = soul_urge(of_name), personality(of_name)
        assert pair.life_path_expression.value == abs(life_path(born).root - expression(of_name).root)
        if left.value is None or right.value is None:
            assert pair.soul_urge_personality.value is None
        else:
            assert pair.soul_urge_personality.value == abs(left.root - right.root)
    assert len(found) == 1
    assert all(value is None or 0 <= value <= 8 for pair in found for value in pair)


@given(names, births, option_sets)
def test_readings_of_maturity_share_one_root(name, born, options):
    of_date, of_name = life_path(born, options), expression(marked(name, options))
    found = maturity_readings(of_date, of_name, options)
    assert found.number.value == maturity(of_date, of_name, options).value
    assert found.number.root == root(of_date.root + of_name.root)
    assert found.reduced_reading == (found.number.root if found.number.is_master else None)
    assert all(root(each.value or 0) == found.number.root for each in found.number.alternatives)


@given(names, option_sets)
def test_minor_numbers_are_the_numbers_of_that_name(name, options):
    of_name = marked(name, options)
    found = minor_numbers(of_name)
    for number, minor in (
        (expression(of_name), found.expression),
        (soul_urge(of_name), found.soul_urge),
        (personality(of_name), found.personality),
    ):
        assert (minor.value, minor.chain, minor.components) == (number.value, number.chain, number.components)
        assert minor.rule_id == f"minor_{number.rule_id}"
        assert "name" not in minor.inputs_used


@given(names, option_sets)
def test_explain_changes_nothing_but_the_trace(name, options):
    of_name = marked(name, options)
    full, short = analyze_name(of_name, of_name), analyze_name(of_name, of_name, explain=False)
    assert (full.karmic_debts, full.inclusion.values, full.cornerstones) == (
        short.karmic_debts,
        short.inclusion.values,
        short.cornerstones,
    )
    for field in ("expression", "soul_urge", "personality", "balance"):
        left, right = getattr(full, field), getattr(short, field)
        assert (left.value, left.chain, left.warnings) == (right.value, right.chain, right.warnings)
        assert (right.components, right.alternatives) == ((), ())


@given(names)
def test_composed_and_decomposed_names_have_one_analysis(name):
    composed, decomposed = unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)
    assume(len(decomposed) <= 200)
    left, right = analyze_name(marked(composed), explain=False), analyze_name(marked(decomposed), explain=False)
    assert left.name == right.name
    assert left.inclusion.values == right.inclusion.values
    assert left.expression.chain == right.expression.chain
    assert [each.letters for each in left.planes_by_letters.planes] == [
        each.letters for each in right.planes_by_letters.planes
    ]
