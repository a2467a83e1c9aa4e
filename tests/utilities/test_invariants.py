"""What holds for every name and every date, whatever the school."""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.numerology.cycles import cycles
from onenumbers_utilities.numerology.life_path import life_path
from onenumbers_utilities.numerology.name_numbers import balance, expression, mark_name, personality, soul_urge
from onenumbers_utilities.numerology.name_parts import name_parts
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import (
    KarmicDebtScope,
    LetterPolicy,
    LifePathMethod,
    MasterSet,
    NumerologyOptions,
    PersonalYearSpan,
    SummingMethod,
    YRule,
)
from onenumbers_utilities.numerology.periods import challenges, period_ages, pinnacles
from onenumbers_utilities.numerology.primitives import root
from onenumbers_utilities.numerology.profile import profile
from onenumbers_utilities.numerology.results import DebtOrigin

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
    personal_year_span=st.sampled_from(PersonalYearSpan),
)


def digits(number):
    return sum(int(digit) for digit in str(number))


def reduced(number, masters=(11, 22, 33)):
    while number > 9 and number not in masters:
        number = digits(number)
    return number


def marked(name, options=None):
    options = options or NumerologyOptions()
    return mark_name(read_name(name, options.letter_policy), options)


@given(names, option_sets)
def test_vowels_and_consonants_add_up_to_the_expression(name, options):
    of_name = marked(name, options)
    total = expression(of_name)
    assert total.root == root(soul_urge(of_name).root + personality(of_name).root)


@given(names, option_sets)
def test_a_result_agrees_with_its_own_parts(name, options):
    of_name = marked(name, options)
    for number in (expression(of_name), soul_urge(of_name), personality(of_name), balance(of_name)):
        counting = [part for part in number.components if part.total]
        if number.value is None:
            assert counting == []
            continue
        single = len(counting) == 1 and options.summing_method is SummingMethod.PER_NAME
        assert number.total == (counting[0].total if single else sum(part.value for part in counting))
        assert number.chain[0] == number.total
        assert number.chain[-1] == number.value
        assert number.root == root(number.value)
        assert number.is_master == (number.value > 9)
        for part in number.components:
            assert (part.chain[0], part.chain[-1]) == (part.total, part.value)
            if part.letters:
                assert part.total == sum(each.value for each in part.letters if each.counted)


@given(names, option_sets)
def test_every_letter_is_a_vowel_or_a_consonant(name, options):
    of_name = marked(name, options)
    vowels = [each.counted for part in soul_urge(of_name).components for each in part.letters]
    consonants = [each.counted for part in personality(of_name).components for each in part.letters]
    assert [not counted for counted in vowels] == consonants


@given(names)
def test_summing_methods_share_one_root(name):
    for number in (expression, soul_urge, personality):
        roots = {number(marked(name, NumerologyOptions(summing_method=method))).root for method in SummingMethod}
        assert len(roots) == 1


@given(names)
def test_alternatives_are_what_the_other_methods_return(name):
    found = expression(marked(name))
    for method in SummingMethod:
        other = expression(marked(name, NumerologyOptions(summing_method=method)))
        listed = [each for each in found.alternatives if each.rule_id == other.rule_id]
        if other.value == found.value:
            assert listed == []
        else:
            assert [(each.value, each.total, each.school) for each in listed] == [
                (other.value, other.total, other.school)
            ]


@given(names, st.sampled_from(LetterPolicy))
def test_composed_and_decomposed_names_are_the_same(name, policy):
    composed = read_name(unicodedata.normalize("NFC", name), policy)
    assume(len(unicodedata.normalize("NFD", name)) <= 200)
    decomposed = read_name(unicodedata.normalize("NFD", name), policy)
    assert composed.parts == decomposed.parts


@given(names)
def test_case_never_matters_for_letters(name):
    # ß has no single capital, ı and I differ in Turkish; both are read the same way here.
    assert read_name(name.lower()).parts == read_name(name).parts


@given(names)
def test_names_are_letters_a_to_z(name):
    for part in read_name(name).parts:
        assert part
        assert part.isascii()
        assert part.isalpha()
        assert part.isupper()


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_field_and_rule(text):
    refused, parts = None, ()
    try:
        parts = read_name(text).parts
    except InvalidArgumentError as error:
        refused = error.violations[0]
    assert all(part.isascii() and part.isalpha() for part in parts)
    assert (refused is None) == bool(parts)
    if refused is not None:
        assert refused.field == "name"
        assert refused.rule.startswith("name.")


@given(names)
def test_counts_lessons_passions_and_subconscious_self_fit(name):
    read = read_name(name)
    parts = name_parts(read)
    assert sum(parts.counts) == sum(len(part) for part in read.parts)
    assert not set(parts.karmic_lessons) & set(parts.hidden_passions)
    assert parts.subconscious_self == 9 - len(parts.karmic_lessons)
    assert {parts.counts[value - 1] for value in parts.hidden_passions} == {max(parts.counts)}
    assert {parts.counts[value - 1] for value in parts.karmic_lessons} <= {0}


@given(births, option_sets)
def test_life_path_is_what_its_definition_says(born, options):
    masters = {
        None: (11, 22, 33),
        MasterSet.ELEVEN_TO_THIRTY_THREE: (11, 22, 33),
        MasterSet.ELEVEN_AND_TWENTY_TWO: (11, 22),
        MasterSet.NONE: (),
    }[options.master_set]
    month, day, year = born.month, born.day, born.year
    total = {
        LifePathMethod.GROUPED_MASTERS: reduced(month, masters)
        + reduced(day, masters)
        + reduced(digits(year), masters),
        LifePathMethod.GROUPED_PLAIN: reduced(month, ()) + reduced(day, ()) + reduced(year, ()),
        LifePathMethod.SUM_ALL_DIGITS: digits(f"{month}{day}{year}"),
        LifePathMethod.STRAIGHT: month + day + year,
        LifePathMethod.MONTH_DAY_YEAR_SUM: month + day + digits(year),
    }[options.life_path_method]
    found = life_path(born, options)
    assert (found.total, found.value) == (total, reduced(total, masters))
    assert sum(part.value for part in found.components) == total


@given(births, names, option_sets)
def test_debts_are_in_the_chain_that_they_are_reported_for(born, name, options):
    found = profile(name, born, options)
    for position in ("life_path", "expression", "soul_urge", "personality", "birthday"):
        number = getattr(found, position)
        for debt in number.karmic_debts:
            assert debt.number in (13, 14, 16, 19)
            assert debt.position == position
            if debt.origin is DebtOrigin.DIRECT:
                assert number.chain[0] == debt.number
                assert len(number.chain) > 1
            elif debt.origin is DebtOrigin.INTERMEDIATE:
                assert debt.number in number.chain[1:-1]
            else:
                assert options.karmic_debt_scope is KarmicDebtScope.COMPONENTS
        if options.karmic_debt_scope is not KarmicDebtScope.DIRECT and position != "birthday":
            expected = [each for each in number.chain[:-1] if each in (13, 14, 16, 19)]
            assert [d.number for d in number.karmic_debts if d.origin is not DebtOrigin.COMPONENT] == expected


@given(births)
def test_pinnacles_are_what_their_definition_says(born):
    month, day, year = reduced(born.month), reduced(born.day), reduced(digits(born.year))
    first, second = reduced(month + day), reduced(day + year)
    assert [period.number.value for period in pinnacles(born)] == [
        first,
        second,
        reduced(first + second),
        reduced(month + year),
    ]


@given(births)
def test_challenges_are_what_their_definition_says(born):
    month, day, year = reduced(born.month, ()), reduced(born.day, ()), reduced(born.year, ())
    found = [period.number.value for period in challenges(born)]
    assert found == [
        abs(month - day),
        abs(day - year),
        abs(abs(month - day) - abs(day - year)),
        abs(month - year),
    ]
    assert all(0 <= value <= 8 for value in found)


@given(births)
def test_period_ages_follow_each_other_from_birth(born):
    ages = period_ages(born)
    assert ages[0][0] == 0
    assert ages[0][1] == 36 - life_path(born).root
    assert [start for start, _ in ages[1:]] == [end + 1 for _, end in ages[:-1]]
    assert ages[3][1] is None


@given(st.dates(min_value=date(1800, 1, 1), max_value=date(2100, 12, 31)))
def test_the_first_pinnacle_ends_in_a_personal_year_9(born):
    year = born.year + period_ages(born)[0][1]
    assert cycles(born, date(year, 12, 31)).personal_year.value == 9
    assert cycles(born, date(year + 1, 12, 31)).personal_year.value == 1


@given(births, st.integers(min_value=0, max_value=5000))
def test_exactly_one_pinnacle_is_in_force(born, days):
    as_of = born + timedelta(days=days % 3000)
    found = profile("Ana Pop", born, as_of=as_of)
    assert sum(period.current for period in found.pinnacles) == 1


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2000, 12, 31)), st.integers(2001, 2090))
def test_personal_years_run_from_1_to_9_and_again(born, year):
    value = cycles(born, date(year, 6, 1)).personal_year.value
    after = cycles(born, date(year + 1, 6, 1)).personal_year.value
    assert after == value % 9 + 1


@given(births, names, option_sets, st.integers(min_value=0, max_value=3000))
def test_explain_changes_nothing_but_the_trace(born, name, options, days):
    as_of = born + timedelta(days=days)
    full = profile(name, born, options, as_of=as_of)
    short = profile(name, born, options, as_of=as_of, explain=False)
    assert (full.parts, full.karmic_debts, full.master_numbers) == (
        short.parts,
        short.karmic_debts,
        short.master_numbers,
    )
    for position in ("life_path", "expression", "soul_urge", "personality", "birthday", "maturity", "balance"):
        left, right = getattr(full, position), getattr(short, position)
        assert (left.value, left.chain, left.warnings, left.inputs_used) == (
            right.value,
            right.chain,
            right.warnings,
            right.inputs_used,
        )
        assert (right.components, right.alternatives) == ((), ())


def test_all_life_path_methods_share_one_root_on_every_date_from_1900_to_2099():
    choices = [NumerologyOptions(life_path_method=method) for method in LifePathMethod]
    day, last = date(1900, 1, 1), date(2099, 12, 31)
    while day <= last:
        roots = {life_path(day, options, explain=False).root for options in choices}
        assert roots == {root(day.year + day.month + day.day)}, day
        day += timedelta(days=1)


def test_three_methods_disagree_on_21_9_percent_of_dates_from_1920_to_2019():
    choices = [
        NumerologyOptions(life_path_method=method)
        for method in (LifePathMethod.GROUPED_MASTERS, LifePathMethod.STRAIGHT, LifePathMethod.SUM_ALL_DIGITS)
    ]
    day, last = date(1920, 1, 1), date(2019, 12, 31)
    dates = differing = 0
    while day <= last:
        dates += 1
        differing += len({life_path(day, options, explain=False).value for options in choices}) > 1
        day += timedelta(days=1)
    assert dates == 36_525
    assert 100 * differing / dates == pytest.approx(21.9, abs=0.05)
