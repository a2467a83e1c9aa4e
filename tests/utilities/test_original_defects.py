"""What the platform's earlier code got wrong; each test states the defect that must not return."""

from __future__ import annotations

import itertools
import subprocess
import sys
from datetime import date, timedelta

from onenumbers_utilities.numerology.cycles import cycles
from onenumbers_utilities.numerology.life_path import life_path
from onenumbers_utilities.numerology.name_numbers import balance, expression, mark_name, personality, soul_urge
from onenumbers_utilities.numerology.name_parts import name_parts
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import (
    KarmicDebtScope,
    LifePathMethod,
    NumerologyOptions,
    SummingMethod,
)
from onenumbers_utilities.numerology.periods import pinnacles
from onenumbers_utilities.numerology.profile import profile


def marked(name, **options):
    chosen = NumerologyOptions(**options)
    return mark_name(read_name(name), chosen)


def test_diacritics_count_stefan_is_2_with_and_without_them():
    values = {expression(marked(name)).value for name in ("Ștefan", "Ştefan", "Stefan", "ȘTEFAN")}
    assert values == {2}


def test_y_is_neither_never_nor_always_a_vowel():
    assert soul_urge(marked("Lynn")).value == 7
    assert soul_urge(marked("Kay")).value == 1


def test_w_is_a_consonant():
    assert personality(marked("Wa")).value == 5


def test_karmic_debt_fires_and_the_whole_date_as_a_number_never_could():
    straight = NumerologyOptions(life_path_method=LifePathMethod.STRAIGHT, karmic_debt_scope=KarmicDebtScope.DIRECT)
    day, grouped_hits, straight_hits = date(1980, 1, 1), 0, 0
    while day.year < 1990:
        grouped_hits += bool(life_path(day, explain=False).karmic_debts)
        straight_hits += bool(life_path(day, straight, explain=False).karmic_debts)
        day += timedelta(days=1)
    assert grouped_hits > 300
    assert straight_hits == 0


def test_karmic_debt_inside_the_chain_is_not_missed():
    found = expression(marked("Rrrrrrr D", summing_method=SummingMethod.LETTER_TOTAL))
    assert found.chain == (67, 13, 4)
    assert [(debt.number, debt.origin.value) for debt in found.karmic_debts] == [(13, "intermediate")]


def test_hidden_passion_returns_all_values_that_tie_and_only_those():
    assert name_parts(read_name("Abba")).hidden_passions == (1, 2)
    assert name_parts(read_name("Ababb")).hidden_passions == (2,)


def test_subconscious_self_is_9_less_the_lessons_not_the_first_missing_digit():
    parts = name_parts(read_name("Ioana Brândușa Țurcanu"))
    assert (parts.karmic_lessons, parts.subconscious_self) == ((7, 8), 7)


def test_nothing_missing_gives_9():
    parts = name_parts(read_name("abcdefghi"))
    assert (parts.karmic_lessons, parts.subconscious_self) == ((), 9)
    assert parts.hidden_passions == (1, 2, 3, 4, 5, 6, 7, 8, 9)


def test_balance_is_of_initials_not_a_difference():
    assert balance(marked("Ana Pop")).rule_id == "balance.initials"
    assert balance(marked("Ana Pop")).value == 8


def test_a_period_changes_on_the_birthday_not_on_new_year():
    born = date(1974, 9, 29)
    ordinals = [
        next(period.ordinal for period in profile("Ana Pop", born, as_of=as_of).pinnacles if period.current)
        for as_of in (date(2006, 1, 1), date(2006, 9, 28), date(2006, 9, 29))
    ]
    assert ordinals == [1, 1, 2]


def test_pinnacles_differ_between_people():
    values = {tuple(p.number.value for p in pinnacles(date(1990, 1, day))) for day in range(1, 10)}
    assert len(values) == 9


def test_master_numbers_are_those_at_which_a_reduction_stopped():
    found = profile("Ioana Brândușa Țurcanu", date(1968, 11, 14))
    assert ("life_path", 22) in [(each.position, each.number) for each in found.master_numbers]
    day = date(1950, 1, 1)
    while day.year < 1952:
        assert {m.number for m in profile("Ana Pop", day, explain=False).master_numbers} <= {11, 22, 33}
        day += timedelta(days=1)


def test_the_documented_example_of_1990_05_15_is_3_by_every_method():
    values = {
        life_path(date(1990, 5, 15), NumerologyOptions(life_path_method=method)).value for method in LifePathMethod
    }
    assert values == {3}


def test_personal_years_move_by_one_or_from_9_to_1():
    values = [cycles(date(1990, 5, 15), date(year, 7, 1)).personal_year.value for year in range(2000, 2020)]
    assert all(after == before % 9 + 1 for before, after in itertools.pairwise(values))


def test_the_package_is_pure():
    """Importing every module of the package brings in neither gRPC nor protobuf."""
    script = (
        "import importlib, pkgutil, sys\n"
        "import onenumbers_utilities.numerology as package\n"
        "for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "    importlib.import_module(module.name)\n"
        "found = [n for n in sys.modules if n == 'grpc' or n.startswith(('grpc.', 'google.protobuf', 'onenumbers.'))]\n"
        "assert 'onenumbers_utilities.numerology.profile' in sys.modules\n"
        "print(found)\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout.strip() == "[]"
