"""Word documents as Markdown-like text: unpacked within limits, converted by mammoth."""

from __future__ import annotations

import zipfile
import zlib
from typing import Any, BinaryIO
from xml.etree import ElementTree as ET

from selectolax.lexbor import LexborHTMLParser

from onenumbers_documents.html import to_markdown
from onenumbers_documents.model import DocumentError, Limits, ParsedDocument, one_line

_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
"""
_CORE = "docProps/core.xml"
_DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
_MOST_CORE = 256 * 1024
_SMALL = 1024 * 1024
"""Bytes below which a file of an archive may be packed as tightly as it likes."""


def docx(file: BinaryIO, *, name: str, limits: Limits) -> tuple[ParsedDocument, list[str]]:
    """Returns a Word document, and what of it could not be read.

    Raises:
        DocumentError: It is no Word document, is damaged, is locked with a password, or is a zip bomb.
    """
    import mammoth  # type: ignore[import-untyped]

    fields = _checked(file, limits)
    file.seek(0)
    try:
        result = mammoth.convert_to_html(
            file,
            style_map=_STYLES,
            convert_image=mammoth.images.img_element(lambda _: {}),
            external_file_access=False,
            include_embedded_style_map=False,
        )
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - what a broken document makes a parser raise is not known beforehand
        raise DocumentError(f"is a damaged Word document ({type(error).__name__})") from None
    content, heading = to_markdown(LexborHTMLParser(result.value))
    if not content:
        raise DocumentError("holds no text")
    warnings = sorted({one_line(message.message, 200) for message in result.messages if message.type == "error"})
    metadata: dict[str, Any] = {"author": fields["creator"]} if fields.get("creator") else {}
    title = fields.get("title") or one_line(heading) or one_line(name)
    return ParsedDocument(title=title, content=f"{content}\n", metadata=metadata), warnings


def _checked(file: BinaryIO, limits: Limits) -> dict[str, str]:
    """Holds the archive's own table to the limits before anything is unpacked; returns title and author.

    A table that lies does not help a bomb: no more is unpacked of a file than the table says.

    Raises:
        DocumentError: A limit is broken, or it is no Word document.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _hold(entries, limits)
            names = {entry.filename for entry in entries}
            if "[Content_Types].xml" not in names or not any(name.startswith("word/") for name in names):
                raise DocumentError("is a zip archive, but no Word document")
            if _CORE not in names or archive.getinfo(_CORE).file_size > _MOST_CORE:
                return {}
            return _properties(archive.read(_CORE))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, OSError, RuntimeError):
        raise DocumentError("is a damaged zip archive: a Word document is one") from None


def _hold(entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(entries) > limits.max_entries:
        raise DocumentError(f"has {len(entries)} files in its archive, at most {limits.max_entries} may be")
    total = sum(entry.file_size for entry in entries)
    if total > limits.max_unpacked_bytes:
        raise DocumentError(f"unpacks to {_mib(total)} MiB, at most {_mib(limits.max_unpacked_bytes)} MiB may be")
    for entry in entries:
        shown = one_line(entry.filename, 80)
        if entry.flag_bits & 1:
            raise DocumentError("is locked with a password")
        if entry.file_size > _SMALL and entry.file_size > limits.max_ratio * max(1, entry.compress_size):
            raise DocumentError(f"is a zip bomb: {shown} unpacks to more than {limits.max_ratio} times its size")
        if entry.filename.endswith((".xml", ".rels")) and entry.file_size > limits.max_xml_bytes:
            raise DocumentError(
                f"holds {shown} of {_mib(entry.file_size)} MiB, at most {_mib(limits.max_xml_bytes)} MiB may be"
            )


def _properties(xml: bytes) -> dict[str, str]:
    """Returns title and author of the document's properties; none where they are broken, for they are only that."""
    try:
        # This process is limited, the file is small, and expat refuses entities that grow without bounds.
        root = ET.fromstring(xml)  # noqa: S314
    except ET.ParseError:
        return {}
    found = {field: root.findtext(f"{{{_DUBLIN_CORE}}}{field}") or "" for field in ("title", "creator")}
    return {field: one_line(text) for field, text in found.items() if text.strip()}


def _mib(size: int) -> int:
    return -(-size // (1024 * 1024))
