"""Planes of expression: letters sorted into physical, mental, emotional and intuitive."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from onenumbers_runtime.errors import invalid
from onenumbers_utilities.numerology.names import Name
from onenumbers_utilities.numerology.options import DEFAULTS, NumerologyOptions, School, YRule
from onenumbers_utilities.numerology.primitives import chain, root
from onenumbers_utilities.numerology.results import Component, LetterValue, Notice, NumberResult
from onenumbers_utilities.numerology.tables import PYTHAGOREAN, VOWELS, LetterTable
from onenumbers_utilities.numerology.vowels import mark


@unique
class Plane(Enum):
    """A plane of expression."""

    PHYSICAL = "physical"
    MENTAL = "mental"
    EMOTIONAL = "emotional"
    INTUITIVE = "intuitive"


@unique
class PlaneEnergy(Enum):
    """How a letter acts on its plane."""

    CREATIVE = "creative"
    VACILLATING = "vacillating"
    GROUNDED = "grounded"


@unique
class PlaneSystem(Enum):
    """How letters belong to planes."""

    LETTERS = "letters"
    """Each letter has its plane (Goodwin, Decoz)."""
    VALUES = "values"
    """Each value has its plane; counts only (Juno Jordan)."""


PLANE_LETTERS: Final = {
    Plane.PHYSICAL: "DEMW",
    Plane.MENTAL: "AGHJLNP",
    Plane.EMOTIONAL: "BIORSTXZ",
    Plane.INTUITIVE: "CFKQUVY",
}
"""The letters of each plane in the system by letters."""
PLANE_VALUES: Final = {
    Plane.PHYSICAL: (4, 5),
    Plane.MENTAL: (1, 8),
    Plane.EMOTIONAL: (2, 3, 6),
    Plane.INTUITIVE: (7, 9),
}
"""The values of each plane in the system by values."""
ENERGY_LETTERS: Final = {
    PlaneEnergy.CREATIVE: "AEIKORZ",
    PlaneEnergy.VACILLATING: "BFHJNPQSTUWXY",
    PlaneEnergy.GROUNDED: "CDGLMV",
}
"""The letters of each energy."""
_SCHOOLS: Final = {PlaneSystem.LETTERS: School.GOODWIN, PlaneSystem.VALUES: School.JORDAN}


@dataclass(frozen=True, slots=True)
class EnergyCount:
    """Letters of one kind of energy."""

    energy: PlaneEnergy
    letters: str
    """In the order of the name."""


@dataclass(frozen=True, slots=True)
class PlaneCount:
    """One plane of a name."""

    plane: Plane
    letters: str
    """Its letters in the order of the name."""
    number: NumberResult | None
    """Their values added and reduced, its value None where there is no letter; None as a whole by values."""
    energies: tuple[EnergyCount, ...]
    """Three entries; none by values."""


@dataclass(frozen=True, slots=True)
class Planes:
    """A name sorted into planes."""

    name: str
    system: PlaneSystem
    rule_id: str
    school: School
    planes: tuple[PlaneCount, ...]
    """Four: physical, mental, emotional, intuitive."""
    energies: tuple[EnergyCount, ...]
    """Of the whole name: three entries; none by values."""
    notices: tuple[Notice, ...]


def planes(
    name: Name,
    system: PlaneSystem = PlaneSystem.LETTERS,
    options: NumerologyOptions = DEFAULTS,
    *,
    table: LetterTable = PYTHAGOREAN,
    explain: bool = True,
) -> Planes:
    """Sorts the letters of all names into the four planes.

    Args:
        name: The name.
        system: How letters belong to planes.
        options: Gives the master numbers.
        table: Values of the letters.
        explain: Whether the parts of the plane numbers are returned.

    Raises:
        InvalidArgumentError: The table is not the Pythagorean one, which both systems are made for (rule planes.table,
            field system).
    """
    if table is not PYTHAGOREAN:
        raise invalid(
            "system",
            f"planes of expression are defined for the pythagorean table, not for the {table.name} one",
            rule="planes.table",
        )
    letters = "".join(name.parts)
    by_letters = system is PlaneSystem.LETTERS
    found: list[PlaneCount] = []
    for plane in Plane:
        if by_letters:
            own = "".join(letter for letter in letters if letter in PLANE_LETTERS[plane])
            number = _plane_number(name, plane, own, options, explain=explain)
            found.append(PlaneCount(plane, own, number, _energies(own)))
        else:
            own = "".join(letter for letter in letters if table.values[letter] in PLANE_VALUES[plane])
            found.append(PlaneCount(plane, own, None, ()))
    return Planes(
        name=name.text,
        system=system,
        rule_id=f"planes.{system.value}",
        school=_SCHOOLS[system],
        planes=tuple(found),
        energies=_energies(letters) if by_letters else (),
        notices=name.notices,
    )


def _energies(letters: str) -> tuple[EnergyCount, ...]:
    return tuple(
        EnergyCount(energy, "".join(letter for letter in letters if letter in own))
        for energy, own in ENERGY_LETTERS.items()
    )


def _plane_number(name: Name, plane: Plane, letters: str, options: NumerologyOptions, *, explain: bool) -> NumberResult:
    inputs = name.inputs()
    if options.master_set is not None:
        inputs["master_numbers"] = options.master_set.value
    total = sum(PYTHAGOREAN.values[letter] for letter in letters)
    visited = chain(total, options.masters()) if letters else ()
    value = visited[-1] if visited else None
    missing = Notice("NO_LETTERS_ON_PLANE", f"No letter of the name lies on the {plane.value} plane.")
    return NumberResult(
        value=value,
        root=root(value or 0),
        is_master=(value or 0) > 9,
        total=total,
        chain=visited,
        rule_id="planes.letters",
        school=School.GOODWIN,
        inputs_used=inputs,
        warnings=() if letters else (missing,),
        components=tuple(_parts(name, plane)) if explain and letters else (),
    )


def _parts(name: Name, plane: Plane) -> list[Component]:
    """Returns each name with its letters on the plane; the sums of the names are added unreduced."""
    found: list[Component] = []
    for part, marked in zip(name.parts, mark(name.parts, YRule.ORTHOGRAPHIC), strict=True):
        letters = tuple(
            LetterValue(letter, PYTHAGOREAN.values[letter], code in VOWELS, letter in PLANE_LETTERS[plane])
            for letter, code in zip(part, marked, strict=True)
        )
        total = sum(each.value for each in letters if each.counted)
        found.append(Component("name", part, total, total, (total,), letters))
    return found
