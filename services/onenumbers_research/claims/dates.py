"""Finds dates in English prose: "14 November 1968", "September 29, 1974", 1950-01-09, 29.09.1974, "29 September".

With slashes the day stands first ("3/4/1985" is 3 April) unless only the other reading is a date.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date


def words(text: str) -> tuple[str, ...]:
    """Returns the words of a list that is written as text."""
    return tuple(text.split())


_MONTHS = words(
    "january february march april may june july august september october november december "
    "jan feb mar apr may jun jul aug sep oct nov dec"
)
MONTH_NAMES = frozenset(_MONTHS) | {"sept"}
_MONTH = r"(?P<month>" + "|".join(sorted(MONTH_NAMES, key=len, reverse=True)) + r")\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})\b",
        r"\b(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})\b",
        r"\b(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})\b",
        rf"\b(?:the )?{_DAY}(?: of)? {_MONTH},?(?: (?P<year>\d{{4}}))?\b",
        rf"\b{_MONTH} {_DAY}(?:,? (?P<year>\d{{4}}))?\b(?!\d)",
        rf"\b{_MONTH},? (?P<year>\d{{4}})\b",
        r"\bthe (?P<day>\d{1,2})(?:st|nd|rd|th)\b",
    )
)


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A date, or the part of one, that a text holds."""

    start: int
    end: int
    """First character and one past the last."""
    day: int | None
    month: int | None
    year: int | None
    problem: str = ""
    """Why it is no date of the calendar; empty where it is one."""


def find_dates(text: str) -> list[FoundDate]:
    """Returns the dates in a text in their order; a place is read once, by the fullest form."""
    found: list[FoundDate] = []
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if not any(item.start < match.end() and match.start() < item.end for item in found):
                found.append(_read(match))
    return sorted(found, key=lambda item: item.start)


def _read(match: re.Match[str]) -> FoundDate:
    parts = match.groupdict()
    day = int(parts["day"]) if parts.get("day") else None
    year = int(parts["year"]) if parts.get("year") else None
    word = (parts.get("month") or "").lower()
    month = int(word) if word.isdigit() else _month(word)
    if "/" in match[0] and month is not None and month > 12 and day is not None and day <= 12:
        day, month = month, day
    problem = _problem(day, month, year, match[0])
    return FoundDate(match.start(), match.end(), day, month, year, problem)


def _month(word: str) -> int | None:
    if not word:
        return None
    return 9 if word == "sept" else _MONTHS.index(word) % 12 + 1


def _problem(day: int | None, month: int | None, year: int | None, text: str) -> str:
    try:
        # 2000 was a leap year: without a year, 29 February is a birthday.
        date(year if year is not None else 2000, month if month is not None else 1, day if day is not None else 1)
    except ValueError:
        return f"there is no date {text}"
    return ""
