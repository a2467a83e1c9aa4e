"""Random inputs of a calculation, and how they are handed to the built-in ones. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from itertools import permutations
from random import Random
from typing import Any, Final

from onenumbers_research.discovery.definitions import Subject
from onenumbers_research.discovery.extraction import Input

ROWS: Final = 366
"""Inputs on which two calculations are compared: every day of the year once. Rules that keep master numbers elsewhere
differ on a few of them alone."""
_YEARS: Final = (1900, 2029)
_LARGEST: Final = 9_999
_PAIR: Final = 2
_LEAP: Final = 2000
_TELLING_DAYS: Final = {11, 19, 22, 28, 29}
_TELLING_MONTH: Final = 11
"""Days and the month whose digits are a master number, at once or after one step."""
_RANGES: Final = {"day": (1, 28), "month": (1, 12), "year": (1950, 2029), "age": (0, 99)}
"""From where numbers of these names are drawn; no other value makes a date."""
_VOWELS: Final = "aeiou"
_OTHERS: Final = "bcdfghjklmnprstvwxyz"


def random_rows(inputs: Sequence[Input], random: Random) -> list[dict[str, Any]]:
    """Returns random inputs: each day of the year once, of 1900-2029; names of two or three words; numbers of 0-9,999.

    Numbers that are called day, month, year or age are drawn from those. Of several days the first is the earliest in
    one row and the latest in the next: a birth lies before the day of which something is asked, whichever comes first.
    Beside a day, a year is none before it, and a number of none of these names is such a year in every second row.
    """
    rows: list[dict[str, Any]] = []
    calendars = [_calendar(random) for item in inputs if item.kind == "date"]
    for place in range(ROWS):
        days = iter(sorted((calendar[place] for calendar in calendars), reverse=place % 2 == 1))
        row: dict[str, Any] = {}
        earliest = min((calendar[place].year for calendar in calendars), default=None)
        for item in inputs:
            if item.kind == "date":
                row[item.name] = next(days).isoformat()
            elif item.kind == "string":
                row[item.name] = _name(random)
            else:
                row[item.name] = random.randint(*_range(item.name, earliest, may_be_year=place % 2 == 0))
        rows.append(row)
    return rows


def _range(name: str, earliest: int | None, *, may_be_year: bool) -> tuple[int, int]:
    words = name.split("_")
    called = next((word for word in _RANGES if word in words), None)
    # Calculations of a year refuse one before the birth: rows of refusals alone would hide a duplicate.
    if earliest is not None and (called == "year" or (called is None and may_be_year)):
        return max(earliest, _RANGES["year"][0]), _RANGES["year"][1]
    return (0, _LARGEST) if called is None else _RANGES[called]


def _calendar(random: Random) -> list[date]:
    """Returns every day of the year once, each of a year of its own: those first on which rules for masters differ."""
    days = [date(_LEAP, 1, 1) + timedelta(days=place) for place in range(ROWS)]
    random.shuffle(days)
    days.sort(key=lambda day: day.day not in _TELLING_DAYS and day.month != _TELLING_MONTH)
    return [_in_some_year(day, random) for day in days]


def _in_some_year(day: date, random: Random) -> date:
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=random.randrange(1904, _YEARS[1], 4) if leap_day else random.randint(*_YEARS))


def _name(random: Random) -> str:
    return " ".join(
        "".join(random.choice(_OTHERS) + random.choice(_VOWELS) for _ in range(random.randint(1, 4))).capitalize()
        + random.choice(("", *_OTHERS))
        for _ in range(random.randint(2, 3))
    )


Bind = Callable[[Mapping[str, Any]], Subject | None]


def bindings(inputs: Sequence[Input]) -> Iterator[Bind]:
    """Yields the ways to hand inputs to the built-in calculations; none for more inputs than those have.

    A text is a name, or what is written on a plate. A number is that of a house; beside a date it is also the year of
    which something is asked; and numbers called day, month and year are a date.
    """
    dates = [item.name for item in inputs if item.kind == "date"]
    texts = [item.name for item in inputs if item.kind == "string"]
    numbers = [item.name for item in inputs if item.kind == "integer"]
    parts: dict[str, str] = {
        part: name for name in numbers for part in ("day", "month", "year") if part in name.split("_")
    }
    if {"day", "month"} <= parts.keys() and not dates and len(parts) == len(numbers):
        numbers = []
    else:
        parts = {}
    if len(dates) > _PAIR or len(texts) > _PAIR or len(numbers) > 1:
        return
    for days in permutations(dates):
        for names in permutations(texts):
            yield partial(_bound, days, names, numbers, parts)


def _bound(
    dates: Sequence[str],
    texts: Sequence[str],
    numbers: Sequence[str],
    parts: Mapping[str, str],
    row: Mapping[str, Any],
) -> Subject | None:
    """Returns the subject of a row; None where its numbers are no date."""
    days = [date.fromisoformat(row[name]) for name in dates]
    names = [str(row[name]) for name in texts]
    number = int(row[numbers[0]]) if numbers else None
    try:
        if parts:
            days = [date(int(row[parts["year"]]) if "year" in parts else _LEAP, *_day_of(row, parts))]
        if len(days) == 1 and number is not None and 0 < number <= _LARGEST:
            days.append(date(number, 12, 31))
    except ValueError:
        return None
    return Subject(
        name=names[0] if names else None,
        second_name=names[1] if len(names) > 1 else None,
        born=days[0] if days else None,
        later=days[1] if len(days) > 1 else None,
        number=number,
        text=names[0] if names else None,
    )


def _day_of(row: Mapping[str, Any], parts: Mapping[str, str]) -> tuple[int, int]:
    return int(row[parts["month"]]), int(row[parts["day"]])
