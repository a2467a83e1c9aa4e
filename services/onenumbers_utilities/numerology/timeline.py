"""Which years of a life a timeline shows."""

from __future__ import annotations

from datetime import date

from onenumbers_runtime.errors import invalid
from onenumbers_utilities.numerology.dates import age_on
from onenumbers_utilities.numerology.transits import MAX_AGE


def timeline_ages(born: date, *, from_age: int | None, to_age: int | None, as_of: date | None) -> range:
    """Returns the ages of a timeline, at most 121: those asked for, or the one of a date, or all from 0 to 120.

    Raises:
        InvalidArgumentError: Ages and a date are given together (rule timeline.as_of_or_ages), an age lies outside of
            0-120 (timeline.age), the last lies before the first (timeline.order), or the date lies before the birth.
    """
    for field, age in (("from_age", from_age), ("to_age", to_age)):
        if age is None:
            continue
        if as_of is not None:
            raise invalid("as_of", f"contradicts {field}: give a date or ages", rule="timeline.as_of_or_ages")
        if not 0 <= age <= MAX_AGE:
            raise invalid(field, f"must be within 0-{MAX_AGE}, not {age}", rule="timeline.age")
    if as_of is not None:
        age = age_on(born, as_of)
        if age > MAX_AGE:
            raise invalid("as_of", f"is {age} years after the birth, at most {MAX_AGE} may be", rule="timeline.age")
        return range(age, age + 1)
    first, last = from_age or 0, MAX_AGE if to_age is None else to_age
    if last < first:
        raise invalid("to_age", f"must not lie before from_age, {first}", rule="timeline.order")
    return range(first, last + 1)
