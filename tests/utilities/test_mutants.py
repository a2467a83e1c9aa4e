"""Whole results and exact limits: what a mutation test found that no other suite would have noticed.

Each expected record is worked out by hand from the rule that it names. docs/mutation.md says how the test is run.
"""

from __future__ import annotations

from datetime import date

import pytest

from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.numerology.cycles import cycles
from onenumbers_utilities.numerology.dates import age_on, read_date, require_born_by
from onenumbers_utilities.numerology.life_path import birthday, life_path
from onenumbers_utilities.numerology.maturity import maturity
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
    LifePathMethod,
    MasterSet,
    NumerologyOptions,
    PersonalYearSpan,
    PinnacleRule,
    School,
    SummingMethod,
    YOverride,
    YRule,
)
from onenumbers_utilities.numerology.periods import challenges, pinnacles
from onenumbers_utilities.numerology.results import (
    Alternative,
    Component,
    Cycles,
    DebtOrigin,
    KarmicDebt,
    LetterValue,
    LifePeriod,
    Notice,
    NumberResult,
)
from onenumbers_utilities.numerology.tables import CHALDEAN

BORN = date(1968, 11, 14)
BORN_INPUTS = {"day": "14", "month": "11", "year": "1968"}
MONTH = Component("month", "11", 11, 11, (11,))
DAY = Component("day", "14", 14, 5, (14, 5))
YEAR = Component("year", "1968", 24, 6, (24, 6))
OVERRIDDEN = NumerologyOptions(
    master_set=MasterSet.NONE,
    y_rule=YRule.ALWAYS_VOWEL,
    y_overrides=(YOverride(position=2, vowel=True), YOverride(position=8, vowel=False)),
)


def number(chain, rule_id, school, inputs, components=(), **others):
    """A number as its chain tells it: the first value is the total, the last one the number."""
    value = chain[-1]
    root = value if value < 10 else value % 9
    return NumberResult(
        value, root, value > 9, chain[0], chain, rule_id, school, inputs, components=components, **others
    )


def violation_of(call, *arguments, **options):
    """The one violation of a refused call: field, rule and sentence."""
    with pytest.raises(InvalidArgumentError) as caught:
        call(*arguments, **options)
    (violation,) = caught.value.violations
    return violation.field, violation.rule, violation.description


# --- dates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("born", [date(1, 1, 1), date(9999, 12, 31), date(2024, 2, 29)])
def test_the_first_and_the_last_day_of_the_calendar_are_read(born):
    assert read_date(born.day, born.month, born.year) == born


@pytest.mark.parametrize(
    ("day", "month", "year", "expected"),
    [
        (1, 1, 0, ("as_of.year", "date.year", "must be within 1-9999, not 0")),
        (1, 1, 10_000, ("as_of.year", "date.year", "must be within 1-9999, not 10000")),
        (1, 13, 2000, ("as_of.month", "date.month", "must be within 1-12, not 13")),
        (1, 0, 2000, ("as_of.month", "date.month", "must be within 1-12, not 0")),
        (0, 1, 2000, ("as_of.day", "date.day", "must be within 1-31, not 0")),
        (32, 1, 2000, ("as_of.day", "date.day", "must be within 1-31, not 32")),
        (29, 2, 1900, ("as_of.day", "date.exists", "must be within 1-28: February 1900 has no day 29")),
        (31, 4, 2000, ("as_of.day", "date.exists", "must be within 1-30: April has no day 31")),
        (31, 11, 2000, ("as_of.day", "date.exists", "must be within 1-30: November has no day 31")),
    ],
)
def test_a_date_that_does_not_exist_is_refused_in_these_words(day, month, year, expected):
    assert violation_of(read_date, day, month, year, prefix="as_of.") == expected


@pytest.mark.parametrize(
    ("born", "field"), [(date(2001, 1, 1), "year"), (date(2000, 6, 1), "month"), (date(2000, 5, 16), "day")]
)
def test_a_birth_in_the_future_is_refused_at_the_first_part_that_lies_there(born, field):
    words = f"the birth date {born} lies in the future"
    assert violation_of(require_born_by, born, date(2000, 5, 15)) == (field, "date.not_in_future", words)


def test_an_age_before_the_birth_is_refused_in_these_words():
    words = "1999-12-31 lies before the birth date 2000-01-01"
    assert violation_of(age_on, date(2000, 1, 1), date(1999, 12, 31)) == ("as_of", "as_of.after_birth", words)


# --- the numbers of a date ------------------------------------------------------------------------------------------


def test_a_life_path_before_the_gregorian_calendar_says_all_that_it_used():
    """14 October 1582, the day before it: 1 + 5 + 7 = 13, a debt, and so are the day 14 and the year's sum 16."""
    options = NumerologyOptions(
        master_set=MasterSet.ELEVEN_AND_TWENTY_TWO, karmic_debt_scope=KarmicDebtScope.COMPONENTS
    )
    words = (
        "1582-10-14 was read as a date of the Gregorian calendar, which began on 1582-10-15; "
        "a date of the Julian calendar has to be converted first."
    )
    assert life_path(date(1582, 10, 14), options) == number(
        (13, 4),
        "life_path.grouped_masters",
        School.DECOZ,
        {"day": "14", "month": "10", "year": "1582", "master_numbers": "11,22"},
        (
            Component("month", "10", 10, 1, (10, 1)),
            Component("day", "14", 14, 5, (14, 5)),
            Component("year", "1582", 16, 7, (16, 7)),
        ),
        warnings=(Notice("BEFORE_GREGORIAN_CALENDAR", words),),
        alternatives=(Alternative("life_path.sum_all_digits", School.PYTHAGOREAN, 22, 22),),
        karmic_debts=(
            KarmicDebt(13, DebtOrigin.DIRECT, "life_path"),
            KarmicDebt(14, DebtOrigin.COMPONENT, "life_path", "day"),
            KarmicDebt(16, DebtOrigin.COMPONENT, "life_path", "year"),
        ),
    )
    assert life_path(date(1582, 10, 15)).warnings == ()


def test_a_master_life_path_lists_the_methods_that_give_another_number():
    """11 + 5 + 6 = 22; the digits give 31, day, month and sum of the year 49, the parts without masters 13."""
    assert life_path(BORN) == number(
        (22,),
        "life_path.grouped_masters",
        School.DECOZ,
        BORN_INPUTS,
        (MONTH, DAY, YEAR),
        alternatives=(
            Alternative("life_path.sum_all_digits", School.PYTHAGOREAN, 4, 31),
            Alternative("life_path.month_day_year_sum", School.JAVANE_BUNKER, 4, 49),
            Alternative("life_path.grouped_plain", School.PYTHAGOREAN, 4, 13),
        ),
    )


def test_the_debts_of_parts_are_found_where_the_number_itself_is_not_reduced():
    """1 + 4 + 1 = 6 is no sum that was reduced, yet the day 13 in it is a debt."""
    options = NumerologyOptions(karmic_debt_scope=KarmicDebtScope.COMPONENTS)
    found = life_path(date(1900, 1, 13), options)
    assert (found.chain, found.karmic_debts) == (
        (6,),
        (KarmicDebt(13, DebtOrigin.COMPONENT, "life_path", "day"),),
    )


@pytest.mark.parametrize(("day", "chain"), [(29, (29, 11)), (22, (22,)), (16, (16, 7)), (9, (9,)), (10, (10, 1))])
def test_a_birthday_is_the_day_with_its_chain(day, chain):
    debts = (KarmicDebt(16, DebtOrigin.DIRECT, "birthday"),) if day == 16 else ()
    part = Component("day", str(day), day, day, (day,))
    expected = number(chain, "birthday.day", School.DECOZ, {"day": str(day)}, (part,), karmic_debts=debts)
    assert birthday(date(1968, 11, day)) == expected


def test_a_birthday_names_the_master_numbers_that_were_set():
    """Without masters the day 29 is 11 and goes on to 2."""
    found = birthday(date(1968, 11, 29), NumerologyOptions(master_set=MasterSet.NONE))
    assert (found.chain, found.inputs_used) == ((29, 11, 2), {"day": "29", "master_numbers": "none"})


def test_pinnacles_are_whole_records():
    """Life path root 4: the first ends at 32. 11 + 5 = 16, 5 + 6 = 11, 7 + 11 = 18, 11 + 6 = 17."""
    rule, written = "pinnacle.component_masters", School.DECOZ
    earlier = (Component("pinnacle_1", "7", 7, 7, (7,)), Component("pinnacle_2", "11", 11, 11, (11,)))
    whole = (Alternative("pinnacle.full_numbers", School.PYTHAGOREAN, 2, 1982),)
    assert pinnacles(BORN, age=33) == (
        LifePeriod(1, number((16, 7), rule, written, BORN_INPUTS, (MONTH, DAY)), 0, 32),
        LifePeriod(2, number((11,), rule, written, BORN_INPUTS, (DAY, YEAR), alternatives=whole), 33, 41, current=True),
        LifePeriod(3, number((18, 9), rule, written, BORN_INPUTS, earlier), 42, 50),
        LifePeriod(4, number((17, 8), rule, written, BORN_INPUTS, (MONTH, YEAR)), 51, None),
    )


@pytest.mark.parametrize(("age", "ordinal"), [(0, 1), (32, 1), (33, 2), (41, 2), (42, 3), (50, 3), (51, 4), (99, 4)])
def test_one_period_is_in_force_at_each_age_and_its_last_year_belongs_to_it(age, ordinal):
    borrowed = NumerologyOptions(challenge_ages=ChallengeAges.PINNACLE_AGES)
    for periods in (pinnacles(BORN, age=age), challenges(BORN, borrowed, age=age)):
        assert [each.ordinal for each in periods if each.current] == [ordinal]


def test_without_an_age_or_ages_no_period_is_in_force():
    assert not any(each.current for each in (*pinnacles(BORN), *challenges(BORN, age=40)))
    borrowed = NumerologyOptions(challenge_ages=ChallengeAges.PINNACLE_AGES)
    assert not any(each.current for each in challenges(BORN, borrowed))


@pytest.mark.parametrize("borrowed", [False, True])
def test_challenges_are_whole_records(borrowed):
    """Without masters 2, 5 and 6: differences 3, 1, 3 - 1 = 2, and 4."""
    rule = "challenge.differences.pinnacle_ages" if borrowed else "challenge.differences"
    school = School.PYTHAGOREAN if borrowed else School.DECOZ
    ages = [(0, 32), (33, 41), (42, 50), (51, None)] if borrowed else [(None, None)] * 4
    month = Component("month", "11", 11, 2, (11, 2))
    earlier = (Component("challenge_1", "3", 3, 3, (3,)), Component("challenge_2", "1", 1, 1, (1,)))
    parts = ((month, DAY), (DAY, YEAR), earlier, (month, YEAR))
    options = NumerologyOptions(challenge_ages=ChallengeAges.PINNACLE_AGES if borrowed else ChallengeAges.NONE)
    assert challenges(BORN, options) == tuple(
        LifePeriod(ordinal, number((value,), rule, school, BORN_INPUTS, part), *age, main=ordinal == 3)
        for ordinal, value, part, age in zip((1, 2, 3, 4), (3, 1, 2, 4), parts, ages, strict=True)
    )


@pytest.mark.parametrize(
    ("rule", "school", "chains"),
    [
        (PinnacleRule.COMPONENT_ROOTS, School.PYTHAGOREAN, [(7,), (11,), (18, 9), (8,)]),
        (PinnacleRule.FULL_NUMBERS, School.PYTHAGOREAN, [(25, 7), (1982, 20, 2), (9,), (1979, 26, 8)]),
    ],
)
def test_other_pinnacle_rules_name_themselves_and_keep_the_masters_asked_for(rule, school, chains):
    options = NumerologyOptions(master_set=MasterSet.ELEVEN_TO_THIRTY_THREE)
    for period, chain in zip(pinnacles(BORN, options, rule=rule), chains, strict=True):
        found = period.number
        assert (found.rule_id, found.school, found.chain) == (f"pinnacle.{rule.value}", school, chain)
        assert found.inputs_used == {**BORN_INPUTS, "master_numbers": "11,22,33"}


def test_cycles_are_whole_records():
    """In the year of life of November 2008: 2 + 5 + 1 = 8, 8 + 5 = 13, 4 + 29 = 33; for everybody 11, 7, 36."""
    options = NumerologyOptions(
        master_set=MasterSet.ELEVEN_TO_THIRTY_THREE, personal_year_span=PersonalYearSpan.BIRTHDAY
    )
    as_of = date(2009, 5, 29)
    general = {"as_of": "2009-05-29", "master_numbers": "11,22,33"}
    personal = {"day": "14", "month": "11", **general}

    def part(label, value):
        return Component(label, str(value), value, value, (value,))

    def of(chain, rule, inputs, *parts):
        return number(chain, rule, School.DECOZ, inputs, parts)

    birth_month, birth_day = (
        Component("birth_month", "11", 11, 2, (11, 2)),
        Component("birth_day", "14", 14, 5, (14, 5)),
    )
    may, day = part("month", 5), part("day", 29)
    year_of_life = Component("year", "2008", 2008, 1, (2008, 10, 1))
    year = Component("year", "2009", 2009, 11, (2009, 11))
    assert cycles(BORN, as_of, options) == Cycles(
        as_of,
        40,
        of((8,), "personal_year.birthday", personal, birth_month, birth_day, year_of_life),
        of((13, 4), "personal_month.birthday", personal, part("personal_year", 8), may),
        of((33,), "personal_day.birthday", personal, part("personal_month", 4), day),
        of((11,), "universal_year", general, year),
        of((7,), "universal_month", general, part("universal_year", 2), may),
        of((36, 9), "universal_day", general, part("universal_month", 7), day),
    )


# --- the numbers of a name ------------------------------------------------------------------------------------------


def letters(text, counted):
    """Letters with Pythagorean values; vowels are lower case in `text`, those that count are in `counted`."""
    values = {"L": 3, "Y": 7, "N": 5, "M": 4, "A": 1, "R": 9}
    return tuple(LetterValue(c.upper(), values[c.upper()], c.islower(), c in counted) for c in text)


def name_number(chain, rule_id, inputs, parts, counted, **others):
    """A number of Lynn Mary, whose first Y was decided to be a vowel and whose second one not."""
    components = tuple(
        Component("name", text.upper(), each[0], each[-1], each, letters(text, counted))
        for text, each in zip(("LyNN", "MaRY"), parts, strict=True)
    )
    return number(chain, rule_id, School.DECOZ, inputs, components, **others)


def test_the_numbers_of_a_name_are_whole_records():
    name = mark_name(read_name("Lynn Mary"), OVERRIDDEN)
    inputs = {"name": "Lynn Mary", "master_numbers": "none"}
    with_y = {**inputs, "y_rule": "always_vowel", "y_overrides": "2 vowel, 8 consonant"}
    assert expression(name) == name_number((5,), "expression.per_name", inputs, ((20, 2), (21, 3)), "LyNMaRY")
    same = Notice("SAME_AS_EXPRESSION", "Destiny and expression are two names of one number.")
    assert destiny(name).warnings == (same,)
    assert destiny(name).components == expression(name).components
    for found, chain, parts, counted, others in (
        (soul_urge(name), (8,), ((7,), (1,)), "ya", ((6, 15), (6, 15), (1, 1))),
        (personality(name), (6,), ((13, 4), (20, 2)), "LNMRY", ((8, 8), (8, 8), (4, 4))),
    ):
        rule = found.rule_id
        modes = ("orthographic", "always_vowel", "always_consonant")
        other = ", ".join(f"{mode} {value}" for mode, (value, _) in zip(modes, others, strict=True))
        words = f"The number depends on what Y is: {chain[-1]} as counted here, by other rules {other}."
        assert found == name_number(
            chain,
            rule,
            with_y,
            parts,
            counted,
            warnings=(Notice("Y_MODES_DISAGREE", words),),
            alternatives=tuple(
                Alternative(f"{rule}.y_{mode}", School.DECOZ, *each) for mode, each in zip(modes, others, strict=True)
            ),
        )
    assert balance(name) == number(
        (7,),
        "balance.initials",
        School.DECOZ,
        inputs,
        (Component("initial", "L", 3, 3, (3,)), Component("initial", "M", 4, 4, (4,))),
    )


def test_maturity_is_a_whole_record():
    """Life path 22 and the expression of Lynn Mary, 2 + 3 = 5, make 27."""
    name = mark_name(read_name("Lynn Mary"))
    parts = (Component("life_path", "22", 22, 22, (22,)), Component("expression", "5", 5, 5, (5,)))
    inputs = {**BORN_INPUTS, "name": "Lynn Mary"}
    expected = number((27, 9), "maturity.life_path_plus_expression", School.DECOZ, inputs, parts)
    assert maturity(life_path(BORN), expression(name)) == expected


# --- short answers --------------------------------------------------------------------------------------------------


def test_without_explain_no_number_carries_parts_or_alternatives():
    name = mark_name(read_name("Lynn Mary"))
    numbers = [
        life_path(BORN, explain=False),
        birthday(BORN, explain=False),
        *(call(name, explain=False) for call in (expression, destiny, soul_urge, personality, balance)),
        *(each.number for each in (*pinnacles(BORN, explain=False), *challenges(BORN, explain=False))),
        maturity(life_path(BORN), expression(name), explain=False),
    ]
    found = cycles(BORN, date(2009, 5, 29), explain=False)
    numbers += [found.personal_year, found.personal_month, found.personal_day]
    numbers += [found.universal_year, found.universal_month, found.universal_day]
    assert all((each.components, each.alternatives) == ((), ()) for each in numbers)


@pytest.mark.parametrize(
    ("call", "text", "notice"),
    [
        (soul_urge, "Brr", Notice("NO_VOWELS", "The name has no vowels, so there is nothing to count.")),
        (personality, "Aia", Notice("NO_CONSONANTS", "The name has no consonants, so there is nothing to count.")),
    ],
)
def test_a_number_with_nothing_to_count_is_none_and_says_so(call, text, notice):
    found = call(mark_name(read_name(text)))
    assert (found.value, found.root, found.total, found.chain, found.is_master) == (None, 0, 0, (), False)
    assert found.warnings == (notice,)


def test_counts_of_letter_values_refuse_a_table_without_nines():
    words = "the chaldean table has no letter for 9: counts say nothing there"
    assert violation_of(name_parts, read_name("Ana"), CHALDEAN) == ("system", "inclusion.table", words)


@pytest.mark.parametrize("method", list(LifePathMethod))
def test_a_life_path_names_its_method_and_lists_no_alternative_that_agrees(method):
    found = life_path(BORN, NumerologyOptions(life_path_method=method))
    assert found.rule_id == f"life_path.{method.value}"
    assert found.value not in [each.value for each in found.alternatives]


@pytest.mark.parametrize("method", list(SummingMethod))
def test_the_chain_of_each_name_is_that_of_its_summing_method(method):
    """JANE is 12, MARY 21 and JO 7; masters would matter for none of them."""
    chains = {"letter_total": ((12,), (21,), (7,))}.get(method.value, ((12, 3), (21, 3), (7,)))
    found = expression(mark_name(read_name("Jane Mary Jo"), NumerologyOptions(summing_method=method)))
    assert tuple(each.chain for each in found.components) == chains
