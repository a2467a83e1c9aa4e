"""PDF as Markdown-like text: a heading for each page, so that a citation names it."""

from __future__ import annotations

import re
from typing import Any, BinaryIO

from onenumbers_documents.model import DocumentError, Limits, ParsedDocument, one_line
from onenumbers_documents.text import without_control

_HYPHEN = re.compile(r"(?<=[a-zà-öø-ÿ])[-\u00ad]\n(?=[a-zà-öø-ÿ])")
_MARKER = re.compile(r"^(\s*)(#{1,6}[ \t]|```|~~~)", re.MULTILINE)
_SHOWN_PAGES = 10
_UNSAID = frozenset({"untitled", "anonymous", "unknown", "unspecified"})
"""What programs write where a person wrote nothing."""


def pdf(file: BinaryIO, *, name: str, limits: Limits) -> tuple[ParsedDocument, list[str]]:
    """Returns a PDF, and what of it could not be read.

    Each page with text begins with a heading: the entry of the outline that it belongs to, where there is one, and
    its number from 1. Words that are parted at the end of a line are joined.

    Raises:
        DocumentError: It is damaged, locked with a password, has too many pages, or holds no text.
    """
    from pypdf import PdfReader

    try:
        reader = PdfReader(file, strict=False)
        locked = reader.is_encrypted and not reader.decrypt("")
        count = 0 if locked else len(reader.pages)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - what a broken file makes a parser raise is not known beforehand
        raise DocumentError(f"is a damaged PDF ({type(error).__name__})") from None
    if locked:
        raise DocumentError("is locked with a password")
    if count > limits.max_pages:
        raise DocumentError(f"has {count} pages, at most {limits.max_pages} may be")
    titles = _outline(reader)
    parts: list[str] = []
    broken: list[int] = []
    empty: list[int] = []
    section = ""
    for number in range(1, count + 1):
        section = titles.get(number, section)
        try:
            text = reader.pages[number - 1].extract_text()
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - as above; the other pages may be whole
            broken.append(number)
            continue
        text = _cleaned(text)
        if not text:
            empty.append(number)
            continue
        parts.append(f"## {section}, page {number}\n\n{text}\n" if section else f"## Page {number}\n\n{text}\n")
    if not parts:
        reason = "is a damaged PDF: none of its pages can be read" if broken else "holds no text: scans need OCR first"
        raise DocumentError(reason)
    warnings = [f"{_pages(broken)} could not be read"] if broken else []
    warnings += [f"{_pages(empty)} without text: a scan needs OCR first"] if empty else []
    title, metadata = _properties(reader)
    return ParsedDocument(
        title=title or one_line(name), content="\n".join(parts), metadata={**metadata, "pages": count}
    ), warnings


def _properties(reader: Any) -> tuple[str, dict[str, Any]]:
    try:
        properties = reader.metadata or {}
        title, author = (str(properties.get(key) or "") for key in ("/Title", "/Author"))
    except Exception:  # noqa: BLE001 - a PDF without usable properties is still a text
        return "", {}
    title, author = ("" if text.strip().lower() in _UNSAID else one_line(text) for text in (title, author))
    return title, {"author": author} if author else {}


def _outline(reader: Any) -> dict[int, str]:
    """Returns the first entry of the outline that points to each page; empty where the outline is broken."""
    titles: dict[int, str] = {}
    try:
        waiting = list(reversed(reader.outline))
        while waiting:
            item = waiting.pop()
            if isinstance(item, list):
                waiting.extend(reversed(item))
                continue
            number = reader.get_destination_page_number(item)
            title = one_line(str(item.title or ""), 100)
            if number is not None and number >= 0 and title:
                titles.setdefault(number + 1, title)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - pages without headings are still pages
        return titles
    return titles


def _cleaned(text: str) -> str:
    # Half of a surrogate pair, which broken fonts yield, is no text.
    text = without_control(text.encode(errors="replace").decode()).replace("\r\n", "\n").replace("\r", "\n")
    text = _HYPHEN.sub("", text)
    lines = (line.rstrip() for line in text.split("\n"))
    return _MARKER.sub(r"\1\\\2", re.sub(r"\n{3,}", "\n\n", "\n".join(lines))).strip()


def _pages(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:_SHOWN_PAGES]))
    more = f" and {len(numbers) - _SHOWN_PAGES} more" if len(numbers) > _SHOWN_PAGES else ""
    return f"page {shown}{more}" if len(numbers) == 1 else f"pages {shown}{more}"
