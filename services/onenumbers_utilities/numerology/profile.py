"""The whole profile of a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from onenumbers_utilities.numerology.cycles import cycles
from onenumbers_utilities.numerology.dates import date_notices
from onenumbers_utilities.numerology.life_path import birthday, life_path
from onenumbers_utilities.numerology.maturity import maturity
from onenumbers_utilities.numerology.name_numbers import balance, expression, mark_name, personality, soul_urge
from onenumbers_utilities.numerology.name_parts import name_parts
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import DEFAULTS, NumerologyOptions
from onenumbers_utilities.numerology.periods import challenges, pinnacles
from onenumbers_utilities.numerology.results import LifePeriod, MasterPosition, NumberResult, Profile


def profile(
    name: str,
    born: date,
    options: NumerologyOptions = DEFAULTS,
    *,
    as_of: date | None = None,
    include_pinnacles: bool = True,
    include_challenges: bool = True,
    explain: bool = True,
) -> Profile:
    """Calculates all numbers of a person.

    Args:
        name: Full name as on the birth certificate; read by names.read_name.
        born: Birth date; read by dates.read_date.
        options: Choices between schools.
        as_of: Date for the cycles, and for which period is in force; without it there are neither.
        include_pinnacles: Whether the pinnacles are calculated.
        include_challenges: Whether the challenges are calculated.
        explain: Whether parts and other methods' values are returned.

    Raises:
        InvalidArgumentError: The name cannot be read, an override of Y does not fit it, or the birth lies after
            `as_of`.
    """
    read = read_name(name, options.letter_policy, transliteration=options.transliteration)
    on_date = cycles(born, as_of, options, explain=explain) if as_of is not None else None
    age = on_date.age if on_date is not None else None
    marked = mark_name(read, options)
    of_date = life_path(born, options, explain=explain)
    of_name = expression(marked, explain=explain)
    numbers = {
        "life_path": of_date,
        "expression": of_name,
        "soul_urge": soul_urge(marked, explain=explain),
        "personality": personality(marked, explain=explain),
        "birthday": birthday(born, options, explain=explain),
        "maturity": maturity(of_date, of_name, options, explain=explain),
    }
    of_pinnacles = pinnacles(born, options, age=age, explain=explain) if include_pinnacles else ()
    return Profile(
        name=read.text,
        birth_date=born,
        **numbers,
        balance=balance(marked, explain=explain),
        parts=name_parts(read),
        karmic_debts=tuple(debt for number in numbers.values() for debt in number.karmic_debts),
        master_numbers=tuple(_masters(numbers, of_pinnacles)),
        pinnacles=of_pinnacles,
        challenges=challenges(born, options, age=age, explain=explain) if include_challenges else (),
        cycles=on_date,
        warnings=(*read.notices, *date_notices(born)),
    )


def _masters(numbers: dict[str, NumberResult], periods: tuple[LifePeriod, ...]) -> Iterator[MasterPosition]:
    for position, number in numbers.items():
        if number.is_master and number.value is not None:
            yield MasterPosition(position, number.value)
    for period in periods:
        if period.number.is_master and period.number.value is not None:
            yield MasterPosition(f"pinnacle_{period.ordinal}", period.number.value)
