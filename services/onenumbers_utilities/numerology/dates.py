"""Birth dates and ages. Calendar dates only; the system clock is never read here."""

from __future__ import annotations

import calendar
from datetime import date
from typing import Final

from onenumbers_runtime.errors import invalid
from onenumbers_utilities.numerology.results import Notice

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_GREGORIAN_START: Final = date(1582, 10, 15)


def read_date(day: int, month: int, year: int, *, prefix: str = "") -> date:
    """Returns the date of the Gregorian calendar (proleptic before 1582).

    Args:
        day: 1-31, as the month allows.
        month: 1-12.
        year: 1-9999.
        prefix: What stands before the names of the fields in errors, such as "as_of.".

    Raises:
        InvalidArgumentError: A part is out of its range, or the date does not exist (rule date.exists, field day).
    """
    if not 1 <= year <= 9999:
        raise invalid(f"{prefix}year", f"must be within 1-9999, not {year}", rule="date.year")
    if not 1 <= month <= 12:
        raise invalid(f"{prefix}month", f"must be within 1-12, not {month}", rule="date.month")
    if not 1 <= day <= 31:
        raise invalid(f"{prefix}day", f"must be within 1-31, not {day}", rule="date.day")
    last = calendar.monthrange(year, month)[1]
    if day > last:
        which = f"February {year}" if month == 2 else _MONTHS[month - 1]
        raise invalid(f"{prefix}day", f"must be within 1-{last}: {which} has no day {day}", rule="date.exists")
    return date(year, month, day)


def require_born_by(born: date, today: date) -> None:
    """Does nothing for a birth on or before `today`.

    Raises:
        InvalidArgumentError: The birth lies in the future; the field is the first part of the date that does.
    """
    if born > today:
        field = "year" if born.year > today.year else "month" if born.month > today.month else "day"
        raise invalid(field, f"the birth date {born} lies in the future", rule="date.not_in_future")


def age_on(born: date, as_of: date) -> int:
    """Returns the completed years. Who was born on 29 February completes a year on 1 March of common years.

    Raises:
        InvalidArgumentError: The birth lies after `as_of`.
    """
    if as_of < born:
        raise invalid("as_of", f"{as_of} lies before the birth date {born}", rule="as_of.after_birth")
    return as_of.year - born.year - ((as_of.month, as_of.day) < (born.month, born.day))


def date_notices(born: date) -> tuple[Notice, ...]:
    """Returns what a reader should know about the date as it was read."""
    if born >= _GREGORIAN_START:
        return ()
    return (
        Notice(
            "BEFORE_GREGORIAN_CALENDAR",
            f"{born} was read as a date of the Gregorian calendar, which began on {_GREGORIAN_START}; "
            "a date of the Julian calendar has to be converted first.",
        ),
    )


def date_inputs(born: date) -> dict[str, str]:
    """Returns the inputs that a number of this date used."""
    return {"day": str(born.day), "month": str(born.month), "year": str(born.year)}
