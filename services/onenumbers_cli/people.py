"""Tables of people: read row by row from CSV or JSON lines, written as CSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import io
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self, cast

from onenumbers.utilities.v1 import calculation_pb2
from onenumbers.utilities.v1 import utilities_pb2 as pb
from onenumbers_cli.errors import CommandError, Exit
from onenumbers_cli.output import as_json

NUMBERS: Final = ("life_path", "expression", "soul_urge", "personality", "birthday", "maturity", "balance")
CYCLES: Final = ("personal_year", "personal_month", "personal_day")
LISTS: Final = ("karmic_lessons", "hidden_passions", "karmic_debts", "pinnacles", "challenges")
COLUMNS: Final = (
    *("id", "name", "counted_name", "birth_date"),
    *NUMBERS,
    *("subconscious_self", *LISTS, *CYCLES, "warnings", "error"),
)
"""Columns of a table; of JSON lines they are the keys, unless whole profiles are wanted."""
_NO_STANDARD: Final = 2**31 - 1
"""A number that no standard has: the server refuses the row by the field's name."""
_LONGEST_LINE: Final = 1_000_000
_GROUP: Final = 10_000
"""Rows of a row group of Parquet."""


class People:
    """The rows of a file, in order.

    Rows that are not what they should be still become rows: the server says what is wrong with them.

    Args:
        path: A .csv file with a header (name, day, month, year or birth_date; id and transliteration are optional), a
            .jsonl file of objects with the same keys, or "-" for CSV on standard input.

    Raises:
        CommandError: On entering, when the file cannot be read or lacks a column.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self.size: int | None = None
        """Bytes in all; None where nobody knows."""

    def __enter__(self) -> Self:
        if self._path == "-":
            self._file = sys.stdin.buffer
            return self
        try:
            self._file = Path(self._path).open("rb")
            self.size = Path(self._path).stat().st_size
        except OSError as error:
            raise CommandError(f"{self._path} cannot be read: {error.strerror}", Exit.USAGE) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None and self._path != "-":
            self._file.close()

    @property
    def read(self) -> int:
        """Bytes read so far."""
        return self._file.tell() if self._file is not None and self.size is not None else 0

    def rows(self) -> Iterator[pb.ProfileInput]:
        """Yields the rows.

        Raises:
            CommandError: The file is not UTF-8, or lacks a column.
        """
        records = self._json_lines() if self._path.endswith((".jsonl", ".ndjson")) else self._csv()
        try:
            for record in records:
                yield _row(record)
        except UnicodeDecodeError as error:
            raise CommandError(f"{self._path} is not UTF-8: byte {error.start} cannot be read", Exit.USAGE) from None
        except csv.Error as error:
            raise CommandError(f"{self._path} is not CSV: {error}", Exit.USAGE) from None

    def _lines(self) -> Iterator[str]:
        assert self._file is not None  # noqa: S101 - entered
        number = 0
        while line := self._file.readline(_LONGEST_LINE + 1):
            number += 1
            if len(line) > _LONGEST_LINE:
                raise CommandError(f"{self._path}: line {number} is longer than {_LONGEST_LINE} bytes", Exit.USAGE)
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")

    def _csv(self) -> Iterator[Mapping[str, Any]]:
        reader = csv.DictReader(self._lines(), strict=True)
        columns = [name.strip().lower() for name in reader.fieldnames or ()]
        reader.fieldnames = columns
        missing = [name for name in ("name",) if name not in columns]
        if "birth_date" not in columns:
            missing += [name for name in ("day", "month", "year") if name not in columns]
        if missing:
            raise CommandError(
                f"{self._path} lacks the column {missing[0]}: name, and day, month, year or birth_date are needed",
                Exit.USAGE,
            )
        yield from reader

    def _json_lines(self) -> Iterator[Mapping[str, Any]]:
        for number, line in enumerate(self._lines(), 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                record = None
            if not isinstance(record, dict):
                raise CommandError(f"{self._path}: line {number} is not a JSON object", Exit.USAGE)
            yield record


def _row(record: Mapping[str, Any]) -> pb.ProfileInput:
    year, month, day = (record.get(name) for name in ("year", "month", "day"))
    if (written := str(record.get("birth_date") or "").strip()) and year in (None, ""):
        year, month, day = (*written.split("-"), "", "")[:3]
    return pb.ProfileInput(
        name=_text(record.get("name")),
        year=_number(year),
        month=_number(month),
        day=_number(day),
        id=_text(record.get("id")),
        transliteration=standard(_text(record.get("transliteration"))),
    )


def standard(written: str) -> calculation_pb2.Transliteration.ValueType:
    """Returns the standard that a text names ("UKRAINIAN_2010"); one that there is not is a number that none has."""
    name = written.strip().upper().removeprefix("TRANSLITERATION_")
    if not name:
        return calculation_pb2.TRANSLITERATION_UNSPECIFIED
    known = dict(calculation_pb2.Transliteration.items())
    return cast("calculation_pb2.Transliteration.ValueType", known.get(f"TRANSLITERATION_{name}", _NO_STANDARD))


def _text(value: Any) -> str:
    return "" if value is None else str(value).encode(errors="replace").decode()


def _number(value: Any) -> int:
    """Returns a whole number, or 0, which no date has and the server refuses by the field's name."""
    try:
        number = int(str(value).strip())
    except ValueError:
        return 0
    return number if 0 <= number < 2**31 else 0


class Table(ABC):
    """Where results go: written beside the file and put in its place at the end, so that none is half-written."""

    def __init__(self, path: str, *, whole: bool) -> None:
        self._path = path
        self._whole = whole
        self._partial = Path(f"{path}.partial")
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        if self._path == "-":
            self._file = sys.stdout.buffer
        else:
            try:
                self._file = self._partial.open("wb")
            except OSError as error:
                raise CommandError(f"{self._path} cannot be written: {error.strerror}", Exit.USAGE) from None
        self._begin(self._file)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._file is not None  # noqa: S101 - entered
        if kind is None:
            self._end()
        if self._path == "-":
            self._file.flush()
            return
        self._file.close()
        if kind is None:
            self._partial.replace(self._path)
        else:
            self._partial.unlink(missing_ok=True)

    def add(self, row: pb.ProfileInput, item: pb.BatchItem) -> None:
        """Writes the outcome of a row."""
        self._write(_whole(row, item) if self._whole else flat(row, item))

    @abstractmethod
    def _begin(self, file: IO[bytes]) -> None: ...

    @abstractmethod
    def _write(self, record: dict[str, Any]) -> None: ...

    def _end(self) -> None:
        pass


class JsonLines(Table):
    """One JSON object a line."""

    def _begin(self, file: IO[bytes]) -> None:
        self._to = file

    def _write(self, record: dict[str, Any]) -> None:
        self._to.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


class Csv(Table):
    """A header and one line a row; lists are separated by spaces."""

    def _begin(self, file: IO[bytes]) -> None:
        self._to = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        self._writer = csv.DictWriter(self._to, COLUMNS)
        self._writer.writeheader()

    def _write(self, record: dict[str, Any]) -> None:
        joined = {name: " ".join(map(str, record[name])) for name in LISTS}
        # A spreadsheet would run a name that begins like a formula.
        texts = {name: _harmless(record[name]) for name in ("id", "name", "warnings", "error")}
        self._writer.writerow(record | joined | texts)

    def _end(self) -> None:
        self._to.detach()


class Parquet(Table):
    """Columns with their types, in row groups."""

    def _begin(self, file: IO[bytes]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = {name: pa.string() for name in ("id", "name", "counted_name", "warnings", "error")}
        types |= {"birth_date": pa.date32()} | {name: pa.list_(pa.int8()) for name in LISTS}
        self._pa = pa
        self._schema = pa.schema([(name, types.get(name, pa.int8())) for name in COLUMNS])
        self._writer = pq.ParquetWriter(file, self._schema)
        self._rows: list[dict[str, Any]] = []

    def _write(self, record: dict[str, Any]) -> None:
        from datetime import date

        if record["birth_date"] is not None:
            record["birth_date"] = date.fromisoformat(record["birth_date"])
        self._rows.append(record)
        if len(self._rows) == _GROUP:
            self._flush()

    def _end(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(self._pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows.clear()


def open_table(path: str, *, whole: bool) -> Table:
    """Returns the table for a file by its ending; CSV on standard output for "-".

    Args:
        path: Ends in .csv, .jsonl or .parquet, or is "-".
        whole: Whether rows are whole profiles, which only JSON lines can hold.

    Raises:
        CommandError: The ending is not known, or cannot hold whole profiles.
    """
    kinds: dict[str, type[Table]] = {".csv": Csv, ".jsonl": JsonLines, ".ndjson": JsonLines, ".parquet": Parquet}
    kind = Csv if path == "-" else kinds.get(Path(path).suffix.lower())
    if path == "-" and whole:
        kind = JsonLines
    if kind is None:
        raise CommandError(f"--output {path}: write a file that ends in .csv, .jsonl or .parquet", Exit.USAGE)
    if whole and kind is not JsonLines:
        raise CommandError("--whole needs JSON lines: write --output FILE.jsonl", Exit.USAGE)
    return kind(path, whole=whole)


def flat(row: pb.ProfileInput, item: pb.BatchItem) -> dict[str, Any]:
    """Returns an outcome as one record with the keys COLUMNS; what is not there is None, of lists none."""
    record: dict[str, Any] = dict.fromkeys(COLUMNS) | {name: [] for name in LISTS}
    record |= {"id": row.id or None, "name": row.name}
    if item.HasField("error"):
        return record | {"error": item.error.message}
    profile = item.profile
    born = profile.birth_date
    record["counted_name"] = profile.name
    record["warnings"] = " ".join(warning.message for warning in profile.warnings) or None
    record["birth_date"] = f"{born.year:04}-{born.month:02}-{born.day:02}"
    for name in NUMBERS:
        number = getattr(profile, name)
        record[name] = number.value if number.HasField("value") else None
    record["subconscious_self"] = profile.subconscious_self
    record["karmic_lessons"] = list(profile.karmic_lessons)
    record["hidden_passions"] = list(profile.hidden_passions)
    record["karmic_debts"] = sorted({debt.number for debt in profile.karmic_debts})
    record["pinnacles"] = [each.number.value for each in profile.pinnacles]
    record["challenges"] = [each.number.value for each in profile.challenges]
    if profile.HasField("cycles"):
        record |= {name: getattr(profile.cycles, name).value for name in CYCLES}
    return record


def _whole(row: pb.ProfileInput, item: pb.BatchItem) -> dict[str, Any]:
    if item.HasField("error"):
        return {"id": row.id, "name": row.name, "error": as_json(item.error)}
    return {"id": row.id, "profile": as_json(item.profile)}


def _harmless(text: str | None) -> str | None:
    return f"'{text}" if text and text[0] in "=+-@\t\r" else text
