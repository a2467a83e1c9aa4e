"""A multipart form with one file, read as its bytes come: fields are kept, the file is handed on in pieces."""

from __future__ import annotations

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from onenumbers_runtime.errors import invalid

FILE_FIELD = "file"
"""Name of the part that holds the file."""
MAX_FIELD_BYTES = 64 * 1024
"""Size of all other parts together at most: the metadata of a document may have 60 KiB."""


class FormReader:
    """Reads one form. Not to be used again.

    Args:
        boundary: What the parts are told apart by.
    """

    def __init__(self, boundary: bytes) -> None:
        self.fields: dict[str, str] = {}
        """Fields so far, by name."""
        self.filename = ""
        """Name that the sender gives to the file."""
        self.media_type = ""
        """What the sender calls it."""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begins,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_ends,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_part_end": self._part_ends,
                "on_end": self._form_ends,
            },
        )
        self._header = self._value = b""
        self._headers: dict[bytes, str] = {}
        self._name = ""
        self._text = bytearray()
        self._field_bytes = 0
        self._pieces: list[bytes] = []
        self._seen_file = self._ended = False

    def feed(self, data: bytes) -> bytes:
        """Reads on; returns the bytes of the file among what was read.

        Raises:
            InvalidArgumentError: It is no form, or a field breaks a rule.
        """
        try:
            self._parser.write(data)
        except MultipartParseError:
            raise invalid("body", "is no multipart form: its parts are damaged", rule="form.readable") from None
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)

    def finish(self) -> None:
        """Says that the form has ended.

        Raises:
            InvalidArgumentError: It was cut off, or holds no file.
        """
        if not self._ended:
            raise invalid("body", "ends before the form does: it was cut off", rule="form.whole")
        if not self._seen_file:
            raise invalid(
                FILE_FIELD, f"is missing: send the file in a part named {FILE_FIELD!r}", rule="form.file_required"
            )

    def _part_begins(self) -> None:
        self._headers, self._text = {}, bytearray()
        self._header = self._value = b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        self._headers[self._header.lower()] = self._value.decode("utf-8", "replace")
        self._header = self._value = b""

    def _headers_end(self) -> None:
        disposition = self._headers.get(b"content-disposition", "")
        # The parser's helper reads a header as latin-1, and browsers send names in UTF-8.
        _, options = parse_options_header(disposition.encode().decode("latin-1"))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if self._name != FILE_FIELD:
            if self._name in self.fields:
                raise invalid(self._name[:100] or "(no name)", "is there twice", rule="form.once")
            if b"filename" in options:
                raise invalid(
                    self._name[:100] or "(no name)",
                    f"holds a file: a form has one, in a part named {FILE_FIELD!r}",
                    rule="form.file_name",
                )
            return
        if self._seen_file:
            raise invalid(FILE_FIELD, "is there twice: send one file at a time", rule="form.once")
        self._seen_file = True
        self.filename = options.get(b"filename", b"").decode("utf-8", "replace")
        self.media_type = self._headers.get(b"content-type", "")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name == FILE_FIELD:
            self._pieces.append(data[start:end])
            return
        self._field_bytes += end - start
        if self._field_bytes > MAX_FIELD_BYTES:
            raise invalid(
                self._name[:100] or "(no name)",
                f"makes the form's fields longer than {MAX_FIELD_BYTES} bytes together",
                rule="form.max_field_bytes",
            )
        self._text += data[start:end]

    def _part_ends(self) -> None:
        if self._name != FILE_FIELD:
            self.fields[self._name] = self._text.decode("utf-8", "replace")

    def _form_ends(self) -> None:
        self._ended = True


def boundary_of(content_type: str) -> bytes | None:
    """Returns the boundary of a multipart form; None where the content type is another one.

    Raises:
        InvalidArgumentError: It is a form without a boundary.
    """
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        return None
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= _LONGEST_BOUNDARY:
        raise invalid("content-type", "names no boundary of the form", rule="form.boundary")
    return boundary


_LONGEST_BOUNDARY = 70
"""RFC 2046."""
