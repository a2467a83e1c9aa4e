"""The bundled list is what it says, and a file of one's own is read row by row."""

import calendar
import io
import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from onenumbers_research.analysis.people import FIELDS, bundled_people
from onenumbers_research.analysis.population import MAX_ROWS, read_population
from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.numerology.counting import DateNumber, NumberOfDates, count_dates
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.profile import profile

TODAY = date(2026, 11, 24)
HEADER = b"name,day,month,year,field\n"
MONTHS = list(calendar.month_name)[1:]


def test_the_list_has_at_least_300_people_each_once_each_with_field_source_and_status():
    people = bundled_people()
    assert len(people) >= 300
    assert [name for name, count in Counter(person.name.casefold() for person in people).items() if count > 1] == []
    for person in people:
        assert person.field in FIELDS, person
        assert person.source, person
        assert person.status in ("S", "K"), person
        assert date(1500, 1, 1) < person.born < date(2000, 1, 1), person
    assert {person.field for person in people} == set(FIELDS)
    assert min(Counter(person.field for person in people).values()) >= 10


def test_every_name_of_the_list_can_be_counted():
    for person in bundled_people():
        assert read_name(person.name).parts
        assert profile(person.name, person.born, explain=False).expression.value


def test_dates_that_were_converted_from_the_julian_calendar_were_converted_rightly():
    converted = 0
    for person in bundled_people():
        match = re.match(r"(\d+) (\w+) (\d+) Julian", person.note)
        if match:
            converted += 1
            day, month, year = int(match[1]), MONTHS.index(match[2]) + 1, int(match[3])
            assert person.born == gregorian(day, month, year), person
    assert converted >= 30


def gregorian(day: int, month: int, year: int) -> date:
    """The Gregorian date of a Julian one: centuries that are no leap years count since the year 200."""
    reckoned = year if month > 2 else year - 1
    return date(year, month, day) + timedelta(days=reckoned // 100 - reckoned // 400 - 2)


def test_rows_are_read_and_broken_ones_are_reported_with_their_lines():
    data = (
        "\ufeff Name ,DAY,Month,year,extra,Field\r\n"
        'Ana Pop,14,11,1968,x,music\r\n"Pop, Ion",29,2,2001,,art\n'
        "\n"
        ",1,1,2000,,\n"
        "Ana,1,13,2000,,\nAna,x,1,2000,,\nAna,1,1,0,,\nAna,1,1,2999,,\nAna,1,1\n"
        f"{'A' * 201},1,1,2000,,\nAna,+1,1,2000,,\nAna,²,1,2000,,\nȘtefan,31,12,1999,,\n"
    ).encode()
    found = read_population(io.BytesIO(data), today=TODAY, names=True)
    assert [(member.line, member.name, member.born, member.field) for member in found.members] == [
        (2, "Ana Pop", date(1968, 11, 14), "music"),
        (14, "Ștefan", date(1999, 12, 31), ""),
    ]
    assert [(row.line, row.column) for row in found.broken] == [
        (3, "day"), (5, "name"), (6, "month"), (7, "day"), (8, "year"), (9, "year"), (10, ""), (11, "name"),
        (12, "day"), (13, "day"),
    ]  # fmt: skip
    assert all(row.message for row in found.broken)
    # Where no name is wanted, an empty one breaks nothing.
    assert 5 in {member.line for member in read_population(io.BytesIO(data), today=TODAY, names=False).members}


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "header"),
        (b"\n\n  \n", "header"),
        (b"name,day,month\nA,1,1\n", "header"),
        (b"name;day;month;year\nA;1;1;2000\n", "header"),
        (b"name,day,day,month,year\nA,1,1,1,2000\n", "header"),
        (HEADER, "rows"),
        (HEADER + b"A,99,1,2000,\n", "rows"),
        (HEADER + b"\xff\xfe,1,1,2000,\n", "utf8"),
        ("name,day,month,year\nAna,1,1,2000\n".encode("utf-16"), "utf8"),
        (HEADER + b"A\0,1,1,2000,\n", "csv"),
        (HEADER + b'"A,1,1,2000,\n', "csv"),
        (HEADER + b'"A"b,1,1,2000,\n', "csv"),
        (HEADER + b"A" * 140_000 + b",1,1,2000,\n", "csv"),
        (HEADER + b"A,1,1,2000,\n" * (MAX_ROWS + 1), "max_rows"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_such_file_is_refused_by_name(data, rule):
    with pytest.raises(InvalidArgumentError) as caught:
        read_population(io.BytesIO(data), today=TODAY, names=False)
    (violation,) = caught.value.violations
    assert (violation.field, violation.rule) == ("population_csv", f"population_csv.{rule}")


def test_the_largest_file_is_read():
    found = read_population(io.BytesIO(HEADER + b"A,1,1,2000,\n" * MAX_ROWS), today=TODAY, names=True)
    assert len(found.members) == MAX_ROWS


def test_the_document_says_how_many_people_there_are_and_the_base_rates_that_are_counted():
    text = (Path(__file__).parents[2] / "docs" / "research-statistics.md").read_text(encoding="utf-8")
    assert f"holds {len(bundled_people())} historical people" in text
    assert all(person.status == "K" for person in bundled_people())
    rows = re.findall(r"^\| (\d+) \| ([\d,-]+) \| ([\d,-]+) \| ([\d,-]+) \|$", text, re.MULTILINE)
    shown = [
        {int(row[0]): int(row[column].replace(",", "")) for row in rows if row[column] != "-"} for column in (1, 2, 3)
    ]
    for number, counts in zip((DateNumber.LIFE_PATH, DateNumber.BIRTHDAY, DateNumber.ATTITUDE), shown, strict=True):
        *_, found = count_dates(NumberOfDates(number), 1900, 1999)
        assert found is not None
        assert counts == dict(found.counts)
        assert found.dates == 36_524
