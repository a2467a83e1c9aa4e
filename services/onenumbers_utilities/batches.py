"""Many profiles: rows in, one outcome each, however the rows arrive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import date
from typing import Final

from onenumbers.utilities.v1 import utilities_pb2 as pb
from onenumbers_runtime.errors import FieldViolation, MeshError, invalid
from onenumbers_runtime.status import to_status
from onenumbers_utilities import convert, convert_rows
from onenumbers_utilities.clock import Clock
from onenumbers_utilities.numerology.dates import read_date, require_born_by
from onenumbers_utilities.numerology.options import NumerologyOptions
from onenumbers_utilities.numerology.profile import profile

_SLICE_S: Final = 0.005
"""Seconds that rows may hold the event loop before other calls run, and a cancellation is noticed."""
_MAX_ID_LENGTH: Final = 200
_ROW_FIELDS: Final = ("name", "day", "month", "year", "id", "transliteration")
"""Fields of a row; errors of all others concern the request."""
_OPTION_FIELDS: Final = ("y_overrides",)
_EXAMPLE: Final = ("Ana Pop", date(1968, 11, 14))
"""Any person: the rules in force depend on the options alone."""


class ProfileRows:
    """Calculates rows with the same options.

    Args:
        clock: Tells today's date, after which nobody can be born.
        options: Choices between schools.
        as_of: Date for the cycles, or None.
        explain: Whether results carry their sums.

    Raises:
        InvalidArgumentError: The options contradict each other.
    """

    def __init__(self, *, clock: Clock, options: NumerologyOptions, as_of: date | None, explain: bool) -> None:
        self._clock = clock
        self._options = options
        self._as_of = as_of
        self._explain = explain
        self._converted = convert.profile if explain else convert_rows.profile

    def rules(self) -> list[pb.ProfileRule]:
        """Returns the rules in force, for results that leave them out; none where results carry their own."""
        if self._explain:
            return []
        name, born = _EXAMPLE
        options = NumerologyOptions(
            life_path_method=self._options.life_path_method,
            summing_method=self._options.summing_method,
            personal_year_span=self._options.personal_year_span,
            challenge_ages=self._options.challenge_ages,
        )
        as_of = max(self._as_of, born) if self._as_of is not None else None
        return list(convert_rows.rules(profile(name, born, options, as_of=as_of, explain=False)))

    async def items(self, rows: Iterable[pb.ProfileInput], *, first: int) -> AsyncIterator[pb.BatchItem]:
        """Yields the outcome of each row, and lets other calls run in between.

        Args:
            rows: The rows.
            first: Place of the first one among all.
        """
        slice_end = time.monotonic() + _SLICE_S
        for index, row in enumerate(rows, first):
            yield self._item(index, row)
            if time.monotonic() >= slice_end:
                await asyncio.sleep(0)
                slice_end = time.monotonic() + _SLICE_S

    def _item(self, index: int, row: pb.ProfileInput) -> pb.BatchItem:
        try:
            if len(row.id) > _MAX_ID_LENGTH:
                raise invalid(
                    "id", f"has {len(row.id)} characters, at most {_MAX_ID_LENGTH} may be", rule="id.max_length"
                )
            born = read_date(row.day, row.month, row.year)
            require_born_by(born, self._clock())
            options = self._options if not row.transliteration else self._options_of(row.transliteration)
            found = profile(row.name, born, options, as_of=self._as_of, explain=self._explain)
        except MeshError as error:
            status = to_status(located(error, row=f"profiles[{index}]"))
            return pb.BatchItem(index=index, id=row.id[:_MAX_ID_LENGTH], error=status)
        return pb.BatchItem(index=index, id=row.id, profile=self._converted(found))

    def _options_of(self, transliteration: int) -> NumerologyOptions:
        """Returns the options with a row's own standard for names of other scripts."""
        if transliteration not in convert.TRANSLITERATIONS:
            raise invalid("transliteration", "must be a standard that there is", rule="enum.defined_only")
        return replace(self._options, transliteration=convert.TRANSLITERATIONS[transliteration])


def located(error: MeshError, *, row: str = "") -> MeshError:
    """Returns an error of the domain with the paths that its fields have in the request."""
    if not error.violations:
        return error
    violations: list[FieldViolation] = []
    message = error.message
    for violation in error.violations:
        field = violation.field
        if row and field in _ROW_FIELDS:
            field = f"{row}.{field}"
        elif field.startswith(_OPTION_FIELDS):
            field = f"options.{field}"
        message = message.replace(f"{violation.field}: ", f"{field}: ", 1)
        violations.append(FieldViolation(field, violation.description, violation.rule))
    return type(error)(message, reason=error.reason, violations=violations, metadata=error.metadata)
