"""Options that requests of many tools share, read by field name. A field that a request lacks is the default."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, TypeVar

from onenumbers_utilities import convert
from onenumbers_utilities.clock import Clock
from onenumbers_utilities.numerology.dates import read_date, require_born_by
from onenumbers_utilities.numerology.name_numbers import MarkedName, mark_name
from onenumbers_utilities.numerology.names import Name, read_name
from onenumbers_utilities.numerology.options import NumerologyOptions, YOverride
from onenumbers_utilities.numerology.tables import CHALDEAN, PYTHAGOREAN, LetterTable

T = TypeVar("T")
_TABLES = {"": PYTHAGOREAN, PYTHAGOREAN.name: PYTHAGOREAN, CHALDEAN.name: CHALDEAN}


def read_options(request: Any) -> NumerologyOptions:
    """Returns the options of a request."""
    overrides = request.y_overrides if _has(request, "y_overrides") else ()
    return NumerologyOptions(
        life_path_method=_chosen(request, "life_path_method", convert.LIFE_PATH_METHODS),
        summing_method=_chosen(request, "summing_method", convert.SUMMING_METHODS),
        y_rule=_chosen(request, "y_rule", convert.Y_RULES),
        y_overrides=tuple(YOverride(each.position, each.vowel) for each in overrides),
        letter_policy=_chosen(request, "letter_policy", convert.LETTER_POLICIES),
        transliteration=_chosen(request, "transliteration", convert.TRANSLITERATIONS),
        master_set=_chosen(request, "master_numbers", convert.MASTER_SETS),
        karmic_debt_scope=_chosen(request, "karmic_debt_scope", convert.DEBT_SCOPES),
        personal_year_span=_chosen(request, "personal_year_span", convert.YEAR_SPANS),
        challenge_ages=_chosen(request, "challenge_ages", convert.CHALLENGE_AGES),
    )


def read_table(request: Any) -> LetterTable:
    """Returns the letter table that a request names."""
    return _TABLES[request.system]


def name_of(request: Any, options: NumerologyOptions) -> Name:
    """Returns the name of a request.

    Raises:
        InvalidArgumentError: It cannot be read.
    """
    return read_name(request.name, options.letter_policy, transliteration=options.transliteration)


def marked_name_of(request: Any, options: NumerologyOptions) -> MarkedName:
    """Returns the name of a request with its vowels decided.

    Raises:
        InvalidArgumentError: It cannot be read, or an override of Y does not fit it.
    """
    return mark_name(name_of(request, options), options)


def birth_of(request: Any, clock: Clock) -> date:
    """Returns the birth date of a request.

    Raises:
        InvalidArgumentError: It does not exist, or lies in the future.
    """
    born = read_date(request.day, request.month, request.year)
    require_born_by(born, clock())
    return born


def as_of_of(request: Any) -> date | None:
    """Returns the date that a request asks about, or None.

    Raises:
        InvalidArgumentError: It is not a whole date, or does not exist.
    """
    if not request.HasField("as_of"):
        return None
    return read_date(request.as_of.day, request.as_of.month, request.as_of.year, prefix="as_of.")


def explain_of(request: Any) -> bool:
    """Returns whether the sums are wanted; they are unless the request says no."""
    return bool(request.explain) if request.HasField("explain") else True


def _has(request: Any, field: str) -> bool:
    return field in request.DESCRIPTOR.fields_by_name


def _chosen(request: Any, field: str, values: Mapping[int, T]) -> T:
    return values[getattr(request, field) if _has(request, field) else 0]
