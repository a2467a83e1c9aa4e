"""Populations: the bundled list, or a CSV file whose broken rows are reported with their lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import IO, TYPE_CHECKING, Final

from onenumbers_research.analysis.people import bundled_people
from onenumbers_runtime.errors import invalid

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

MAX_BYTES: Final = 16 * 1024 * 1024
"""Largest file; the contract has the same limit."""
MAX_ROWS: Final = 100_000
"""Most rows of a file, broken ones among them."""
MAX_NAME: Final = 200
MAX_FIELD: Final = 100
_REQUIRED: Final = ("name", "day", "month", "year")
_COLUMNS: Final = (*_REQUIRED, "field")
_FIELD: Final = "population_csv"
_ZIP: Final = b"PK\x03\x04"
"""How a ZIP file begins, and with it a file of a spreadsheet program."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person of a population."""

    line: int
    """Line in the file, from 1."""
    name: str
    """May be empty where no name number is wanted."""
    born: date
    field: str
    """May be empty."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that cannot be used."""

    line: int
    column: str
    """Empty where it concerns the row."""
    message: str


@dataclass(frozen=True, slots=True)
class PopulationRows:
    """A population as it was read."""

    members: tuple[Member, ...]
    broken: tuple[Broken, ...]
    description: str


def bundled_population() -> PopulationRows:
    """Returns the bundled list."""
    people = bundled_people()
    return PopulationRows(
        tuple(Member(person.line, person.name, person.born, person.field) for person in people),
        (),
        f"the bundled list of {len(people)} historical people",
    )


def read_population(file: IO[bytes], *, today: date, names: bool) -> PopulationRows:
    """Reads a CSV file: UTF-8, a header, and the columns name, day, month, year and optionally field.

    Args:
        file: Read from its start, a row at a time: only the people are held in memory.
        today: After which nobody can be born.
        names: Whether names are needed; an empty one breaks its row only then.

    Raises:
        InvalidArgumentError: It is no such file, or has more than MAX_ROWS rows, or no row that can be used.
    """
    _require_text(file)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    try:
        members, broken = _rows(reader, today=today, names=names)
    except csv.Error:
        raise invalid(
            _FIELD,
            f"line {reader.line_num} cannot be read: a quote is not closed or stands inside a field, or a field is "
            "longer than 131,072 characters",
            rule="population_csv.csv",
        ) from None
    finally:
        # The file is closed by whom it belongs to.
        text.detach()
    if not members:
        reason = f"; the first is line {broken[0].line}: {_say(broken[0])}" if broken else ""
        raise invalid(
            _FIELD, f"has no row that can be used, and {len(broken)} broken ones{reason}", rule="population_csv.rows"
        )
    return PopulationRows(tuple(members), tuple(broken), f"an uploaded file of {len(members)} usable rows")


def in_period(members: Iterable[Member], first_year: int, last_year: int) -> tuple[Member, ...]:
    """Returns who was born in the years, both included."""
    return tuple(member for member in members if first_year <= member.born.year <= last_year)


def of_field(members: Sequence[Member], field: str) -> tuple[Member, ...]:
    """Returns who is of a field; case makes no difference.

    Raises:
        InvalidArgumentError: Nobody is; the fields that there are are named.
    """
    wanted = field.strip().casefold()
    found = tuple(member for member in members if member.field.casefold() == wanted)
    if not found:
        known = sorted({member.field for member in members if member.field})
        there = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
        raise invalid(
            "field",
            f"nobody here is of the field {field.strip()!r}; the fields are: {there}"
            if known
            else f"nobody here is of the field {field.strip()!r}: the population names no fields",
            rule="field.known",
        )
    return found


@dataclass(frozen=True, slots=True)
class _Header:
    """Where the columns are."""

    places: Mapping[str, int]
    width: int


def _require_text(file: IO[bytes]) -> None:
    """Refuses what is no text in UTF-8, before a row of it is read."""
    file.seek(0)
    for line, data in enumerate(file, start=1):
        if line == 1 and data.startswith(_ZIP):
            raise invalid(
                _FIELD, "is a ZIP file or one of a spreadsheet program: save it as CSV", rule="population_csv.csv"
            )
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            raise invalid(_FIELD, f"line {line} is not UTF-8", rule="population_csv.utf8") from None
        if b"\0" in data:
            raise invalid(_FIELD, f"line {line} holds a zero byte: it is no CSV file", rule="population_csv.csv")


def _rows(reader: CsvReader, *, today: date, names: bool) -> tuple[list[Member], list[Broken]]:
    members: list[Member] = []
    broken: list[Broken] = []
    header = _header(reader)
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if len(members) + len(broken) == MAX_ROWS:
            raise invalid(_FIELD, f"has more than {MAX_ROWS} rows", rule="population_csv.max_rows")
        read = _member(row, header, line=reader.line_num, today=today, names=names)
        if isinstance(read, Member):
            members.append(read)
        else:
            broken.append(read)
    return members, broken


def _header(reader: Iterable[list[str]]) -> _Header:
    header = next((row for row in reader if any(cell.strip() for cell in row)), None)
    if header is None:
        raise invalid(_FIELD, f"is empty: it needs a header with {', '.join(_REQUIRED)}", rule="population_csv.header")
    names = [cell.strip().casefold() for cell in header]
    missing = [column for column in _REQUIRED if column not in names]
    if missing:
        hint = "; columns are separated by commas" if len(names) == 1 else ""
        raise invalid(_FIELD, f"its header lacks {', '.join(missing)}{hint}", rule="population_csv.header")
    twice = [column for column in _COLUMNS if names.count(column) > 1]
    if twice:
        raise invalid(_FIELD, f"its header has {', '.join(twice)} twice", rule="population_csv.header")
    return _Header({column: names.index(column) for column in _COLUMNS if column in names}, len(names))


def _member(row: list[str], header: _Header, *, line: int, today: date, names: bool) -> Member | Broken:
    places = header.places
    if len(row) != header.width:
        return Broken(line, "", f"has {len(row)} columns, the header has {header.width}")
    name = row[places["name"]].strip()
    if names and not name:
        return Broken(line, "name", "is empty")
    if len(name) > MAX_NAME:
        return Broken(line, "name", f"has {len(name)} characters, at most {MAX_NAME} may be")
    field = row[places["field"]].strip() if "field" in places else ""
    if len(field) > MAX_FIELD:
        return Broken(line, "field", f"has {len(field)} characters, at most {MAX_FIELD} may be")
    parts: dict[str, int] = {}
    for column, most in (("day", 31), ("month", 12), ("year", 9999)):
        text = row[places[column]].strip()
        if not (text.isascii() and text.isdigit() and len(text) <= 9):
            return Broken(line, column, f"{text[:20]!r} is no whole number")
        parts[column] = int(text)
        if not 1 <= parts[column] <= most:
            return Broken(line, column, f"must be within 1-{most}, not {parts[column]}")
    try:
        born = date(parts["year"], parts["month"], parts["day"])
    except ValueError:
        return Broken(line, "day", f"the month {parts['month']} of {parts['year']} has no day {parts['day']}")
    if born > today:
        return Broken(line, "year", f"the birth date {born} lies in the future")
    return Member(line, name, born, field)


def _say(broken: Broken) -> str:
    return f"{broken.column} {broken.message}".strip()
