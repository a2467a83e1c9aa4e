"""Bytes as text: the encoding found, the binary refused; and plain text as a document."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

from onenumbers_documents.model import DocumentError, ParsedDocument, one_line

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES = (
    *("cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
"""Encodings that files of people are in. More of them would only make wrong guesses on short texts likelier."""
_WESTERN = frozenset("äöüÄÖÜßàâçéèêëîïôùûœÀÂÇÉÈÊŒñáíóúÁÍÓÚÑ¿¡ãõÃÕæøåÆØÅ‘’“”„‚–—…•€£§°«»\xa0·©®™½¼²³´ªº")
"""What texts in the languages of western Europe hold beside ASCII, in Windows-1252."""
_MOST_FOREIGN = 0.05
_DENSEST = 0.3
_SAMPLE = 64 * 1024
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_MOST_CONTROL = 0.002
"""Share of control characters above which a text is none."""


_GUESS = "read as {}, which is a guess: save it as UTF-8 to be sure"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text and how it was read."""

    text: str
    encoding: str
    warning: str = ""


def encoding_of(data: bytes) -> tuple[str, str]:
    """Returns the encoding of some bytes and, where it is a guess, a warning.

    A byte order mark decides; then UTF-8 where all bytes agree with it; then Windows-1252 where it makes the text one
    of western Europe, whose encodings charset-normalizer takes for each other; then what charset-normalizer finds
    likeliest. Both look at a sample around the first byte that is not UTF-8.

    Raises:
        DocumentError: No encoding fits.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding, ""
    try:
        data.decode("utf-8")
        return "utf-8", ""
    except UnicodeDecodeError as error:
        position = error.start
    start = max(0, position - _SAMPLE // 2)
    sample = data[start : start + _SAMPLE]
    if _western(sample):
        return "cp1252", _GUESS.format("cp1252")
    best = from_bytes(sample, cp_isolation=list(_CANDIDATES)).best()
    if best is None:
        raise DocumentError(
            f"cannot be read as UTF-8 text (byte 0x{data[position]:02x} at {position}), and no other encoding fits"
        )
    return best.encoding, _GUESS.format(best.encoding)


def _western(sample: bytes) -> bool:
    """Whether the sample is a text of western Europe in Windows-1252: a few letters beside ASCII, the usual ones."""
    special = [character for character in sample.decode("cp1252", errors="replace") if character >= "\x80"]
    letters = sum(byte >= 0x80 or chr(byte).isalpha() for byte in sample)
    foreign = sum(character not in _WESTERN for character in special)
    return len(special) <= letters * _DENSEST and foreign <= len(special) * _MOST_FOREIGN


def decode(data: bytes) -> Decoded:
    """Returns bytes as text, lines ending in a newline.

    Raises:
        DocumentError: They are no text in any encoding.
    """
    encoding, warning = encoding_of(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        name = "UTF-8" if encoding.startswith("utf-8") else encoding
        raise DocumentError(f"cannot be read as UTF-8 text; as {name} it breaks at byte {error.start}") from None
    return Decoded(*_printable(text.replace("\r\n", "\n").replace("\r", "\n"), encoding, warning))


def _printable(text: str, encoding: str, warning: str) -> tuple[str, str, str]:
    """Drops the few control characters that texts hold, and refuses what is binary."""
    # A form feed parts pages; it is white space to every reader.
    text = text.replace("\f", "\n")
    found = sum(1 for _ in _CONTROL.finditer(text))
    if "\x00" in text or found > max(2, len(text) * _MOST_CONTROL):
        raise DocumentError("is binary, not text")
    if found:
        text = _CONTROL.sub("", text)
        warning = "; ".join(filter(None, (warning, f"{found} control characters left out")))
    return text, encoding, warning


def without_control(text: str) -> str:
    """Returns a text without the control characters that a document may not hold."""
    return _CONTROL.sub("", text.replace("\f", "\n"))


def plain(text: str, *, name: str) -> ParsedDocument:
    """Returns plain text as a document; its title is its name.

    Raises:
        DocumentError: It is blank.
    """
    content = text.strip()
    if not content:
        raise DocumentError("holds only white space")
    return ParsedDocument(title=one_line(name), content=f"{content}\n")
