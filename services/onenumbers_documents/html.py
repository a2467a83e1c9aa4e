"""HTML as Markdown-like text: headings, paragraphs, lists, tables and preformatted text; scripts and menus dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from onenumbers_documents.model import DocumentError, ParsedDocument, language_tag, one_line
from onenumbers_documents.text import without_control

_DROPPED = frozenset(
    {"script", "style", "noscript", "template", "head", "nav", "form", "button", "select", "textarea", "input"}
    | {"svg", "math", "iframe", "object", "embed", "canvas", "audio", "video"}
)
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "center", "details", "dialog", "div", "fieldset", "footer"}
    | {"figcaption", "figure", "header", "hgroup", "hr", "html", "main", "p", "pre", "search", "section", "summary"}
    | {"dd", "dl", "dt", "li", "ol", "ul", "caption", "table", "tbody", "tfoot", "thead", "tr", "td", "th"}
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_MARKER = re.compile(r"^(\s*)(#{1,6}[ \t]|---|```|~~~)")
_MANY_LINES = re.compile(r"\n{3,}")


def html(text: str, *, name: str) -> ParsedDocument:
    """Returns an HTML page as a document, however broken its markup is.

    The title is that of the page, else its first heading, else the name.

    Raises:
        DocumentError: Nothing of it is text.
    """
    try:
        parser = LexborHTMLParser(text)
    except SelectolaxError:
        # The parser has one error for all; on a text there is hardly another reason.
        raise DocumentError("needs too much memory to be read") from None
    content, heading = to_markdown(parser)
    if not content:
        raise DocumentError("holds no text besides markup")
    element = parser.css_first("title")
    title = one_line(element.text()) if element is not None else ""
    page = parser.css_first("html")
    metadata: dict[str, Any] = {}
    author = parser.css_first("meta[name=author]")
    if author is not None and (author.attributes.get("content") or "").strip():
        metadata["author"] = one_line(author.attributes["content"] or "")
    language = (page.attributes.get("lang") or "") if page is not None else ""
    return ParsedDocument(
        title=title or one_line(heading) or one_line(name),
        content=f"{content}\n",
        metadata=metadata,
        language=language_tag(language),
    )


def to_markdown(parser: LexborHTMLParser) -> tuple[str, str]:
    """Returns the text of a page, and its first heading of the highest level."""
    writer = _Writer()
    for node, closing in _walk(parser.root):
        writer.node(node, closing=closing)
    writer.end_block()
    text = _MANY_LINES.sub("\n\n", "\n".join(writer.lines)).strip()
    return without_control(text), writer.heading[1] if writer.heading is not None else ""


def _walk(root: Any) -> Iterator[tuple[Any, bool]]:
    """Yields every node as it begins and elements as they end, however deep they nest."""
    node = root
    while node is not None:
        yield node, False
        skipped = node.tag in _DROPPED
        child = None if skipped else node.first_child
        if child is not None:
            node = child
            continue
        while node is not None:
            if node.is_element_node:
                yield node, True
            if node.next is not None:
                node = node.next
                break
            node = node.parent


class _Writer:
    """Collects the lines of a page from its nodes in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.heading: tuple[int, str] | None = None
        self._words: list[str] = []
        self._lists: list[int | None] = []
        """The lists that are open: the number of the next item, None for bullets."""
        self._prefix = ""
        self._preformatted = 0
        self._level = 0
        self._row: list[str] | None = None
        self._header = False

    def node(self, node: Any, *, closing: bool) -> None:
        """Takes the beginning or the end of a node."""
        if node.is_text_node:
            self._words.append(node.text_content or "")
        elif node.is_element_node and node.tag not in _DROPPED:
            (self._close if closing else self._open)(node.tag)

    def end_block(self) -> None:
        """Writes what was collected as a paragraph, a heading, or the item of a list."""
        raw, self._words = "".join(self._words), []
        if self._preformatted:
            if raw.strip("\n"):
                self.lines += ["```", *raw.strip("\n").replace("```", "'''").split("\n"), "```", ""]
            return
        text = "\n".join(filter(None, (" ".join(line.split()) for line in raw.split("\v"))))
        if not text:
            return
        if self._level:
            words = text.replace("\n", " ")
            if self.heading is None or self._level < self.heading[0]:
                self.heading = (self._level, words)
            self.lines += ["", f"{'#' * self._level} {words}", ""]
            return
        # A paragraph that begins like a heading is none.
        text = "\n".join(_MARKER.sub(r"\1\\\2", line) for line in text.split("\n"))
        self.lines += [self._prefix + text] if self._prefix or self._lists else [text, ""]
        self._prefix = ""

    def _open(self, tag: str) -> None:
        if tag == "br":
            self._words.append("\n" if self._preformatted else "\v")
        elif tag in ("td", "th"):
            self._flush_unless_row()
            self._words = []
            self._header = self._header or tag == "th"
        elif tag in _HEADINGS:
            self._flush_unless_row()
            self._level = _HEADINGS[tag]
        elif tag in _BLOCKS:
            self._flush_unless_row()
            self._open_block(tag)

    def _open_block(self, tag: str) -> None:
        if tag in ("ul", "ol"):
            self._lists.append(1 if tag == "ol" else None)
        elif tag == "li":
            depth = max(0, min(len(self._lists), 8) - 1)
            number = self._lists[-1] if self._lists else None
            self._prefix = "  " * depth + (f"{number}. " if number is not None else "- ")
            if number is not None:
                self._lists[-1] = number + 1
        elif tag == "tr":
            self._row, self._header = [], False
        elif tag == "pre":
            self._preformatted += 1

    def _close(self, tag: str) -> None:
        if tag in ("td", "th") and self._row is not None:
            cell = " ".join("".join(self._words).replace("\v", " ").split())
            self._row.append(cell.replace("|", "\\|"))
            self._words = []
        elif tag == "tr" and self._row is not None:
            row, self._row = self._row, None
            if any(row):
                self.lines.append(f"| {' | '.join(row)} |")
                if self._header:
                    self.lines.append("|" + " --- |" * len(row))
        elif tag in _HEADINGS:
            self._flush_unless_row()
            self._level = 0
        elif tag in _BLOCKS:
            self._flush_unless_row()
            self._close_block(tag)

    def _close_block(self, tag: str) -> None:
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
            if not self._lists:
                self.lines.append("")
        elif tag == "table":
            self.lines.append("")
        elif tag == "pre" and self._preformatted:
            self._preformatted -= 1
        elif tag == "li":
            self._prefix = ""

    def _flush_unless_row(self) -> None:
        if self._row is None:
            self.end_block()
        else:
            # Blocks within a cell stay on the line of the row.
            self._words.append(" ")
