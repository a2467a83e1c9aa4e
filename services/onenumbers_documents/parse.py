"""A file as documents, in this process. `reader.Reader` runs it in another one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from onenumbers_documents.kinds import SAMPLE_BYTES, Kind, kind_of
from onenumbers_documents.model import (
    MAX_CONTENT,
    Columns,
    Limits,
    Note,
    ParsedDocument,
    file_name,
    one_line,
)
from onenumbers_documents.text import decode, plain

_OVERLAP = 20_000
"""Characters before the end of a part in which a good place to end it is looked for."""

_MOST_WIDE = 850_000
"""Characters of a part in which some take four bytes."""


def parse(
    file: BinaryIO, *, name: str, media_type: str = "", columns: Columns | None = None, limits: Limits | None = None
) -> Iterator[ParsedDocument | Note]:
    """Yields the documents of a file, and what should be known of it.

    Args:
        file: Its bytes, seekable.
        name: Its name; folders in it are left out.
        media_type: What an uploader calls it; counts where name and content say nothing.
        columns: Which columns of a table are what.
        limits: What it may cost.

    Raises:
        DocumentError: It cannot be read.
    """
    limits = limits if limits is not None else Limits()
    name = file_name(name)
    sample = file.read(SAMPLE_BYTES)
    file.seek(0)
    kind = kind_of(name, sample, media_type)
    facts = {"file": name, "kind": kind.value}
    for item in _items(kind, file, PurePosixPath(name).stem, columns or Columns(), limits):
        if isinstance(item, Note):
            yield item
        else:
            # What the file calls itself does not hide what it is.
            yield from _parts(replace(item, metadata={**item.metadata, **facts}))


def _items(kind: Kind, file: BinaryIO, name: str, columns: Columns, limits: Limits) -> Iterator[ParsedDocument | Note]:
    match kind:
        case Kind.CSV:
            from onenumbers_documents.tables import csv_rows

            yield from csv_rows(file, name=name, columns=columns)
        case Kind.JSONL:
            from onenumbers_documents.tables import json_lines

            yield from json_lines(file, name=name, columns=columns)
        case Kind.JSON:
            from onenumbers_documents.tables import json_file

            yield from json_file(file, name=name, columns=columns)
        case _:
            document, warnings = _single(kind, file, name, limits)
            yield from (Note(warning) for warning in warnings)
            yield document


def _single(kind: Kind, file: BinaryIO, name: str, limits: Limits) -> tuple[ParsedDocument, list[str]]:
    if kind is Kind.PDF:
        from onenumbers_documents.pdf import pdf

        return pdf(file, name=name, limits=limits)
    if kind is Kind.DOCX:
        from onenumbers_documents.docx import docx

        return docx(file, name=name, limits=limits)
    decoded = decode(file.read())
    warnings = [decoded.warning] if decoded.warning else []
    if kind is Kind.MARKDOWN:
        from onenumbers_documents.markdown import markdown

        document, more = markdown(decoded.text, name=name)
        return document, warnings + more
    if kind is Kind.HTML:
        from onenumbers_documents.html import html

        return html(decoded.text, name=name), warnings
    return plain(decoded.text, name=name), warnings


def _parts(document: ParsedDocument) -> Iterator[ParsedDocument]:
    """Yields a document, or its parts where it is longer than one may be; they end at headings or paragraphs."""
    # Four bytes a character: such a text must still fit into a message of 4 MiB.
    most = MAX_CONTENT if max(document.content) <= "\uffff" else _MOST_WIDE
    if len(document.content) <= most:
        yield document
        return
    texts = list(_cuts(document.content, most))
    for number, text in enumerate(texts, start=1):
        facts: dict[str, Any] = {**document.metadata, "part": number, "parts": len(texts)}
        title = f"{one_line(document.title, 260)} (part {number} of {len(texts)})"
        yield replace(document, title=title, content=text, metadata=facts, key=f"part-{number}")


def _cuts(text: str, most: int) -> Iterator[str]:
    start = 0
    while len(text) - start > most:
        end = start + most - 1
        for mark in ("\n#", "\n\n", "\n", " "):
            found = text.rfind(mark, end - _OVERLAP, end)
            if found > start:
                end = found + (1 if mark != "\n#" else 0)
                break
        piece = text[start:end].strip()
        if piece:
            yield f"{piece}\n"
        start = end
    piece = text[start:].strip()
    if piece:
        yield f"{piece}\n"
