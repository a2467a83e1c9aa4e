"""What Cheiro's tradition sets beside each number: planet, days of the week, colours, related numbers.

Sources: Cheiro, Book of Numbers (1926); the lists of 2, 5 and 8 were compared with reports of it (free-numerology.org,
le-papillon-bleu.ch, futuresamachar.com), the others are general knowledge of that literature. Stones and everything
that concerns health are left out on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from onenumbers_runtime.errors import invalid


@unique
class Weekday(Enum):
    """A day of the week, numbered as by datetime.date.weekday plus one."""

    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6
    SUNDAY = 7


@dataclass(frozen=True, slots=True)
class Correspondence:
    """What is set beside one number."""

    number: int
    """1-9."""
    planet: str
    """The planet of Cheiro's tradition."""
    vedic_planet: str
    """The graha of Vedic practice; differs for 4 and 7."""
    weekdays: tuple[Weekday, ...]
    """Days of the week, in the order of the week."""
    chief: Weekday | None
    """The day that its planet rules; None for 4 and 7, whose planets rule none."""
    colours: tuple[str, ...]
    related: tuple[int, ...]
    """Numbers that are interchangeable with it or of its family."""


_MON, _TUE, _WED, _THU, _FRI, _SAT, _SUN = Weekday

CORRESPONDENCES: Final = {
    each.number: each
    for each in (
        Correspondence(1, "Sun", "Sun", (_MON, _SUN), _SUN, ("gold", "yellow", "bronze", "golden brown"), (4,)),
        Correspondence(2, "Moon", "Moon", (_MON, _FRI, _SUN), _MON, ("green", "cream", "white"), (7,)),
        Correspondence(3, "Jupiter", "Jupiter", (_TUE, _THU, _FRI), _THU, ("mauve", "violet", "purple"), (6, 9)),
        Correspondence(
            4, "Uranus", "Rahu", (_MON, _SAT, _SUN), None, ("half-shades", "electric blue", "electric grey"), (1,)
        ),
        Correspondence(5, "Mercury", "Mercury", (_WED, _FRI), _WED, ("light grey", "white", "glistening shades"), ()),
        Correspondence(6, "Venus", "Venus", (_TUE, _THU, _FRI), _FRI, ("blue", "rose", "pink"), (3, 9)),
        Correspondence(7, "Neptune", "Ketu", (_MON, _SUN), None, ("green", "pale shades", "white", "yellow"), (2,)),
        Correspondence(
            8, "Saturn", "Saturn", (_MON, _SAT, _SUN), _SAT, ("dark grey", "black", "dark blue", "purple"), ()
        ),
        Correspondence(9, "Mars", "Mars", (_TUE, _THU, _FRI), _TUE, ("crimson", "red", "rose", "pink"), (3, 6)),
    )
}
"""By number, 1-9."""


def correspondences(number: int | None = None) -> tuple[Correspondence, ...]:
    """Returns what is set beside a number, or beside all nine.

    Raises:
        InvalidArgumentError: The number is not within 1-9.
    """
    if number is None:
        return tuple(CORRESPONDENCES.values())
    if number not in CORRESPONDENCES:
        raise invalid("number", f"must be within 1-9, not {number}", rule="correspondence.number")
    return (CORRESPONDENCES[number],)


def planet_of(number: int) -> str:
    """Returns the planet of a number 1-9 in Cheiro's tradition."""
    return CORRESPONDENCES[number].planet


def vedic_planet_of(number: int) -> str:
    """Returns the graha of a number 1-9 in Vedic practice."""
    return CORRESPONDENCES[number].vedic_planet
