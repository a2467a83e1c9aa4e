"""Markdown as a document: front matter read, underlined headings made `#` headings, comments and scripts dropped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from onenumbers_documents.model import DocumentError, ParsedDocument, clean_metadata, language_tag, one_line

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_MOST_FRONT = 64 * 1024
_DROPPED = re.compile(r"\s*<(?:!--|script|style)", re.IGNORECASE)
_OWN = frozenset({"title", "category", "source", "school", "numbers", "language", "lang"})
_LARGEST_NUMBER = 99


def markdown(text: str, *, name: str) -> tuple[ParsedDocument, list[str]]:
    """Returns Markdown as a document, and what should be known of it.

    The title is that of the front matter, else the first heading of the highest level, else the name. Apart from what
    the module's first line says, the text stays as its author wrote it.

    Raises:
        DocumentError: It is blank.
    """
    fields, body, warnings = _front_matter(text)
    content, heading = _normalised(body)
    if not content.strip():
        raise DocumentError("holds only white space")
    title = fields.get("title")
    title = title if isinstance(title, str) and title.strip() else heading or name
    document = ParsedDocument(title=one_line(title), content=f"{content.strip()}\n")
    return with_fields(document, fields), warnings


def with_fields(document: ParsedDocument, fields: Mapping[str, Any]) -> ParsedDocument:
    """Returns a document with what front matter or a row says of it; what it has no field for becomes metadata."""

    def text(name: str) -> str:
        value = fields.get(name)
        return one_line(value, 100) if isinstance(value, str) else ""

    language = text("language") or text("lang")
    return replace(
        document,
        category=text("category").lower(),
        source=text("source").lower(),
        school=text("school"),
        language=language_tag(language),
        numbers=numbers(fields.get("numbers")),
        metadata={
            **document.metadata,
            **clean_metadata({key: value for key, value in fields.items() if key not in _OWN}),
        },
    )


def numbers(value: Any) -> tuple[int, ...]:
    """Returns the numbers 0-99 that a list, a number, or a text such as "7, 16" holds; none for another value."""
    parts = re.findall(r"[^\s,;|]+", value) if isinstance(value, str) else value if isinstance(value, list) else [value]
    found = [int(str(part)) for part in parts if re.fullmatch(r"\d{1,2}", str(part))]
    return tuple(sorted({number for number in found if number <= _LARGEST_NUMBER})) if len(found) == len(parts) else ()


def _front_matter(text: str) -> tuple[dict[str, Any], str, list[str]]:
    match = _FRONT.match(text)
    if match is None:
        return {}, text, []
    if len(match[1]) > _MOST_FRONT:
        return {}, text, ["its front matter is longer than 64 KiB and was read as text"]
    try:
        fields = yaml.safe_load(match[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}, text, ["its front matter is not YAML and was read as text"]
    # Two rulers may enclose text that is YAML only by chance.
    if not isinstance(fields, dict):
        return {}, text, []
    return {str(key): value for key, value in fields.items()}, text[match.end() :], []


def _normalised(text: str) -> tuple[str, str]:
    """Returns the text with its headings as `#` lines, and the first heading of the highest level."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    lines = text.split("\n")
    best: tuple[int, str] | None = None
    edits: list[tuple[int, int, list[str]]] = []
    for position, token in enumerate(tokens):
        if token.map is None:
            continue
        start, end = token.map
        if token.type == "heading_open":
            level, words = int(token.tag[1]), _words(tokens[position + 1])
            if words and (best is None or level < best[0]):
                best = (level, words)
            if token.markup in ("=", "-"):
                edits.append((start, end, [f"{'#' * level} {' '.join(tokens[position + 1].content.split())}"]))
        elif token.type == "html_block" and _DROPPED.match(token.content):
            edits.append((start, end, []))
    for start, end, new in reversed(edits):
        lines[start:end] = new
    return "\n".join(lines), best[1] if best is not None else ""


def _words(inline: Token) -> str:
    """Returns the text of a heading without its marks."""
    parts = [child.content for child in inline.children or () if child.type in ("text", "code_inline", "image")]
    return " ".join("".join(parts).split())
