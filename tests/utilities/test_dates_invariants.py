"""What holds for the cycles of every birth date, whatever the school."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from onenumbers_utilities.numerology.attitude import attitude
from onenumbers_utilities.numerology.cycles import cycles, universal_cycles
from onenumbers_utilities.numerology.debt_report import KarmicDebtNumbers, debt_report
from onenumbers_utilities.numerology.life_path import life_path
from onenumbers_utilities.numerology.name_numbers import mark_name
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import (
    KarmicDebtScope,
    LifePathMethod,
    MasterSet,
    NumerologyOptions,
    PersonalYearSpan,
    PinnacleRule,
    SummingMethod,
)
from onenumbers_utilities.numerology.period_cycles import PeriodCycleTiming, cycle_starts, period_cycles
from onenumbers_utilities.numerology.periods import pinnacles
from onenumbers_utilities.numerology.primitives import root
from onenumbers_utilities.numerology.results import DebtOrigin
from onenumbers_utilities.numerology.transits import EssenceMark, transits

LETTERS = "abcdefghijklmnopqrstuvwxyzăâîșțéèüßøł"
words = st.text(alphabet=LETTERS, min_size=1, max_size=12)
full_names = st.lists(words, min_size=2, max_size=5).map(" ".join)
births = st.dates(min_value=date(1, 1, 1), max_value=date(9800, 12, 31))
timings = st.sampled_from(PeriodCycleTiming)
master_sets = st.sampled_from([None, *MasterSet])


def digits(number):
    return sum(int(digit) for digit in str(number))


def reduced(number, masters=(11, 22, 33)):
    while number > 9 and number not in masters:
        number = digits(number)
    return number


@given(births)
def test_attitude_is_what_its_definition_says(born):
    found = attitude(born.day, born.month)
    assert (found.total, found.value) == (born.month + born.day, reduced(born.month + born.day))
    assert sum(part.value for part in found.components) == found.total


@given(births)
def test_period_cycles_add_up_to_the_life_path(born):
    found = period_cycles(born)
    assert [cycle.number.value for cycle in found] == [
        reduced(born.month),
        reduced(born.day),
        reduced(digits(born.year)),
    ]
    assert root(sum(cycle.number.root for cycle in found)) == life_path(born).root
    assert reduced(sum(cycle.number.value or 0 for cycle in found)) == life_path(born).value


@given(births, timings, st.integers(min_value=0, max_value=120))
def test_period_cycles_follow_each_other_from_birth_and_one_is_in_force(born, timing, age):
    found = period_cycles(born, timing=timing, age=age)
    assert found[0].start_age == 0
    assert [cycle.start_age for cycle in found[1:]] == [(cycle.end_age or 0) + 1 for cycle in found[:-1]]
    assert found[-1].end_age is None
    assert sum(cycle.current for cycle in found) == 1


@given(st.dates(min_value=date(1800, 1, 1), max_value=date(2100, 12, 31)), timings)
def test_later_period_cycles_begin_in_a_personal_year_1(born, timing):
    for start in cycle_starts(born, timing):
        assert cycles(born, date(born.year + start, 12, 31)).personal_year.value == 1


@given(births, st.sampled_from(PinnacleRule))
def test_all_pinnacle_rules_share_one_root(born, rule):
    left, right = pinnacles(born), pinnacles(born, rule=rule)
    assert [period.number.root for period in left] == [period.number.root for period in right]
    assert [(period.start_age, period.end_age) for period in left] == [
        (period.start_age, period.end_age) for period in right
    ]


@given(births)
def test_full_number_pinnacles_are_what_their_definition_says(born):
    first, second = reduced(born.month + born.day), reduced(born.day + born.year)
    assert [period.number.value for period in pinnacles(born, rule=PinnacleRule.FULL_NUMBERS)] == [
        first,
        second,
        reduced(first + second),
        reduced(born.month + born.year),
    ]


@given(st.dates(min_value=date(1, 1, 1), max_value=date(9999, 12, 31)), master_sets)
def test_universal_cycles_are_what_their_definition_says(as_of, master_set):
    masters = {
        None: (),
        MasterSet.NONE: (),
        MasterSet.ELEVEN_AND_TWENTY_TWO: (11, 22),
        MasterSet.ELEVEN_TO_THIRTY_THREE: (11, 22, 33),
    }[master_set]
    year, month, day = universal_cycles(as_of, NumerologyOptions(master_set=master_set))
    assert year.value == reduced(digits(as_of.year), masters)
    assert month.value == reduced(year.root + as_of.month, masters)
    assert day.value == reduced(month.root + as_of.day, masters)
    for number in (year, month, day):
        assert number.total == sum(part.value for part in number.components)
        for part in number.components:
            assert (part.chain[0], part.chain[-1]) == (part.total, part.value)


@given(full_names, births, st.sampled_from(KarmicDebtScope), st.sampled_from(SummingMethod))
def test_the_malefic_debts_are_all_debts_but_13(name, born, scope, method):
    options = NumerologyOptions(
        karmic_debt_scope=scope, summing_method=method, life_path_method=LifePathMethod.STRAIGHT
    )
    of_name = mark_name(read_name(name), options)
    every = debt_report(of_name, born, explain=False)
    malefic = debt_report(of_name, born, numbers=KarmicDebtNumbers.MALEFIC, explain=False)
    assert malefic.debts == tuple(debt for debt in every.debts if debt.number != 13)
    if scope is not KarmicDebtScope.COMPONENTS:
        assert all(debt.origin is not DebtOrigin.COMPONENT for debt in every.debts)
    numbers = (every.life_path, every.expression, every.soul_urge, every.personality, every.birthday)
    assert every.debts == tuple(debt for number in numbers for debt in number.karmic_debts)


@given(full_names, births, st.integers(min_value=1, max_value=4))
def test_transits_are_what_walking_through_the_letters_gives(name, born, last_names):
    read = read_name(name)
    assume(len(read.parts) > 1)  # a suffix such as Jr is no name
    last_names = min(last_names, len(read.parts) - 1)
    found = transits(read, born, range(121), last_names=last_names)
    middle = "".join(read.parts[1:-last_names])
    last = "".join(read.parts[-last_names:])
    rows = []
    for letters in (read.parts[0], middle or last, last):
        row = [letter for letter in letters for _ in range((ord(letter) - 65) % 9 + 1)]
        rows.append((row * (121 // len(row) + 1))[:121])
    for age, year in enumerate(found.years):
        letters = (year.physical, year.mental, year.spiritual)
        assert [each.letter for each in letters] == [row[age] for row in rows]
        assert year.age == age
        assert all(each.since_age <= age < each.since_age + each.value for each in letters)
        assert year.essence.total == sum(each.value for each in letters)
        assert year.essence.value == reduced(year.essence.total)
        assert (year.mark is EssenceMark.MASTER) == (year.essence.total in (11, 22))
        assert (year.mark is EssenceMark.KARMIC_DEBT) == (year.essence.total in (13, 14, 16, 19))


@given(
    full_names,
    st.dates(min_value=date(1900, 1, 1), max_value=date(2020, 12, 31)),
    st.sampled_from(PersonalYearSpan),
    st.integers(min_value=0, max_value=100),
)
def test_personal_years_of_a_year_of_life_are_those_of_its_days(name, born, span, age):
    read = read_name(name)
    assume(len(read.parts) > 1)  # a suffix such as Jr is no name
    options = NumerologyOptions(personal_year_span=span)
    (year,) = transits(read, born, [age], options).years
    # Who was born on 29 February completes a year on 1 March of common years.
    leap = (born.month, born.day) == (2, 29)
    first = date(born.year + age, 3, 1) if leap else date(born.year + age, born.month, born.day)
    days = (first, first + timedelta(days=300), date(born.year + age, 12, 31))
    met = {cycles(born, day, options).personal_year.value for day in days}
    assert met <= {each.personal_year for each in year.personal_years}
    assert year.duality == any(each.personal_year == year.essence.root for each in year.personal_years)
