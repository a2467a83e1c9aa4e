"""Limits, sentences and options that a mutation test found to be asserted nowhere (docs/mutation.md)."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.numerology import objects
from onenumbers_utilities.numerology.bridges import maturity_readings
from onenumbers_utilities.numerology.chaldean import (
    CompoundMethod,
    birth_root,
    chaldean_birth,
    chaldean_name,
    chaldean_total,
)
from onenumbers_utilities.numerology.comparison import compare_names
from onenumbers_utilities.numerology.compatibility import Position, compare, compare_people, read_person
from onenumbers_utilities.numerology.compounds import compound_meaning
from onenumbers_utilities.numerology.correspondences import correspondences
from onenumbers_utilities.numerology.counting import DateNumber, NumberOfDates
from onenumbers_utilities.numerology.cycles import cycles
from onenumbers_utilities.numerology.dates import read_date
from onenumbers_utilities.numerology.favourable_dates import favourable_dates
from onenumbers_utilities.numerology.groupings import cheiro, concord
from onenumbers_utilities.numerology.inclusion import inclusion
from onenumbers_utilities.numerology.kua import KuaFormula, YearTurn, kua, lunar_new_year
from onenumbers_utilities.numerology.life_path import life_path
from onenumbers_utilities.numerology.lo_shu import GridDigits, lo_shu_grid
from onenumbers_utilities.numerology.minor import minor_numbers
from onenumbers_utilities.numerology.name_details import cornerstones, rational_thought
from onenumbers_utilities.numerology.name_numbers import (
    balance,
    expression,
    mark_name,
    personality,
    soul_urge,
)
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.native_letters import native_letters
from onenumbers_utilities.numerology.options import (
    KarmicDebtScope,
    LetterPolicy,
    LifePathMethod,
    MasterSet,
    NumerologyOptions,
    School,
    SummingMethod,
    Transliteration,
    YOverride,
    YRule,
)
from onenumbers_utilities.numerology.periods import pinnacles
from onenumbers_utilities.numerology.phillips import phillips_chart
from onenumbers_utilities.numerology.planes import planes
from onenumbers_utilities.numerology.primitives import chain
from onenumbers_utilities.numerology.profile import profile
from onenumbers_utilities.numerology.tables import CHALDEAN
from onenumbers_utilities.numerology.timeline import timeline_ages
from onenumbers_utilities.numerology.transits import transits
from onenumbers_utilities.numerology.vedic import vedic_numbers

BORN = date(1968, 11, 14)
NAME = read_name("Ana Maria Pop")
GERMAN = NumerologyOptions(letter_policy=LetterPolicy.DE_EXPANDED, y_rule=YRule.ALWAYS_CONSONANT)
REFUSED = {
    "as_of.after_birth as_of": lambda: cycles(BORN, date(1960, 1, 1)),
    "business.chaldean_masters master_numbers": lambda: objects.business_name(
        "Ana", objects.LetterValues.CHALDEAN, masters=frozenset({11})
    ),
    "compare_people.people people": lambda: compare_people([read_person("Ana Pop", BORN)]),
    "compound.number number": lambda: compound_meaning(9),
    "correspondence.number number": lambda: correspondences(0),
    "date.exists day": lambda: read_date(31, 4, 1990),
    "date.month month": lambda: read_date(1, 13, 1990),
    "date.year year": lambda: read_date(1, 1, 0),
    "date_number.personal_year_in personal_year_in": lambda: NumberOfDates(DateNumber.PERSONAL_YEAR).checked(),
    "favourable_dates.after_birth from_date": lambda: favourable_dates(BORN, date(1960, 1, 1), date(1960, 2, 1)),
    "favourable_dates.min_reasons min_reasons": lambda: favourable_dates(
        BORN, date(2020, 1, 1), date(2020, 1, 2), min_reasons=0
    ),
    "favourable_dates.order to_date": lambda: favourable_dates(BORN, date(2020, 1, 2), date(2020, 1, 1)),
    "favourable_dates.range to_date": lambda: favourable_dates(BORN, date(2020, 1, 1), date(2030, 1, 1)),
    "house.unit_rule_without_unit unit_rule": lambda: objects.house_number("12", "", objects.UnitRule.ADDED),
    "inclusion.table system": lambda: inclusion(NAME, CHALDEAN),
    "kua.first_year year": lambda: kua(date(1, 2, 3), KuaFormula.MALE),
    "kua.lunar_years year": lambda: kua(date(1900, 1, 30), KuaFormula.MALE, YearTurn.LUNAR),
    "lo_shu.formula_without_kua formula": lambda: lo_shu_grid(BORN, formula=KuaFormula.MALE),
    "lo_shu.kua_formula formula": lambda: lo_shu_grid(BORN, GridDigits.WITH_KUA),
    "lo_shu.year_turn_without_kua year_turn": lambda: lo_shu_grid(BORN, turn=YearTurn.LUNAR),
    "name.max_length name": lambda: native_letters("א" * 201),
    "name.no_letters name": lambda: native_letters("- ."),
    "native_letters.script name": lambda: native_letters("Ana"),
    "object.digit name": lambda: objects.business_name("٣"),
    "object.digit plate": lambda: objects.plate_number("B ٣"),
    "object.max_length number": lambda: objects.house_number("1" * 33),
    "object.nothing_to_add name": lambda: objects.business_name("000"),
    "object.nothing_to_add phone": lambda: objects.phone_number("000"),
    "object.nothing_to_add plate": lambda: objects.plate_number("000"),
    "object.nothing_to_count plate": lambda: objects.plate_number("-"),
    "object.required plate": lambda: objects.plate_number(" "),
    "phone.character phone": lambda: objects.phone_number("0+40721"),
    "phone.digits phone": lambda: objects.phone_number("+12"),
    "planes.table system": lambda: planes(NAME, table=CHALDEAN),
    "timeline.age from_age": lambda: timeline_ages(BORN, from_age=-1, to_age=None, as_of=None),
    "timeline.age to_age": lambda: timeline_ages(BORN, from_age=None, to_age=121, as_of=None),
    "timeline.age as_of": lambda: timeline_ages(BORN, from_age=None, to_age=None, as_of=date(2090, 1, 1)),
    "timeline.as_of_or_ages as_of": lambda: timeline_ages(BORN, from_age=1, to_age=None, as_of=date(2000, 1, 1)),
    "timeline.order to_age": lambda: timeline_ages(BORN, from_age=5, to_age=4, as_of=None),
    "transits.last_names last_names": lambda: transits(NAME, BORN, [20], last_names=3),
    "transits.two_names name": lambda: transits(read_name("Ana"), BORN, [20]),
    "y_override.is_y y_overrides[0].position": lambda: _overridden("Ana Pop", YOverride(1, vowel=True)),
    "y_override.unique y_overrides[1].position": lambda: _overridden(
        "Amy", YOverride(3, vowel=True), YOverride(3, vowel=False)
    ),
    "y_override.within_name y_overrides[0].position": lambda: _overridden("Amy", YOverride(4, vowel=True)),
}


def _overridden(name: str, *overrides: YOverride):
    return mark_name(read_name(name), NumerologyOptions(y_overrides=overrides))


@pytest.mark.parametrize("refusal", REFUSED)
def test_a_refusal_names_field_and_rule_in_a_sentence_that_is_one(refusal):
    with pytest.raises(InvalidArgumentError) as caught:
        REFUSED[refusal]()
    (violation,) = caught.value.violations
    assert f"{violation.rule} {violation.field}" == refusal
    assert re.fullmatch(r"\S.*\w[.)]?", violation.description, re.DOTALL)
    assert len(violation.description.split()) >= 3
    assert "None" not in violation.description
    assert violation.description in caught.value.message


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (REFUSED["transits.last_names last_names"], "1-2"),
        (REFUSED["y_override.within_name y_overrides[0].position"], "1-3"),
        (REFUSED["kua.lunar_years year"], "1900-01-31 to 2100"),
        (REFUSED["inclusion.table system"], " 9"),
    ],
)
def test_limits_in_a_refusal_are_those_in_force(call, said):
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    assert said in caught.value.message
    assert "10" not in caught.value.message.replace("2100", "")


def test_a_title_that_was_left_out_is_noted_by_every_number_of_the_name():
    name = read_name("Dr Ana Maria Pop")
    marked = mark_name(name)
    found = [
        *(each(marked) for each in (expression, soul_urge, personality, balance)),
        *minor_numbers(marked).__getstate__()[1:],
        rational_thought(name, 14),
        chaldean_name(name).number,
        vedic_numbers(BORN, name).namank.number,
    ]
    for number in found:
        assert [each.code for each in number.warnings if each.code == "TITLE_LEFT_OUT"], number.rule_id
    for result in (inclusion(name), planes(name), cornerstones(marked), transits(name, BORN, [20])):
        assert "TITLE_LEFT_OUT" in [each.code for each in result.notices]


def test_a_suffix_that_is_all_that_a_title_leaves_is_the_name():
    assert read_name("Dr Jr").parts == ("JR",)


def test_options_of_names_hold_wherever_names_are_read():
    """JOERG BYRD by the German policy, and no vowel in BYRD where Y is always a consonant."""
    alone = soul_urge(mark_name(read_name("Jörg Byrd", LetterPolicy.DE_EXPANDED), GERMAN))
    person = read_person("Jörg Byrd", BORN, GERMAN)
    pair = compare_names("Jörg Byrd", "Jörg Byrt", GERMAN)
    whole = profile("Jörg Byrd", BORN, GERMAN)
    assert person.name == pair.first.text == whole.name == "JOERG BYRD"
    assert pair.second.text == "JOERG BYRT"
    of_pair = {each.position: each.first for each in pair.numbers}["soul_urge"]
    assert alone.value == of_pair.value == whole.soul_urge.value == 11
    assert {each.value for position, each in person.numbers.items() if position.value == "soul_urge"} == {11}


def test_options_of_transliteration_hold_wherever_names_are_read():
    options = NumerologyOptions(transliteration=Transliteration.UKRAINIAN_2010)
    assert read_person("Юлія", BORN, options).name == profile("Юлія", BORN, options).name == "YULIIA"
    assert compare_names("Юлія", "Yuliia", options).first.text == "YULIIA"
    for field in ("first_name", "second_name"):
        names = {"first_name": "Ana", "second_name": "Ana"} | {field: "Юлія 2"}
        with pytest.raises(InvalidArgumentError) as caught:
            compare_names(*names.values(), options)
        assert [each.field for each in caught.value.violations] == [field]


@given(
    name=st.lists(st.text("abcdefghijklmnopqrstuvwxz", min_size=1, max_size=6), min_size=1, max_size=3),
    scope=st.sampled_from(KarmicDebtScope),
)
@example(name=["di", "b"], scope=KarmicDebtScope.COMPONENTS)  # 13 and 2
@example(name=["di"], scope=KarmicDebtScope.COMPONENTS)
@example(name=["riri", "b"], scope=KarmicDebtScope.COMPONENTS)  # 36 and 2
def test_debts_of_a_name_are_the_debts_among_its_sums(name, scope):
    """Totals of the parts count only where they are asked for, and where there is more than one part."""
    read = read_name(" ".join(name))
    found = expression(mark_name(read, NumerologyOptions(karmic_debt_scope=scope)))
    debts = {13, 14, 16, 19}
    wanted = [(each, "direct") for each in found.chain[:1] if each in debts and len(found.chain) > 1]
    if scope is not KarmicDebtScope.DIRECT:
        wanted += [(each, "intermediate") for each in found.chain[1:-1] if each in debts]
    if scope is KarmicDebtScope.COMPONENTS and len(found.components) > 1:
        masters = NumerologyOptions().masters()
        wanted += [
            (each, "component")
            for part in found.components
            for each in chain(part.total, masters)[:-1]
            if each in debts
        ]
    assert [(debt.number, debt.origin.value) for debt in found.karmic_debts] == wanted


def test_the_third_pinnacle_adds_a_first_one_that_stays_a_master():
    """2 September 1990: 9, 2 and 1 make 11 and 3, so the third is 14, not 2 + 3."""
    first, second, third, _ = pinnacles(date(1990, 9, 2))
    assert (first.number.value, second.number.value, third.number.total) == (11, 3, 14)


def test_lunar_years_of_kua_end_where_the_table_ends():
    """1900-01-31 is the first New Year that is known; the alternative is left out before it and after 2100."""
    assert lunar_new_year(1900) == date(1900, 1, 31)
    cases = {date(1900, 1, 30): [], date(1900, 2, 2): ["kua.lunar_year"], date(2100, 2, 5): ["kua.lunar_year"]}
    for born, wanted in cases.items():
        assert [each.rule_id for each in kua(born, KuaFormula.MALE).number.alternatives] == wanted
    assert kua(date(2101, 2, 5), KuaFormula.MALE).number.alternatives == ()
    assert kua(date(1899, 1, 5), KuaFormula.MALE).number.alternatives == ()
    (other,) = kua(date(1900, 2, 2), KuaFormula.MALE, YearTurn.LUNAR).number.alternatives
    assert (other.rule_id, other.school, other.total) == ("kua.solar_year", School.LO_SHU, 2)


def test_a_kua_of_five_is_read_as_the_formula_says():
    """1959 has the root 6: 11 - 6 = 5 is read as 2; 1982 has 2, and the female formula makes 4 + 2 = 6 of it."""
    found = kua(date(1959, 6, 1), KuaFormula.MALE).number
    assert (found.chain, found.value) == ((5, 2), 2)
    assert [each.message for each in found.warnings] == ["5 is the centre and no kua number; it is read as 2."]


def test_the_kua_of_a_grid_follows_the_turn_of_the_year():
    """28 January 1990 lies after the lunar New Year (the 27th) and before the solar one."""
    born = date(1990, 1, 28)
    placed = {
        turn: [
            each.digit
            for each in lo_shu_grid(born, GridDigits.WITH_KUA, formula=KuaFormula.MALE, turn=turn).digits
            if each.source == "kua"
        ]
        for turn in YearTurn
    }
    assert placed == {turn: [kua(born, KuaFormula.MALE, turn).number.value] for turn in YearTurn}
    assert placed[YearTurn.SOLAR] != placed[YearTurn.LUNAR]


def test_every_digit_of_a_grid_says_where_it_comes_from():
    found = lo_shu_grid(BORN, GridDigits.WITH_KUA, formula=KuaFormula.MALE)
    assert [each.source for each in found.digits] == ["date"] * 8 + ["mulank", "bhagyank", "kua"]


def test_a_chart_of_phillips_tells_what_its_century_always_has():
    for born, century, always in ((date(1968, 11, 14), "1900-1999", (1, 9)), (date(2004, 3, 1), "2000-2099", (2,))):
        found = phillips_chart(born)
        assert found.always_present == always
        assert any(century in each.message for each in found.warnings)
        assert any(f" has {' and '.join(map(str, always))}: " in each.message for each in found.warnings)


def test_parts_of_a_business_name():
    found, _ = objects.business_name("Blue River Srl")
    assert [each.message.split()[0] for each in found.warnings] == ["SRL"]
    assert [each.message.split()[0] for each in objects.business_name("Srl Blue")[0].warnings] == []
    kept, _ = objects.business_name("K I")  # 2 + 9
    assert (kept.value, kept.is_master) == (11, True)
    plain, _ = objects.business_name("K I", masters=frozenset())
    assert plain.value == 2
    (other,) = kept.alternatives
    assert (other.rule_id, other.school, other.value, other.total) == ("business.chaldean", School.CONVENTION, 3, 3)
    of_chaldean, compound = objects.business_name("K I", objects.LetterValues.CHALDEAN)
    assert ([each.rule_id for each in of_chaldean.alternatives], compound) == (["business.pythagorean"], None)
    assert of_chaldean.alternatives[0].value == 11


def test_a_business_of_another_script_is_counted_in_latin_letters():
    """Αθήνα (1 2 8 9 5 1) and Σία (1 9 1) with the digits 2 and 4; signs and digits stay where they are."""
    found, _ = objects.business_name("Αθήνα & Σία 24", transliteration=Transliteration.ELOT_743)
    assert (found.total, found.value) == (26 + 11 + 6, 7)
    assert [part.text for part in found.components] == ["ATHINA", "SIA", "24"]
    assert [each.code for each in found.warnings] == ["TRANSLITERATED", "SIGN_NOT_COUNTED"]
    assert "ATHINA SIA 24" in found.warnings[0].message
    assert {**found.inputs_used, "transliterated_by": ""} == {
        "name": "Αθήνα & Σία 24",
        "transliteration": "elot_743",
        "latin_name": "Athína & Sía 24",
        "transliterated_by": "",
    }
    single, _ = objects.business_name("Α 2", transliteration=Transliteration.ELOT_743)
    assert [part.text for part in single.components] == ["A", "2"]
    latin, _ = objects.business_name("Muller 2", transliteration=Transliteration.ELOT_743)
    assert (dict(latin.inputs_used), latin.warnings) == ({"name": "Muller 2"}, ())
    for name in ("Αθήνα", "Αθήνα 2 Ltd", "A Αθήνα", "2 Αθήνα"):
        with pytest.raises(InvalidArgumentError):
            objects.business_name(name)


def test_a_business_of_german_letters_is_counted_as_the_policy_says():
    found, _ = objects.business_name("Bücher", policy=LetterPolicy.DE_EXPANDED)
    assert [part.text for part in found.components] == ["BUECHER"]
    assert dict(found.inputs_used) == {"name": "Bücher", "letter_policy": "de_expanded"}
    assert found.total == 2 + 3 + 5 + 3 + 8 + 5 + 9
    (other,) = objects.business_name("Bücher", objects.LetterValues.CHALDEAN, policy=LetterPolicy.DE_EXPANDED)[
        0
    ].alternatives
    assert (other.value, other.total) == (8, 35)


def test_a_flat_shows_what_the_other_rule_gives():
    (other,) = objects.house_number("12", "4").alternatives
    assert (other.rule_id, other.school, other.value) == ("house.unit_added", School.PYTHAGOREAN, 7)
    masters = frozenset({11, 22, 33})
    (kept,) = objects.house_number("29", "9", objects.UnitRule.REPLACES, masters=masters).alternatives
    assert (kept.value, kept.total) == (2, 20)
    (master,) = objects.house_number("2", "9", masters=masters).alternatives
    assert master.value == 11


def test_words_and_digits_of_a_plate_are_parts_of_their_own():
    assert [part.text for part in objects.plate_number("B 123 ABC").components] == ["B", "123", "ABC"]
    assert [part.text for part in objects.plate_number("D'Or-2").components] == ["DOR", "2"]
    assert [part.text for part in objects.plate_number("A\u00a0B\u0301C").components] == ["A", "BC"]


def test_ages_of_a_timeline_reach_120():
    born = date(1900, 1, 1)
    assert list(timeline_ages(born, from_age=None, to_age=None, as_of=date(2020, 6, 1))) == [120]
    assert timeline_ages(born, from_age=None, to_age=None, as_of=None) == range(121)


def test_minor_numbers_name_their_inputs_and_the_other_methods():
    marked = mark_name(read_name("Ana Maria"), NumerologyOptions(master_set=MasterSet.NONE))
    found = minor_numbers(marked)
    assert found.expression.inputs_used == {"current_name": "Ana Maria", "master_numbers": "none"}
    kept = minor_numbers(mark_name(read_name("Ioana Brândușa Țurcanu"))).soul_urge
    assert [each.rule_id for each in kept.alternatives] == ["minor_soul_urge.letter_total"]
    assert kept.karmic_debts == ()


def test_two_readings_of_a_maturity_number():
    number = maturity_readings(life_path(date(1992, 2, 2)), expression(mark_name(read_name("Ana Pop"))))
    wanted = number.number.value % 9 or 9
    assert number.reduced_reading == (wanted if number.number.is_master else None)


def test_pairs_of_several_people_have_points_only_when_asked():
    people = [read_person(name, BORN) for name in ("Ana Pop", "Ion Rusu", "Eva Luca")]
    assert all(each.score is None for _, _, each in compare_people(people, score=False))
    assert all(each.score is not None for _, _, each in compare_people(people))


def test_chaldean_sums_without_their_traces_are_those_with_them():
    assert chaldean_total(NAME) == chaldean_name(NAME).number.total == 7 + 9 + 23
    assert birth_root(date(1990, 1, 29)) == 2
    summed = chaldean_name(NAME, CompoundMethod.SUM_OF_ROOTS).number
    assert summed.inputs_used["compound_method"] == "sum_of_roots"
    assert "compound_method" not in chaldean_name(NAME).number.inputs_used


def test_counts_over_dates_name_the_rule_of_the_number():
    rules = {
        NumberOfDates(DateNumber.LIFE_PATH): ("life_path.grouped_masters", School.DECOZ),
        NumberOfDates(DateNumber.LIFE_PATH, LifePathMethod.STRAIGHT): ("life_path.straight", School.PYTHAGOREAN),
        NumberOfDates(DateNumber.BIRTHDAY): ("birthday.day", School.DECOZ),
        NumberOfDates(DateNumber.ATTITUDE): ("attitude.month_and_day", School.PYTHAGOREAN),
        NumberOfDates(DateNumber.PERSONAL_YEAR, personal_year_in=2031): ("personal_year.calendar", School.DECOZ),
    }
    for wanted, rule in rules.items():
        assert wanted.rule() == rule
        assert wanted.checked() == wanted
    superfluous = NumberOfDates(DateNumber.BIRTHDAY, LifePathMethod.STRAIGHT)
    assert superfluous.checked() == NumberOfDates(DateNumber.BIRTHDAY)
    for broken, words in (
        (NumberOfDates(DateNumber.BIRTHDAY, personal_year_in=2031), "is for the personal year"),
        (NumberOfDates(DateNumber.PERSONAL_YEAR), "is needed for the personal year"),
    ):
        with pytest.raises(InvalidArgumentError) as caught:
            broken.checked()
        assert [each.description for each in caught.value.violations] == [words]


def test_parts_and_notices_of_a_kua_number():
    """1990-02-04 stands at the turn; 1900-01-31 is the first day of the first lunar year of the table."""
    found = kua(date(1990, 2, 4), KuaFormula.MALE).number
    assert [(part.label, part.text, part.value) for part in found.components] == [
        ("constant", "11", 11),
        ("year", "1990", -1),
    ]
    (notice,) = found.warnings
    assert notice.message.startswith("The solar year begins on 3, 4 or 5 February by astronomy;")
    (other,) = kua(date(1900, 1, 31), KuaFormula.MALE).number.alternatives
    assert (other.rule_id, other.value) == ("kua.lunar_year", 1)


def test_other_readings_of_y_are_summed_as_asked():
    """Yvonne Kay Guy where no Y is a vowel: 11, 1 and 3; the 11 stays, or becomes 2 where names are reduced plainly."""
    wanted = {
        SummingMethod.PER_NAME: (6, 15),
        SummingMethod.LETTER_TOTAL: (6, 15),
        SummingMethod.PER_NAME_PLAIN: (6, 6),
    }
    for method, (value, total) in wanted.items():
        options = NumerologyOptions(summing_method=method)
        found = soul_urge(mark_name(read_name("Yvonne Kay Guy"), options)).alternatives
        others = {each.rule_id: (each.value, each.total) for each in found}
        assert others[f"soul_urge.{method.value}.y_always_consonant"] == (value, total)
    (other,) = soul_urge(mark_name(read_name("Lynn"), NumerologyOptions())).alternatives
    assert (other.value, other.total) == (None, 0)


def test_planes_and_transits_name_the_master_numbers_that_were_set():
    """John Bob has letters on two planes of four."""
    options = NumerologyOptions(master_set=MasterSet.NONE)
    found = [each.number for each in planes(read_name("John Bob"), options=options).planes]
    assert [each.inputs_used for each in found] == [{"name": "John Bob", "master_numbers": "none"}] * 4
    assert [[notice.code for notice in each.warnings] for each in found] == [
        ["NO_LETTERS_ON_PLANE"],
        [],
        [],
        ["NO_LETTERS_ON_PLANE"],
    ]
    (year,) = transits(read_name("John Bob"), BORN, [20], options, explain=False).years
    assert year.essence.inputs_used["master_numbers"] == "none"


def test_parts_of_the_third_pinnacle_are_those_that_are_added():
    """2 September 1990: the first pinnacle stays 11 as a part of the third."""
    third = pinnacles(date(1990, 9, 2))[2].number
    assert [(part.text, part.value) for part in third.components] == [("11", 11), ("3", 3)]
    birth = chaldean_birth(13)
    assert birth.compound is not None
    assert (birth.compound.label, birth.compound.number) == ("day", 13)


def test_letters_of_planes_show_which_y_is_a_vowel():
    """By sound and place the Y of Lynn is a vowel and that of Yana is none."""
    for name, vowels in (("Lynn", [False, True, False, False]), ("Yana", [False, True, False, True])):
        parts = [part for each in planes(read_name(name)).planes for part in each.number.components]
        assert parts
        assert all([letter.vowel for letter in part.letters] == vowels for part in parts)


def test_the_other_table_of_a_business_reduces_by_its_own_masters():
    """EDB is 5 + 4 + 2 = 11 on both tables: a master number on one, 2 on the other."""
    for table, value, of_other in ((objects.LetterValues.PYTHAGOREAN, 11, 2), (objects.LetterValues.CHALDEAN, 2, 11)):
        found, _ = objects.business_name("EDB", table)
        (other,) = found.alternatives
        assert (found.value, other.value, other.total) == (value, of_other, 11)
    high, compound = objects.business_name("Zoo Foxx Uu Oo Uu", objects.LetterValues.CHALDEAN)
    assert high.total == 84
    assert compound is not None
    assert "NO_COMPOUND_ABOVE_52" in [each.code for each in high.warnings]


def test_a_person_is_read_with_all_options_and_notices():
    """1 January 1500: 1 + 1 + 1500 = 1502 by the straight sum."""
    options = NumerologyOptions(life_path_method=LifePathMethod.STRAIGHT)
    found = read_person("Dr Ana Pop", date(1500, 1, 1), options)
    assert found.numbers[Position.LIFE_PATH].total == 1502
    assert (found.name, found.born) == ("ANA POP", date(1500, 1, 1))
    assert len(found.warnings) == 2
    with pytest.raises(InvalidArgumentError) as caught:
        read_person("Ana 5", BORN, field="people[1].name")
    assert [each.field for each in caught.value.violations] == ["people[1].name"]


def test_each_pair_is_grouped_by_the_roots_of_both():
    people = [read_person(name, date(1990, 5, day)) for name, day in (("Ana Pop", 3), ("Ion Rusu", 11), ("Ema Z", 29))]
    for one in people:
        for other in people:
            for each in compare(one, other).relations:
                roots = (one.numbers[each.position].root, other.numbers[each.position].root)
                group = cheiro if each.position in {Position.BIRTH_NUMBER, Position.CHALDEAN_NAME} else concord
                assert (each.first_root, each.second_root) == roots
                assert each.grouping == group(*roots)
