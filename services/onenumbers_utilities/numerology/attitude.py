"""The attitude number: month and day of birth."""

from __future__ import annotations

import calendar
from typing import Final

from onenumbers_runtime.errors import invalid
from onenumbers_utilities.numerology.options import DEFAULTS, NumerologyOptions, School
from onenumbers_utilities.numerology.primitives import chain, root
from onenumbers_utilities.numerology.results import Component, NumberResult

_LEAP_YEAR: Final = 2000
"""A year that has every day that any year has."""


def attitude(day: int, month: int, options: NumerologyOptions = DEFAULTS, *, explain: bool = True) -> NumberResult:
    """Returns month + day as whole numbers, reduced with masters kept. Achievement number is another name of it.

    Raises:
        InvalidArgumentError: No year has such a day (rule date.exists, field day), or a part is out of its range.
    """
    if not 1 <= month <= 12:
        raise invalid("month", f"must be within 1-12, not {month}", rule="date.month")
    last = calendar.monthrange(_LEAP_YEAR, month)[1]
    if not 1 <= day <= last:
        raise invalid("day", f"must be within 1-{last} in month {month}, not {day}", rule="date.exists")
    visited = chain(month + day, options.masters())
    inputs = {"day": str(day), "month": str(month)}
    if options.master_set is not None:
        inputs["master_numbers"] = options.master_set.value
    return NumberResult(
        value=visited[-1],
        root=root(visited[-1]),
        is_master=visited[-1] > 9,
        total=visited[0],
        chain=visited,
        rule_id="attitude.month_and_day",
        school=School.PYTHAGOREAN,
        inputs_used=inputs,
        components=(
            Component("month", str(month), month, month, (month,)),
            Component("day", str(day), day, day, (day,)),
        )
        if explain
        else (),
    )
