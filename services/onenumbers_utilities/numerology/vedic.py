"""Mulank, bhagyank and namank: the three numbers of Vedic practice. None keeps master numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from onenumbers_utilities.numerology.compounds import CompoundMeaning, compound_of
from onenumbers_utilities.numerology.correspondences import vedic_planet_of
from onenumbers_utilities.numerology.dates import date_inputs, date_notices
from onenumbers_utilities.numerology.names import Name
from onenumbers_utilities.numerology.options import School
from onenumbers_utilities.numerology.primitives import ds
from onenumbers_utilities.numerology.reduction import number_part, reduced, words
from onenumbers_utilities.numerology.results import NumberResult
from onenumbers_utilities.numerology.tables import CHALDEAN


@dataclass(frozen=True, slots=True)
class VedicNumber:
    """A number of Vedic practice with its graha."""

    number: NumberResult
    planet: str
    compound: CompoundMeaning | None = None
    """Meaning of the sum of the name, for namank from 10."""


@dataclass(frozen=True, slots=True)
class VedicNumbers:
    """The three numbers of a person."""

    mulank: VedicNumber
    bhagyank: VedicNumber
    namank: VedicNumber | None
    """None without a name."""


def mulank(born: date, *, explain: bool = True) -> VedicNumber:
    """Returns the root of the day of birth."""
    return _number(
        reduced(
            born.day,
            rule_id="vedic.mulank",
            school=School.VEDIC,
            inputs={"day": str(born.day)},
            components=(number_part("day", str(born.day), born.day),) if explain else (),
        )
    )


def bhagyank(born: date, *, explain: bool = True) -> VedicNumber:
    """Returns the root of all digits of the birth date."""
    parts = (("day", born.day), ("month", born.month), ("year", born.year))
    return _number(
        reduced(
            sum(ds(part) for _, part in parts),
            rule_id="vedic.bhagyank",
            school=School.VEDIC,
            inputs=date_inputs(born),
            warnings=date_notices(born),
            components=tuple(number_part(label, str(part), ds(part)) for label, part in parts) if explain else (),
        )
    )


def namank(name: Name, *, explain: bool = True) -> VedicNumber:
    """Returns the root of a name on the Chaldean table, which Vedic practice has taken over."""
    parts = words(name, CHALDEAN)
    number = reduced(
        sum(part.total for part in parts),
        rule_id="vedic.namank",
        school=School.VEDIC,
        inputs=name.inputs(),
        warnings=name.notices,
        components=parts if explain else (),
    )
    return _number(number, compound_of(number.total))


def vedic_numbers(born: date, name: Name | None = None, *, explain: bool = True) -> VedicNumbers:
    """Returns mulank and bhagyank, and namank where a name is given."""
    return VedicNumbers(
        mulank(born, explain=explain),
        bhagyank(born, explain=explain),
        namank(name, explain=explain) if name is not None else None,
    )


def _number(number: NumberResult, compound: CompoundMeaning | None = None) -> VedicNumber:
    return VedicNumber(number, vedic_planet_of(number.root), compound)
