"""Worked examples of the specification: names, dates, periods, cycles."""

from __future__ import annotations

from datetime import date

import pytest

from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.numerology.cycles import cycles
from onenumbers_utilities.numerology.dates import age_on, read_date
from onenumbers_utilities.numerology.life_path import birthday, life_path
from onenumbers_utilities.numerology.name_numbers import (
    balance,
    destiny,
    expression,
    mark_name,
    personality,
    soul_urge,
)
from onenumbers_utilities.numerology.name_parts import name_parts
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import (
    ChallengeAges,
    KarmicDebtScope,
    LetterPolicy,
    LifePathMethod,
    MasterSet,
    NumerologyOptions,
    PersonalYearSpan,
    School,
    SummingMethod,
    YOverride,
    YRule,
)
from onenumbers_utilities.numerology.periods import challenges, period_ages, pinnacles
from onenumbers_utilities.numerology.profile import profile
from onenumbers_utilities.numerology.results import DebtOrigin, KarmicDebt
from onenumbers_utilities.numerology.tables import CHALDEAN, PYTHAGOREAN

IOANA = "Ioana Brândușa Țurcanu"
AUTUMN_1974 = date(1974, 9, 29)


def marked(name, **options):
    chosen = NumerologyOptions(**options)
    return mark_name(read_name(name, chosen.letter_policy), chosen)


def vowels_of(name, **options):
    return "".join(
        letter.letter
        for component in soul_urge(marked(name, **options)).components
        for letter in component.letters
        if letter.vowel
    )


# --- tables ---------------------------------------------------------------------------------------------------------


def test_the_pythagorean_table_numbers_the_alphabet_and_reduces():
    assert [PYTHAGOREAN.values[chr(65 + place)] for place in range(26)] == [place % 9 + 1 for place in range(26)]


def test_the_chaldean_table_has_no_nine_and_its_totals_for_the_example():
    assert 9 not in CHALDEAN.values.values()
    totals = [sum(CHALDEAN.values[letter] for letter in part) for part in read_name(IOANA).parts]
    assert totals == [15, 24, 27]
    assert sum(totals) == 66


# --- names ----------------------------------------------------------------------------------------------------------


def test_expression_of_the_example_is_22_and_8_and_8():
    found = expression(marked(IOANA))
    assert [(part.text, part.value) for part in found.components] == [("IOANA", 22), ("BRANDUSA", 8), ("TURCANU", 8)]
    assert (found.total, found.chain, found.value, found.root, found.is_master) == (38, (38, 11), 11, 2, True)
    assert (found.rule_id, found.school) == ("expression.per_name", School.DECOZ)
    assert found.inputs_used == {"name": IOANA}


def test_soul_urge_of_the_example_is_2_per_name_and_11_by_letter_total():
    found = soul_urge(marked(IOANA))
    assert [part.total for part in found.components] == [17, 5, 7]
    assert [part.value for part in found.components] == [8, 5, 7]
    assert (found.total, found.value) == (20, 2)
    assert [(other.rule_id, other.value, other.total) for other in found.alternatives] == [
        ("soul_urge.letter_total", 11, 29)
    ]
    assert soul_urge(marked(IOANA, summing_method=SummingMethod.LETTER_TOTAL)).value == 11


def test_per_name_plain_reduces_names_to_one_digit_and_keeps_the_final_master():
    found = expression(marked(IOANA, summing_method=SummingMethod.PER_NAME_PLAIN))
    assert [part.value for part in found.components] == [4, 8, 8]
    assert (found.total, found.value, found.school) == (20, 2, School.MCCLAIN)


def test_letters_carry_value_vowel_and_whether_they_count():
    letters = personality(marked("Ana")).components[0].letters
    assert [(each.letter, each.value, each.vowel, each.counted) for each in letters] == [
        ("A", 1, True, False),
        ("N", 5, False, True),
        ("A", 1, True, False),
    ]


def test_balance_of_the_example_is_13_and_4():
    found = balance(marked(IOANA))
    assert [(part.text, part.value) for part in found.components] == [("I", 9), ("B", 2), ("T", 2)]
    assert (found.total, found.chain, found.value) == (13, (13, 4), 4)


def test_balance_ignores_masters():
    assert balance(marked("Iacob Barbu")).chain == (11, 2)


def test_parts_of_the_example():
    parts = name_parts(read_name(IOANA))
    assert parts.karmic_lessons == (7, 8)
    assert parts.hidden_passions == (1,)
    assert parts.subconscious_self == 7
    assert sum(parts.counts) == 20


def test_the_chaldean_table_is_refused_for_counts():
    with pytest.raises(InvalidArgumentError) as caught:
        name_parts(read_name(IOANA), CHALDEAN)
    assert caught.value.violations[0].rule == "inclusion.table"


def test_destiny_is_expression_and_says_so():
    of_destiny, of_expression = destiny(marked(IOANA)), expression(marked(IOANA))
    assert of_destiny.value == of_expression.value
    assert of_destiny.rule_id == "expression.per_name"
    assert [notice.code for notice in of_destiny.warnings] == ["SAME_AS_EXPRESSION"]


def test_a_single_name_shows_its_letters_as_the_sum_before_the_last_reduction():
    found = expression(marked("Daniel"))  # 4+1+5+9+5+3 = 27
    assert (found.total, found.chain) == (27, (27, 9))


@pytest.mark.parametrize(
    ("name", "policy", "letters"),
    [
        ("Ștefan Țepeș", LetterPolicy.DIRECT, "STEFAN TEPES"),
        ("Şerban Ţiţeica", LetterPolicy.DIRECT, "SERBAN TITEICA"),
        ("Ăâî ȘȚ", LetterPolicy.DIRECT, "AAI ST"),
        ("Jürgen Groß", LetterPolicy.DIRECT, "JURGEN GROSS"),
        ("Jürgen Groß", LetterPolicy.DE_EXPANDED, "JUERGEN GROSS"),
        ("Ju\u0308rgen", LetterPolicy.DE_EXPANDED, "JUERGEN"),
        ("Björn Ærø Œuvre", LetterPolicy.DIRECT, "BJORN AERO OEUVRE"),
        ("Łukasz Đorđe Guðrún Þór", LetterPolicy.DIRECT, "LUKASZ DORDE GUDRUN THOR"),
        ("Işıl İnönü", LetterPolicy.DIRECT, "ISIL INONU"),
        ("Anne-Marie O'Brien", LetterPolicy.DIRECT, "ANNEMARIE OBRIEN"),
        ("D’Angelo Jean\u2011Luc", LetterPolicy.DIRECT, "DANGELO JEANLUC"),
        ("Nguyễn Thị Mỹ", LetterPolicy.DIRECT, "NGUYEN THI MY"),
        ("J.R.R. Tolkien", LetterPolicy.DIRECT, "J R R TOLKIEN"),
        ("  Ana\u00a0 Pop ", LetterPolicy.DIRECT, "ANA POP"),
        ("Dr. Ana Pop", LetterPolicy.DIRECT, "ANA POP"),
        ("Prof. dr. Ana Pop", LetterPolicy.DIRECT, "ANA POP"),
        ("Martin Luther King, Jr.", LetterPolicy.DIRECT, "MARTIN LUTHER KING"),
        ("Henry Ford III", LetterPolicy.DIRECT, "HENRY FORD"),
        ("Hirobumi Ii", LetterPolicy.DIRECT, "HIROBUMI II"),
        ("Jr", LetterPolicy.DIRECT, "JR"),
        ("Ǿ", LetterPolicy.DIRECT, "O"),
    ],
)
def test_names_become_letters(name, policy, letters):
    assert read_name(name, policy).text == letters


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("Dr. Ana Pop", ["TITLE_LEFT_OUT"]),
        ("Henry Ford III", ["SUFFIX_LEFT_OUT"]),
        ("Mr Henry Ford Jr", ["TITLE_LEFT_OUT", "SUFFIX_LEFT_OUT"]),
        ("Ana Pop", []),
    ],
)
def test_what_was_left_out_is_said(name, codes):
    assert [notice.code for notice in expression(marked(name)).warnings] == codes


# --- Y --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "vowels"),
    [
        ("Lynn", "Y"),
        ("Sylvia", "YIA"),
        ("Mary", "AY"),
        ("Yvonne", "YOE"),
        ("Bryan", "YA"),
        ("Byron", "YO"),
        ("Yolanda", "OAA"),
        ("Maya", "AA"),
        ("Kay", "A"),
        ("Joyce", "OE"),
        ("Murray", "UA"),
        ("Y", "Y"),
        ("Ana Yasmin", "AAAI"),
    ],
)
def test_the_orthographic_rule_of_y(name, vowels):
    assert vowels_of(name) == vowels


def test_modes_of_y():
    assert vowels_of("Maya Lynn", y_rule=YRule.ALWAYS_VOWEL) == "AYAY"
    assert vowels_of("Maya Lynn", y_rule=YRule.ALWAYS_CONSONANT) == "AA"


def test_an_override_decides_one_y_and_is_listed_as_input():
    overrides = (YOverride(position=3, vowel=True),)
    assert vowels_of("Maya Lynn", y_overrides=overrides) == "AYAY"
    assert soul_urge(marked("Maya Lynn", y_overrides=overrides)).inputs_used["y_overrides"] == "3 vowel"
    assert "y_overrides" not in expression(marked("Maya Lynn", y_overrides=overrides)).inputs_used


@pytest.mark.parametrize(
    ("overrides", "field", "rule"),
    [
        ((YOverride(1, vowel=True),), "y_overrides[0].position", "y_override.is_y"),
        ((YOverride(3, vowel=True), YOverride(99, vowel=True)), "y_overrides[1].position", "y_override.within_name"),
        ((YOverride(0, vowel=True),), "y_overrides[0].position", "y_override.within_name"),
        ((YOverride(3, vowel=True), YOverride(3, vowel=False)), "y_overrides[1].position", "y_override.unique"),
    ],
)
def test_an_override_that_does_not_fit_is_an_error(overrides, field, rule):
    with pytest.raises(InvalidArgumentError) as caught:
        marked("Maya", y_overrides=overrides)
    assert (caught.value.violations[0].field, caught.value.violations[0].rule) == (field, rule)


def test_modes_of_y_that_disagree_are_both_returned_with_a_warning():
    found = soul_urge(marked("Maya"))  # A+A = 2; with Y = 9
    assert found.value == 2
    assert [notice.code for notice in found.warnings] == ["Y_MODES_DISAGREE"]
    assert [(other.rule_id, other.value) for other in found.alternatives] == [("soul_urge.per_name.y_always_vowel", 9)]


def test_names_without_y_have_no_such_warning():
    assert soul_urge(marked("Ana")).warnings == ()


def test_a_name_without_vowels_has_no_soul_urge():
    found = soul_urge(marked("Ng"))
    assert (found.value, found.root, found.total, found.chain) == (None, 0, 0, ())
    assert [notice.code for notice in found.warnings] == ["NO_VOWELS"]
    assert personality(marked("Ng")).value == 3


def test_a_name_without_consonants_has_no_personality():
    found = personality(marked("Aia"))
    assert found.value is None
    assert [notice.code for notice in found.warnings] == ["NO_CONSONANTS"]


# --- dates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("born", "method", "total", "value"),
    [
        (date(1968, 11, 14), LifePathMethod.GROUPED_MASTERS, 22, 22),
        (date(1968, 11, 14), LifePathMethod.SUM_ALL_DIGITS, 31, 4),
        (date(1968, 11, 14), LifePathMethod.STRAIGHT, 1993, 22),
        (date(1968, 11, 14), LifePathMethod.MONTH_DAY_YEAR_SUM, 49, 4),
        (date(1968, 11, 14), LifePathMethod.GROUPED_PLAIN, 13, 4),
        (date(1947, 6, 29), LifePathMethod.GROUPED_MASTERS, 20, 2),
        (date(1947, 6, 29), LifePathMethod.SUM_ALL_DIGITS, 38, 11),
        (date(1990, 5, 15), LifePathMethod.GROUPED_MASTERS, 12, 3),
    ],
)
def test_life_path_methods(born, method, total, value):
    found = life_path(born, NumerologyOptions(life_path_method=method))
    assert (found.total, found.value) == (total, value)
    assert found.rule_id == f"life_path.{method.value}"


def test_life_path_shows_its_parts_and_the_methods_that_differ():
    found = life_path(date(1968, 11, 14))
    assert [(part.label, part.text, part.total, part.value, part.chain) for part in found.components] == [
        ("month", "11", 11, 11, (11,)),
        ("day", "14", 14, 5, (14, 5)),
        ("year", "1968", 24, 6, (24, 6)),
    ]
    assert {other.rule_id: other.value for other in found.alternatives} == {
        "life_path.sum_all_digits": 4,
        "life_path.month_day_year_sum": 4,
        "life_path.grouped_plain": 4,
    }
    assert found.inputs_used == {"day": "14", "month": "11", "year": "1968"}


def test_a_smaller_master_set_is_obeyed_and_named():
    options = NumerologyOptions(master_set=MasterSet.NONE)
    found = life_path(date(1968, 11, 14), options)
    assert (found.value, found.is_master, found.inputs_used["master_numbers"]) == (4, False, "none")


@pytest.mark.parametrize(("day", "value", "master"), [(29, 11, True), (22, 22, True), (28, 1, False), (9, 9, False)])
def test_birthday_reduces_the_day_and_keeps_masters(day, value, master):
    found = birthday(date(1990, 5, day))
    assert (found.value, found.is_master, found.total) == (value, master, day)


# --- karmic debts ---------------------------------------------------------------------------------------------------


def test_a_debt_that_is_the_total_is_direct():
    assert life_path(date(1985, 4, 4)).karmic_debts == (KarmicDebt(13, DebtOrigin.DIRECT, "life_path"),)


def test_a_debt_later_in_the_chain_is_intermediate():
    options = NumerologyOptions(life_path_method=LifePathMethod.STRAIGHT)
    assert life_path(date(1999, 12, 18), options).chain == (2029, 13, 4)
    assert life_path(date(1999, 12, 18), options).karmic_debts == (
        KarmicDebt(13, DebtOrigin.INTERMEDIATE, "life_path"),
    )
    direct = NumerologyOptions(life_path_method=LifePathMethod.STRAIGHT, karmic_debt_scope=KarmicDebtScope.DIRECT)
    assert life_path(date(1999, 12, 18), direct).karmic_debts == ()


def test_a_debt_of_a_part_counts_only_when_asked_for():
    born = date(1990, 5, 15)  # 1990 sums to 19
    assert life_path(born).karmic_debts == ()
    options = NumerologyOptions(karmic_debt_scope=KarmicDebtScope.COMPONENTS)
    assert life_path(born, options).karmic_debts == (KarmicDebt(19, DebtOrigin.COMPONENT, "life_path", "year"),)


@pytest.mark.parametrize("day", [13, 14, 16, 19])
def test_a_debt_of_the_birthday_is_the_day_itself(day):
    assert birthday(date(1990, 5, day)).karmic_debts == (KarmicDebt(day, DebtOrigin.DIRECT, "birthday"),)


def test_a_single_name_has_the_debt_of_its_letters():
    found = expression(marked("Iba Ja"))
    assert (found.total, found.karmic_debts) == (5, ())
    found = expression(marked("Ibab"))  # 9+2+1+2 = 14
    assert found.karmic_debts == (KarmicDebt(14, DebtOrigin.DIRECT, "expression"),)


# --- periods and cycles ---------------------------------------------------------------------------------------------


def test_pinnacles_of_the_example():
    found = pinnacles(AUTUMN_1974)
    assert [period.number.value for period in found] == [2, 5, 7, 3]
    assert [(part.text, part.value) for part in found[0].number.components] == [("9", 9), ("29", 11)]
    assert [(period.start_age, period.end_age) for period in found] == [(0, 31), (32, 40), (41, 49), (50, None)]


def test_challenges_of_the_example_have_the_third_as_main_and_no_ages():
    found = challenges(AUTUMN_1974)
    assert [period.number.value for period in found] == [7, 1, 6, 6]
    assert [period.main for period in found] == [False, False, True, False]
    assert {(period.start_age, period.end_age, period.current) for period in found} == {(None, None, False)}


def test_challenges_borrow_the_ages_of_pinnacles_only_when_asked():
    found = challenges(AUTUMN_1974, NumerologyOptions(challenge_ages=ChallengeAges.PINNACLE_AGES), age=45)
    assert [(period.start_age, period.end_age) for period in found] == list(period_ages(AUTUMN_1974))
    assert [period.current for period in found] == [False, False, True, False]
    assert found[0].number.rule_id == "challenge.differences.pinnacle_ages"


def test_other_pinnacle_rules_are_named_where_they_differ():
    alternatives = pinnacles(date(1974, 11, 11))[0].number.alternatives
    assert {(other.rule_id, other.value) for other in alternatives} == {("pinnacle.component_roots", 4)}


def test_a_master_life_path_ends_the_first_pinnacle_at_36_less_its_root():
    assert life_path(date(1968, 11, 14)).value == 22
    assert period_ages(date(1968, 11, 14))[0] == (0, 32)


@pytest.mark.parametrize(
    ("as_of", "age", "ordinal"),
    [(date(2006, 9, 28), 31, 1), (date(2006, 9, 29), 32, 2), (date(1974, 9, 29), 0, 1), (date(2031, 6, 17), 56, 4)],
)
def test_the_pinnacle_in_force_changes_on_the_birthday(as_of, age, ordinal):
    found = profile(IOANA, AUTUMN_1974, as_of=as_of)
    assert found.cycles is not None
    assert found.cycles.age == age
    assert [period.ordinal for period in found.pinnacles if period.current] == [ordinal]


def test_personal_cycles_of_the_example():
    found = cycles(AUTUMN_1974, date(2031, 6, 17))
    assert (found.personal_year.value, found.personal_month.value, found.personal_day.value) == (8, 5, 4)
    assert (found.universal_year.value, found.universal_month.value, found.universal_day.value) == (6, 3, 2)
    assert found.personal_day.is_master is False  # its total is 22


def test_the_birthday_span_uses_the_year_of_the_last_birthday():
    options = NumerologyOptions(personal_year_span=PersonalYearSpan.BIRTHDAY)
    before, on = date(2031, 9, 28), date(2031, 9, 29)
    assert cycles(AUTUMN_1974, before, options).personal_year.value == 7
    assert cycles(AUTUMN_1974, on, options).personal_year.value == 8
    assert cycles(AUTUMN_1974, on, options).personal_year.rule_id == "personal_year.birthday"
    assert cycles(AUTUMN_1974, before, options).universal_year.value == 6


def test_cycles_keep_masters_only_when_asked():
    options = NumerologyOptions(master_set=MasterSet.ELEVEN_AND_TWENTY_TWO)
    assert cycles(AUTUMN_1974, date(2031, 6, 17), options).personal_day.value == 22


def test_who_was_born_on_29_february_completes_a_year_on_1_march():
    born = date(2000, 2, 29)
    assert age_on(born, date(2001, 2, 28)) == 0
    assert age_on(born, date(2001, 3, 1)) == 1
    assert age_on(born, date(2004, 2, 29)) == 4


# --- profile --------------------------------------------------------------------------------------------------------


def test_the_profile_joins_the_numbers():
    found = profile(IOANA, AUTUMN_1974, as_of=date(2031, 6, 17))
    assert found.name == "IOANA BRANDUSA TURCANU"
    values = (found.life_path, found.expression, found.soul_urge, found.personality, found.birthday, found.maturity)
    assert [number.value for number in values] == [5, 11, 2, 9, 11, 7]
    assert [(part.label, part.value) for part in found.maturity.components] == [("life_path", 5), ("expression", 11)]
    assert [(each.position, each.number) for each in found.master_numbers] == [("expression", 11), ("birthday", 11)]


def test_without_a_date_there_are_no_cycles_and_no_current_period():
    found = profile(IOANA, AUTUMN_1974)
    assert found.cycles is None
    assert not any(period.current for period in found.pinnacles)


def test_periods_can_be_left_out():
    found = profile(IOANA, AUTUMN_1974, include_pinnacles=False, include_challenges=False)
    assert (found.pinnacles, found.challenges) == ((), ())


def test_dates_before_the_gregorian_calendar_carry_a_notice():
    found = profile("Ștefan Mușat", read_date(15, 3, 1433))
    assert [notice.code for notice in found.warnings] == ["BEFORE_GREGORIAN_CALENDAR"]
