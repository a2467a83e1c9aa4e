"""`onenumbers calculate`: a table of people in, a table of profiles out, over one stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

import grpc
from google.type import date_pb2
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from onenumbers.utilities.v1 import calculation_pb2, utilities_pb2_grpc
from onenumbers.utilities.v1 import utilities_pb2 as pb
from onenumbers_cli.client import Connection, connected
from onenumbers_cli.errors import CommandError, Exit, explain
from onenumbers_cli.output import err, print_json
from onenumbers_cli.people import People, open_table

_CHUNK = 200
"""Rows of a message."""


@dataclass(frozen=True, slots=True)
class NameOptions:
    """How names are read."""

    transliteration: str
    """The standard for names of another script, for rows that name none; "" refuses such names."""
    letter_policy: str
    """How letters with marks become A-Z; "" drops the marks."""

    def profile_options(self) -> pb.ProfileOptions:
        """Returns them as options of profiles.

        Raises:
            CommandError: There is no such standard, or no such policy.
        """
        return pb.ProfileOptions(
            transliteration=_chosen(calculation_pb2.Transliteration, "TRANSLITERATION", self.transliteration),
            letter_policy=_chosen(calculation_pb2.LetterPolicy, "LETTER_POLICY", self.letter_policy),
        )


def _chosen(values: Any, prefix: str, written: str) -> Any:
    if not written:
        return 0
    name = written.upper().removeprefix(f"{prefix}_")
    known = [each.removeprefix(f"{prefix}_") for each in values.keys()]  # noqa: SIM118 - an enum of protobuf
    if name not in known or name == "UNSPECIFIED":
        option = prefix.lower().replace("_", "-")
        there_are = ", ".join(each for each in known if each != "UNSPECIFIED")
        raise CommandError(f"--{option} {written}: there are {there_are}", Exit.USAGE)
    return values.Value(f"{prefix}_{name}")


def calculate_people(
    *, source: str, output: str, as_of: str, names: NameOptions, whole: bool, to: Connection, as_json: bool
) -> None:
    """Calculates every row of a table.

    Raises:
        CommandError: A file cannot be used, or the mesh does not answer; also when a row has an error, at the end.
    """
    settings = pb.StreamProfilesSettings(as_of=_date(as_of), explain=whole, options=names.profile_options())
    waiting: deque[pb.ProfileInput] = deque()
    done = failed = 0
    with (
        People(source) as people,
        open_table(output, whole=whole) as table,
        connected(to) as client,
        _progress(known=people.size is not None) as progress,
    ):
        task = progress.add_task("calculating", total=people.size)
        broken: list[CommandError] = []

        def requests() -> Iterator[pb.StreamProfilesRequest]:
            """Runs in gRPC's own thread: what it raises would be lost there."""
            rows = people.rows()
            first = True
            try:
                while chunk := list(islice(rows, _CHUNK)):
                    waiting.extend(chunk)
                    yield pb.StreamProfilesRequest(profiles=chunk, settings=settings if first else None)
                    first = False
            except CommandError as error:
                broken.append(error)

        stub = utilities_pb2_grpc.UtilitiesServiceStub(client.channel)
        call = stub.StreamProfiles(requests(), timeout=to.timeout_s, metadata=client.metadata)
        try:
            for response in call:
                for item in response.items:
                    table.add(waiting.popleft(), item)
                    failed += item.HasField("error")
                done += len(response.items)
                progress.update(task, completed=people.read, description=f"{done:,} rows, {failed:,} with errors")
        except grpc.RpcError as error:
            raise broken[0] if broken else explain(error, to.target) from None
        if broken:
            raise broken[0]
    if as_json and output != "-":
        print_json({"rows": done, "errors": failed, "output": output})
    else:
        err.print(f"{done:,} rows, {failed:,} with errors: {output}", markup=False)
    if failed:
        raise CommandError(f"{failed:,} of {done:,} rows have an error: see the column error", Exit.INVALID)


def _date(text: str) -> date_pb2.Date | None:
    if not text:
        return None
    try:
        value = date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--as-of {text}: write a date as YYYY-MM-DD", Exit.USAGE) from None
    return date_pb2.Date(year=value.year, month=value.month, day=value.day)


def _progress(*, known: bool) -> Progress:
    columns = [BarColumn(), TaskProgressColumn(), TimeRemainingColumn()] if known else []
    text = TextColumn("{task.description}", markup=False)
    return Progress(text, *columns, console=err, transient=True, disable=not err.is_terminal)
