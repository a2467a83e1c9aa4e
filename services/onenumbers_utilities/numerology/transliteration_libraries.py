"""The libraries that write names of other scripts by a standard."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import version

import iuliia

from onenumbers_utilities.numerology.transliteration_standards import Library, Standard


def write(text: str, standard: Standard) -> str:
    """Returns a text of the standard's letters as its library writes it.

    Raises:
        ValueError: No library carries the standard.
    """
    if standard.library is None:
        raise ValueError(f"{standard.title} is carried by no library")
    return _writer(standard.library, standard.map)(text)


def provenance(standard: Standard) -> str:
    """Returns what wrote a standard: "interscript 0.1.0, elot-ell-Grek-Latn-743-1982-ts", or whose table was used."""
    if standard.library is None:
        return f"table of {standard.source}"
    return f"{_released(standard.library)}, {standard.map}"


@cache
def _released(library: Library) -> str:
    return f"{library.value} {version(library.value)}"


@cache
def _writer(library: Library, name: str) -> Callable[[str], str]:
    if library is Library.IULIIA:
        schema = getattr(iuliia, name)
        return lambda text: str(schema.translate(text))
    # Imported where they are needed: interscript takes a tenth of a second, and most names are Latin.
    if library is Library.BIBLICAL_TRANSLITERATION:
        from biblical_transliteration import HebrewOptions, HebrewScheme, HebrewTransliterator

        # One for each name: it keeps in itself whether the text that it is given has points.
        options = HebrewOptions(scheme=HebrewScheme[name])
        return lambda text: str(HebrewTransliterator(options).transliterate(text))
    import interscript

    interscript.load_map(name)
    return lambda text: str(interscript.transliterate(name, text))
