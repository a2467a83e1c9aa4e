"""Built-in calculations written as formulas: the data of a test, and examples of how utilities are written."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from onenumbers_utilities.numerology.cycles import cycles
from onenumbers_utilities.numerology.life_path import birthday, life_path
from onenumbers_utilities.numerology.maturity import maturity
from onenumbers_utilities.numerology.name_numbers import balance, expression, mark_name, personality, soul_urge
from onenumbers_utilities.numerology.name_parts import name_parts
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import (
    LifePathMethod,
    MasterSet,
    NumerologyOptions,
    PersonalYearSpan,
    SummingMethod,
    YRule,
)
from onenumbers_utilities.numerology.periods import challenges, period_ages, pinnacles

BORN = {"born": "date"}
NAME = {"name": "string"}


@dataclass(frozen=True)
class BuiltIn:
    """One calculation, twice."""

    name: str
    inputs: dict[str, str]
    formula: str
    python: Callable[..., Any]


def _path(method: LifePathMethod, masters: MasterSet | None = None) -> Callable[[date], int]:
    options = NumerologyOptions(life_path_method=method, master_set=masters)
    return lambda born: life_path(born, options, explain=False).value


def _marked(name: str, **options: Any) -> Any:
    chosen = NumerologyOptions(**options)
    return mark_name(read_name(name, chosen.letter_policy), chosen)


def _of_name(calculation: Any, **options: Any) -> Callable[[str], int]:
    # A name without vowels has no soul urge; the formula, whose results are numbers, gives 0 there.
    return lambda name: calculation(_marked(name, **options), explain=False).value or 0


def _cycle(which: str, **options: Any) -> Callable[[date, date], int]:
    chosen = NumerologyOptions(**options)
    return lambda born, as_of: getattr(cycles(born, as_of, chosen, explain=False), which).value


def _maturity(name: str, born: date) -> int:
    return maturity(life_path(born, explain=False), expression(_marked(name), explain=False), explain=False).value


_PERSONAL_YEAR = "root(root(month(born)) + root(day(born)) + root(year(as_of)))"
_LIFE_PATH = "reduce(reduce(month(born)) + reduce(day(born)) + reduce(digit_sum(year(born))))"
_EXPRESSION = "reduce(sum(names(name).map(part, reduce(sum(letter_values(part))))))"

BUILT_IN = (
    BuiltIn("life_path_grouped_masters", BORN, _LIFE_PATH, _path(LifePathMethod.GROUPED_MASTERS)),
    BuiltIn(
        "life_path_with_11_and_22_only",
        BORN,
        "reduce(reduce(month(born), [11, 22]) + reduce(day(born), [11, 22]) "
        "+ reduce(digit_sum(year(born)), [11, 22]), [11, 22])",
        _path(LifePathMethod.GROUPED_MASTERS, MasterSet.ELEVEN_AND_TWENTY_TWO),
    ),
    BuiltIn(
        "life_path_sum_all_digits",
        BORN,
        "reduce(digit_sum(month(born)) + digit_sum(day(born)) + digit_sum(year(born)))",
        _path(LifePathMethod.SUM_ALL_DIGITS),
    ),
    BuiltIn("life_path_straight", BORN, "reduce(month(born) + day(born) + year(born))", _path(LifePathMethod.STRAIGHT)),
    BuiltIn(
        "life_path_month_day_year_sum",
        BORN,
        "reduce(month(born) + day(born) + digit_sum(year(born)))",
        _path(LifePathMethod.MONTH_DAY_YEAR_SUM),
    ),
    BuiltIn(
        "life_path_grouped_plain",
        BORN,
        "reduce(root(month(born)) + root(day(born)) + root(year(born)))",
        _path(LifePathMethod.GROUPED_PLAIN),
    ),
    BuiltIn("birthday", BORN, "reduce(day(born))", lambda born: birthday(born, explain=False).value),
    BuiltIn(
        "challenges",
        BORN,
        """
        [[root(month(born)), root(day(born)), root(year(born))]].map(part,
          [abs(part[0] - part[1]), abs(part[1] - part[2]),
           abs(abs(part[0] - part[1]) - abs(part[1] - part[2])), abs(part[0] - part[2])])[0]
        """,
        lambda born: [item.number.value for item in challenges(born, explain=False)],
    ),
    BuiltIn(
        "pinnacles",
        BORN,
        """
        [[reduce(month(born)), reduce(day(born)), reduce(digit_sum(year(born)))]].map(part,
          [reduce(part[0] + part[1]), reduce(part[1] + part[2]),
           reduce(reduce(part[0] + part[1]) + reduce(part[1] + part[2])), reduce(part[0] + part[2])])[0]
        """,
        lambda born: [item.number.value for item in pinnacles(born, explain=False)],
    ),
    BuiltIn(
        "last_age_of_the_first_pinnacle",
        BORN,
        "36 - root(month(born) + day(born) + year(born))",
        lambda born: period_ages(born)[0][1],
    ),
    BuiltIn("personal_year", {"born": "date", "as_of": "date"}, _PERSONAL_YEAR, _cycle("personal_year")),
    BuiltIn(
        "personal_year_from_the_birthday",
        {"born": "date", "as_of": "date"},
        "root(root(month(born)) + root(day(born)) + root(year(as_of) - "
        "(month(as_of) * 100 + day(as_of) < month(born) * 100 + day(born) ? 1 : 0)))",
        _cycle("personal_year", personal_year_span=PersonalYearSpan.BIRTHDAY),
    ),
    BuiltIn(
        "personal_month",
        {"born": "date", "as_of": "date"},
        f"root({_PERSONAL_YEAR} + month(as_of))",
        _cycle("personal_month"),
    ),
    BuiltIn(
        "personal_day",
        {"born": "date", "as_of": "date"},
        f"root(root({_PERSONAL_YEAR} + month(as_of)) + day(as_of))",
        _cycle("personal_day"),
    ),
    BuiltIn(
        "age",
        {"born": "date", "as_of": "date"},
        "age(born, as_of)",
        lambda born, as_of: cycles(born, as_of, explain=False).age,
    ),
    BuiltIn("expression", NAME, _EXPRESSION, _of_name(expression)),
    BuiltIn(
        "expression_of_the_letter_total",
        NAME,
        "reduce(sum(letter_values(letters(name))))",
        _of_name(expression, summing_method=SummingMethod.LETTER_TOTAL),
    ),
    BuiltIn(
        "expression_of_plain_names",
        NAME,
        "reduce(sum(names(name).map(part, root(sum(letter_values(part))))))",
        _of_name(expression, summing_method=SummingMethod.PER_NAME_PLAIN),
    ),
    BuiltIn(
        "soul_urge",
        NAME,
        "reduce(sum(names(name).map(part, reduce(sum(letter_values(vowels(part)))))))",
        _of_name(soul_urge),
    ),
    BuiltIn(
        "soul_urge_with_y_always_a_vowel",
        NAME,
        "reduce(sum(names(name).map(part, reduce(sum(letter_values(vowels(part, 'always_vowel')))))))",
        _of_name(soul_urge, y_rule=YRule.ALWAYS_VOWEL),
    ),
    BuiltIn(
        "personality",
        NAME,
        "reduce(sum(names(name).map(part, reduce(sum(letter_values(consonants(part)))))))",
        _of_name(personality),
    ),
    BuiltIn(
        "balance",
        NAME,
        "reduce(sum(letter_values(initials(name))), [])",
        lambda name: balance(_marked(name), explain=False).value,
    ),
    BuiltIn(
        "inclusion_table", NAME, "count_values(letters(name))", lambda name: list(name_parts(read_name(name)).counts)
    ),
    BuiltIn(
        "karmic_lessons",
        NAME,
        "range(1, 9).filter(value, count_values(letters(name))[value - 1] == 0)",
        lambda name: list(name_parts(read_name(name)).karmic_lessons),
    ),
    BuiltIn(
        "hidden_passions",
        NAME,
        "range(1, 9).filter(value, count_values(letters(name))[value - 1] == greatest(count_values(letters(name))))",
        lambda name: list(name_parts(read_name(name)).hidden_passions),
    ),
    BuiltIn(
        "subconscious_self",
        NAME,
        "size(count_values(letters(name)).filter(count, count > 0))",
        lambda name: name_parts(read_name(name)).subconscious_self,
    ),
    BuiltIn("maturity", {**NAME, **BORN}, f"reduce({_LIFE_PATH} + {_EXPRESSION})", _maturity),
)
