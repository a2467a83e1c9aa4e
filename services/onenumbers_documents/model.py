"""What is read, what comes out, and the limits in between."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

PARSER_VERSION = 1
"""Grows when the same file gives other documents than before, so that files are read anew."""
MAX_TITLE = 300
"""Characters of a title; what is longer is cut at a word."""
MAX_CONTENT = 1_000_000
"""Characters of a document; a longer text becomes several documents, its parts."""
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{1,8})*")
_MOST_LANGUAGE = 35
_MAX_DEPTH = 10
_LARGEST_INTEGER = 2**53
"""Beyond it a JSON number is not exact."""


class DocumentError(Exception):
    """A file, or a row of one, cannot become a document; the message is one line: what it is and why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may cost."""

    max_bytes: int = 100 * 1024 * 1024
    """Size of a file; a larger one is refused before it is read."""
    deadline_s: float = 60.0
    """Seconds that the parser may work on a file, or on a row of a table."""
    memory_bytes: int = 1536 * 1024 * 1024
    """Address space of the child process that parses."""
    max_entries: int = 5_000
    """Files in a DOCX, which is a zip archive."""
    max_unpacked_bytes: int = 256 * 1024 * 1024
    """Size of all of them unpacked."""
    max_xml_bytes: int = 64 * 1024 * 1024
    """Size of one XML file of them, for it becomes a tree in memory."""
    max_ratio: int = 200
    """Unpacked size to packed size, of a file in the archive that unpacks to more than a megabyte."""
    max_pages: int = 10_000
    """Pages of a PDF."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table, or keys of a JSON object, are what; those left empty go by their usual names."""

    title: str = ""
    content: str = ""
    category: str = ""
    source: str = ""
    key: str = ""
    """Column that identifies a row; the row's number does where there is none."""


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document that was read from a file."""

    title: str
    """1-300 characters, one line."""
    content: str
    """Markdown-like text with `#` headings, 1-1,000,000 characters."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """JSON values: file, kind, page count, author, and the columns of a row that are nothing else."""
    key: str = ""
    """What tells it from the other documents of its file; empty where it is the only one."""
    category: str = ""
    """Where the file says it."""
    source: str = ""
    """Where the file says it."""
    school: str = ""
    """Where the file says it."""
    numbers: tuple[int, ...] = ()
    """Where the file says it."""
    language: str = ""
    """Where the file says it."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something about a file that its reader should know."""

    text: str
    """One line."""
    refused: bool = False
    """Whether a row was left out for it; otherwise it is a warning."""


def file_name(name: str) -> str:
    """Returns the last part of a path, without folders of any system and without control characters.

    A name is only ever shown and kept, never opened; `..` and absolute paths end here.
    """
    last = PurePosixPath(name.replace("\\", "/")).name
    shown = one_line(last.encode(errors="replace").decode(), 255)
    return shown if shown not in ("", ".", "..") else "document"


def one_line(text: str, limit: int = MAX_TITLE) -> str:
    """Returns a text as one line of at most `limit` characters, cut at a word."""
    line = " ".join(_UNPRINTABLE.sub(" ", text).split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut[limit // 2 :] else cut) + "…"


def language_tag(text: str) -> str:
    """Returns a language tag such as "en" or "pt-BR"; nothing where the text is none."""
    return text if len(text) <= _MOST_LANGUAGE and _LANGUAGE.fullmatch(text) else ""


def clean_metadata(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns metadata as JSON can carry it: names of at most 100 characters, numbers exact and finite, no dates.

    Integers that a JSON number cannot hold, and values nested deeper than 10, become text.
    """
    return {one_line(str(name), 100): _json(value, _MAX_DEPTH) for name, value in values.items() if str(name).strip()}


def _json(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST_INTEGER else hex(value) if value.bit_length() > 4_000 else str(value)
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if isinstance(value, Mapping) and depth:
        return {str(name): _json(item, depth - 1) for name, item in value.items()}
    if isinstance(value, list | tuple) and depth:
        return [_json(item, depth - 1) for item in value]
    return str(value).encode(errors="replace").decode()
