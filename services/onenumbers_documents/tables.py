"""CSV and JSON lines as documents, one a row, read row by row: a broken row stops no other."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NoReturn

from onenumbers_documents.markdown import with_fields
from onenumbers_documents.model import (
    MAX_CONTENT,
    Columns,
    DocumentError,
    Note,
    ParsedDocument,
    one_line,
)
from onenumbers_documents.text import decode, encoding_of, without_control

_USUAL = {
    "title": ("title", "name", "heading", "question", "subject"),
    "content": ("content", "text", "body", "answer", "description", "passage"),
    "category": ("category",),
    "source": ("source",),
    "key": ("id", "document_id", "key", "_id"),
}
"""Names by which a column is recognised, the likeliest first; small and capital letters are the same."""
_SAMPLE = 256 * 1024
_DELIMITERS = ",;\t|"
_MOST_COLUMNS = 200
_LONGEST_LINE = 8 * 1024 * 1024
"""Bytes of a line of JSON."""
_SHOWN = 60
_BROKEN = "\ufffd"
"""What stands for bytes that could not be decoded."""

Row = ParsedDocument | Note


def csv_rows(file: BinaryIO, *, name: str, columns: Columns) -> Iterator[Row]:
    """Yields a document for each row of a CSV file whose first row names the columns.

    The delimiter (comma, semicolon, tab, bar) is recognised. Columns that are no field of a document become metadata.

    Raises:
        DocumentError: There is no such first row, or no column holds the content.
    """
    encoding, warning = encoding_of(file.read(_SAMPLE).rsplit(b"\n", 1)[0])
    if warning:
        yield Note(warning)
    file.seek(0)
    # Bytes that break the encoding further down break their row, not the file.
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
    try:
        sample = text.read(_SAMPLE)
        text.seek(0)
        csv.field_size_limit(MAX_CONTENT * 2)
        reader = csv.reader(text, delimiter=_delimiter(sample))
        header = [one_line(column) for column in _next(reader) or ()]
        fields = _assigned(header, columns)
        if len(header) > _MOST_COLUMNS or len(set(header)) < len(header) or not all(header):
            raise DocumentError(f"its first row must name each column once, and at most {_MOST_COLUMNS} of them")
        yield from _csv_rows(reader, header, fields, name, encoding)
    finally:
        text.detach()


def _csv_rows(reader: Any, header: list[str], fields: dict[str, str], name: str, encoding: str) -> Iterator[Row]:
    number = 1
    while True:
        number += 1
        try:
            row = _next(reader)
        except DocumentError as error:
            yield Note(f"row {number}: {error}", refused=True)
            continue
        if row is None:
            return
        if not any(row):
            continue
        if any(_BROKEN in field for field in row):
            yield Note(f"row {number}: holds bytes that are no {encoding}", refused=True)
            continue
        if len(row) != len(header):
            yield Note(f"row {number}: has {len(row)} fields, the first row has {len(header)}", refused=True)
            continue
        values = {column: value for column, value in zip(header, row, strict=True) if value.strip()}
        yield _document(values, fields, number, name)


def _next(reader: Any) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        raise DocumentError(one_line(str(error))) from None


def _delimiter(sample: str) -> str:
    """Returns the delimiter that the first line uses most; a comma where it uses none."""
    first = sample.split("\n", 1)[0]
    return max(_DELIMITERS, key=first.count) if any(mark in first for mark in _DELIMITERS) else ","


def json_lines(file: BinaryIO, *, name: str, columns: Columns) -> Iterator[Row]:
    """Yields a document for each line, which is a JSON object; blank lines are passed over."""
    fields: dict[str, str] | None = None
    number = 0
    while line := file.readline(_LONGEST_LINE + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if len(line) > _LONGEST_LINE:
            yield Note(f"line {number}: is longer than {_LONGEST_LINE // 2**20} MiB", refused=True)
            while line and not line.endswith(b"\n"):
                line = file.readline(_LONGEST_LINE)
            continue
        if not line.strip():
            continue
        try:
            value = _object(line)
            # Each object names its keys itself; the fields are found anew where they are not those of the last one.
            if fields is None or fields["content"] not in value:
                fields = _assigned(list(value), columns)
        except DocumentError as error:
            yield Note(f"line {number}: {error}", refused=True)
            continue
        yield _document(value, fields, number, name, unit="line")


def json_file(file: BinaryIO, *, name: str, columns: Columns) -> Iterator[Row]:
    """Yields the documents of a JSON file: an object is one, each object of a list is one.

    Raises:
        DocumentError: It is not JSON, or neither object nor list.
    """
    value = _parsed(decode(file.read()).text)
    if isinstance(value, dict):
        document = _document(value, _assigned(list(value), columns), 0, name)
        if isinstance(document, Note):
            raise DocumentError(document.text.partition(": ")[2])
        yield document
        return
    if not isinstance(value, list):
        raise DocumentError("holds neither a JSON object nor a list of them")
    for number, item in enumerate(value, start=1):
        try:
            fields = _assigned(list(_checked(item)), columns)
        except DocumentError as error:
            yield Note(f"item {number}: {error}", refused=True)
            continue
        yield _document(item, fields, number, name, unit="item")


def _object(line: bytes) -> dict[str, Any]:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise DocumentError(f"is not UTF-8 at byte {error.start}, as JSON must be") from None
    return _checked(_parsed(text))


def _checked(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DocumentError("is not a JSON object")
    return value


def _parsed(text: str) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise DocumentError(f"holds {constant}, which is not JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise DocumentError(f"is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise DocumentError("is nested too deeply") from None
    except ValueError:
        raise DocumentError("holds a number of too many digits") from None


def _assigned(names: list[str], columns: Columns) -> dict[str, str]:
    """Returns the column of each field, "" where there is none.

    Raises:
        DocumentError: A column that was asked for is not there, or none holds the content.
    """
    by_name = {name.lower(): name for name in reversed(names)}
    found: dict[str, str] = {}
    for field, usual in _USUAL.items():
        asked = getattr(columns, field)
        if asked and asked.lower() not in by_name:
            raise DocumentError(f"has no column {asked!r} for the {field}: it has {_shown(names)}")
        candidates = (asked.lower(),) if asked else usual
        found[field] = next((by_name[name] for name in candidates if name in by_name), "")
    if not found["content"]:
        raise DocumentError(f"has no column for the content: it has {_shown(names)}")
    return found


def _shown(names: list[str]) -> str:
    return one_line(", ".join(names), 200) or "none"


def _document(values: Mapping[str, Any], fields: dict[str, str], number: int, name: str, *, unit: str = "row") -> Row:
    def text(field: str) -> str:
        value = values.get(fields[field], "") if fields[field] else ""
        return without_control(value.encode(errors="replace").decode()) if isinstance(value, str) else str(value or "")

    raw = values.get(fields["content"])
    content = text("content").replace("\r\n", "\n").strip()
    if not isinstance(raw, str) or not content:
        return Note(f"{unit} {number}: its {fields['content'][:_SHOWN]!r} holds no text", refused=True)
    if len(content) >= MAX_CONTENT:
        return Note(
            f"{unit} {number}: has {len(content):,} characters, at most {MAX_CONTENT - 1:,} may be", refused=True
        )
    used = {column for column in fields.values() if column}
    title = one_line(text("title")) or (f"{one_line(name)}, {unit} {number}" if number else one_line(name))
    key = text("key") or (str(number) if number else "")
    document = ParsedDocument(title=title, content=f"{content}\n", key=key, metadata={unit: number} if number else {})
    rest = {column: value for column, value in values.items() if column not in used}
    return with_fields(document, {**rest, "category": text("category"), "source": text("source")})
