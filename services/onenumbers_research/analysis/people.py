"""The bundled list: historical people with public birth dates, their fields, and where each date can be checked.

Dates are of the Gregorian calendar; where a source gives another calendar, the note keeps what it says. Names are those
by which works of reference know the people, which are not always the names of their birth certificates.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

FIELDS = (
    "art",
    "exploration",
    "film",
    "invention",
    "literature",
    "mathematics",
    "medicine",
    "music",
    "philosophy",
    "politics",
    "science",
    "sport",
)
"""Fields of the list."""


@dataclass(frozen=True, slots=True)
class HistoricalPerson:
    """A person of the list."""

    name: str
    born: date
    field: str
    source: str
    """Where the date can be checked."""
    status: str
    """"S": read in the source. "K": from general knowledge, to be confirmed in it."""
    note: str
    """Such as the date of another calendar; mostly empty."""
    line: int
    """Line in the file."""


@cache
def bundled_people() -> tuple[HistoricalPerson, ...]:
    """Returns the list in the order of its file."""
    text = files("onenumbers_research.analysis").joinpath("people_data", "people.csv").read_text(encoding="utf-8")
    return tuple(
        HistoricalPerson(
            name=row["name"],
            born=date(int(row["year"]), int(row["month"]), int(row["day"])),
            field=row["field"],
            source=row["source"],
            status=row["status"],
            note=row["note"],
            line=line,
        )
        for line, row in enumerate(csv.DictReader(text.splitlines()), start=2)
    )
