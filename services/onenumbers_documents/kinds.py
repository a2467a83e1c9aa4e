"""Which kind a file is: by its content first, by the end of its name where the content is text."""

from __future__ import annotations

import enum
import re
from pathlib import PurePosixPath

from onenumbers_documents.model import DocumentError

SAMPLE_BYTES = 64 * 1024
"""Bytes of a file that are looked at."""


class Kind(enum.StrEnum):
    """A kind of file that can be read."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"
    CSV = "csv"
    JSONL = "jsonl"
    JSON = "json"


SUFFIXES = {
    ".txt": Kind.TEXT,
    ".text": Kind.TEXT,
    ".md": Kind.MARKDOWN,
    ".markdown": Kind.MARKDOWN,
    ".html": Kind.HTML,
    ".htm": Kind.HTML,
    ".xhtml": Kind.HTML,
    ".pdf": Kind.PDF,
    ".docx": Kind.DOCX,
    ".csv": Kind.CSV,
    ".tsv": Kind.CSV,
    ".jsonl": Kind.JSONL,
    ".ndjson": Kind.JSONL,
    ".json": Kind.JSON,
}
"""Ends of names that a folder is searched for."""
_MEDIA_TYPES = {
    "text/plain": Kind.TEXT,
    "text/markdown": Kind.MARKDOWN,
    "text/html": Kind.HTML,
    "application/xhtml+xml": Kind.HTML,
    "application/pdf": Kind.PDF,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": Kind.DOCX,
    "text/csv": Kind.CSV,
    "text/tab-separated-values": Kind.CSV,
    "application/jsonl": Kind.JSONL,
    "application/x-ndjson": Kind.JSONL,
    "application/json": Kind.JSON,
}
_BINARY = (
    (b"\xd0\xcf\x11\xe0", "an old Office file: save it as .docx first"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"SQLite format 3\x00", "a database"),
    (b"{\\rtf", "an RTF file: save it as .docx first"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
)
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
"""Byte order marks: what begins with one is text, whatever zeros follow."""
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html[\s>])", re.IGNORECASE | re.DOTALL)


def kind_of(name: str, sample: bytes, media_type: str = "") -> Kind:
    """Returns the kind of a file.

    Args:
        name: Its name; only the end counts.
        sample: Its first bytes, up to SAMPLE_BYTES.
        media_type: What an uploader calls it; counts where the name says nothing.

    Raises:
        DocumentError: It is binary, and neither PDF nor DOCX; or empty.
    """
    media_type = media_type.partition(";")[0].strip().lower()
    named = SUFFIXES.get(PurePosixPath(name).suffix.lower()) or _MEDIA_TYPES.get(media_type)
    if not sample:
        raise DocumentError("is empty")
    # Some PDFs have a few bytes before their beginning; a text may well speak of it.
    if sample.startswith(b"%PDF-") or (named in (None, Kind.PDF) and b"%PDF-" in sample[:1024]):
        return Kind.PDF
    if sample.startswith(b"PK\x03\x04"):
        # An archive that is no Word document is told from one by what is in it.
        return Kind.DOCX
    if sample.startswith(_MARKS):
        return _textual(named)
    for magic, description in _BINARY:
        if sample.startswith(magic):
            raise DocumentError(f"is {description}, which is not read")
    if b"\x00" in sample:
        raise DocumentError("is binary, not text")
    if named is Kind.PDF:
        raise DocumentError("is not a PDF: it does not begin like one")
    if named is Kind.DOCX:
        raise DocumentError("is not a Word document: it does not begin like one")
    if named in (None, Kind.TEXT) and _HTML.match(sample[:4096]):
        return Kind.HTML
    return _textual(named)


def _textual(named: Kind | None) -> Kind:
    return named if named is not None and named not in (Kind.PDF, Kind.DOCX) else Kind.TEXT
