"""Numbers of things: houses, telephones, vehicle plates and businesses.

Sources: houses as numerologists of the Pythagorean line print them (digits added, letters by the Pythagorean table, the
number of a flat in place of the house's). For telephones, plates and businesses the same sum is a convention of this
software: no author of the schools named here prescribes one.
"""

from __future__ import annotations

import re
from enum import Enum, unique
from typing import Final

from onenumbers_runtime.errors import invalid
from onenumbers_utilities.numerology.compounds import CompoundMeaning, compound_of
from onenumbers_utilities.numerology.letters import LETTER_MAPS, UNKNOWN, refusal
from onenumbers_utilities.numerology.options import LetterPolicy, School, Transliteration
from onenumbers_utilities.numerology.primitives import MASTERS_11_22_33, NO_MASTERS, chain, ds
from onenumbers_utilities.numerology.reduction import number_part, reduced, word
from onenumbers_utilities.numerology.results import Alternative, Component, Notice, NumberResult
from onenumbers_utilities.numerology.tables import CHALDEAN, PYTHAGOREAN, LetterTable
from onenumbers_utilities.numerology.transliteration import (
    transliterate,
    transliteration_inputs,
    transliteration_notices,
)

MAX_OBJECT_LENGTH: Final = 32
"""Characters that a number of a house, telephone or plate may have."""
MAX_BUSINESS_LENGTH: Final = 200
_MIN_PHONE_DIGITS: Final = 3
_DIGITS: Final = "0123456789"
_MARKS: Final = " -./#,()+'\u2019\u2013&\u00b7"
_PHONE_MARKS: Final = " -./()\u2013"
_NO_LETTERS: Final = frozenset(_DIGITS + _MARKS.replace("'", "").replace("\u2019", "").replace("-", ""))
"""What stands between the words of a name; hyphens and apostrophes may stand within them."""
_RUNS: Final = re.compile(f"[{re.escape(''.join(_NO_LETTERS))}]+|[^{re.escape(''.join(_NO_LETTERS))}]+")
_LEGAL_FORMS: Final = frozenset(
    "AB AG AS BV CO CORP GMBH INC KFT LLC LLP LTD NV OY PFA PLC SA SARL SAS SC SL SPA SRL".split()  # noqa: SIM905
)


@unique
class UnitRule(Enum):
    """What the number of a flat does to the number of its house."""

    REPLACES = "replaces"
    """It stands in place of it."""
    ADDED = "added"
    """Both are added."""


@unique
class LetterValues(Enum):
    """The table that letters are valued by."""

    PYTHAGOREAN = "pythagorean"
    CHALDEAN = "chaldean"


_TABLES: Final = {LetterValues.PYTHAGOREAN: PYTHAGOREAN, LetterValues.CHALDEAN: CHALDEAN}


def house_number(
    number: str,
    unit: str = "",
    unit_rule: UnitRule = UnitRule.REPLACES,
    *,
    masters: frozenset[int] = NO_MASTERS,
    explain: bool = True,
) -> NumberResult:
    """Returns the number of a dwelling: digits, and letters by the Pythagorean table, added and reduced.

    Args:
        number: Number of the house, such as "12B". The name of the street takes no part.
        unit: Number of the flat; empty for a whole house.
        unit_rule: What the flat's number does to the house's.
        masters: Numbers at which the reduction stops.
        explain: Whether the parts are returned.

    Raises:
        InvalidArgumentError: There is nothing to add, or a character is neither letter, digit nor mark.
    """
    if not unit and unit_rule is not UnitRule.REPLACES:
        raise invalid("unit_rule", "is only read where there is a unit", rule="house.unit_rule_without_unit")
    of_house = _parts(number, "number", PYTHAGOREAN)
    of_unit = _parts(unit, "unit", PYTHAGOREAN) if unit else ()
    parts = of_house if not of_unit else of_unit if unit_rule is UnitRule.REPLACES else (*of_house, *of_unit)
    inputs = {"number": number}
    rule_id = "house.number"
    if of_unit:
        inputs["unit"] = unit
        rule_id = f"house.unit_{unit_rule.value}"
    others: tuple[Alternative, ...] = ()
    if of_unit and explain:
        added = unit_rule is UnitRule.REPLACES
        others = _other(
            (*of_house, *of_unit) if added else of_unit,
            parts,
            f"house.unit_{(UnitRule.ADDED if added else UnitRule.REPLACES).value}",
            masters,
        )
    return reduced(
        sum(part.total for part in parts),
        rule_id=rule_id,
        school=School.PYTHAGOREAN,
        inputs=inputs,
        masters=masters,
        components=parts if explain else (),
        alternatives=others,
    )


def phone_number(phone: str, *, masters: frozenset[int] = NO_MASTERS, explain: bool = True) -> NumberResult:
    """Returns the number of a telephone: all digits as they were given, added and reduced. A convention.

    Raises:
        InvalidArgumentError: It has fewer than three digits, only zeros, or something that is neither digit nor mark.
    """
    _check_length(phone, "phone", MAX_OBJECT_LENGTH)
    international = phone.lstrip().startswith("+")
    sign = phone.index("+") if international else -1
    for place, char in enumerate(phone):
        if char not in _DIGITS and char not in _PHONE_MARKS and place != sign:
            raise invalid(
                "phone",
                f"has the character U+{ord(char):04X} at position {place + 1}; a telephone number has digits, spaces, "
                "hyphens, dots, slashes and brackets, and a plus only in front",
                rule="phone.character",
            )
    digits = "".join(char for char in phone if char in _DIGITS)
    if len(digits) < _MIN_PHONE_DIGITS:
        raise invalid(
            "phone", f"has {len(digits)} digits, at least {_MIN_PHONE_DIGITS} are needed", rule="phone.digits"
        )
    part = number_part("digits", digits, sum(int(digit) for digit in digits))
    warnings: tuple[Notice, ...] = ()
    if international:
        warnings = (Notice("COUNTRY_CODE_COUNTED", "The country code is part of the number as it was given."),)
    return _convention("phone.digit_sum", {"phone": phone}, (part,), "phone", masters, warnings, explain=explain)


def plate_number(plate: str, *, masters: frozenset[int] = NO_MASTERS, explain: bool = True) -> NumberResult:
    """Returns the number of a vehicle plate: digits, and letters by the Pythagorean table. A convention.

    Raises:
        InvalidArgumentError: There is nothing to add, or a character is neither letter, digit nor mark.
    """
    parts = _parts(plate, "plate", PYTHAGOREAN)
    return _convention("plate.sum", {"plate": plate}, parts, "plate", masters, (), explain=explain)


def business_name(
    name: str,
    table: LetterValues = LetterValues.PYTHAGOREAN,
    *,
    masters: frozenset[int] | None = None,
    policy: LetterPolicy = LetterPolicy.DIRECT,
    transliteration: Transliteration | None = None,
    explain: bool = True,
) -> tuple[NumberResult, CompoundMeaning | None]:
    """Returns the number of a business from all its letters and digits, and on the Chaldean table its compound.

    Args:
        name: The name as it is used. Legal forms (Ltd, SRL) count where they are written, with a notice.
        table: Values of the letters; digits count as themselves.
        masters: Numbers at which the reduction stops; None is the table's own set: 11, 22 and 33 on the Pythagorean,
            none on the Chaldean.
        policy: How letters with marks become A-Z.
        transliteration: The standard for a name of another script; None refuses such a name.
        explain: Whether the parts and the other table's value are returned.

    Raises:
        InvalidArgumentError: There is nothing to add, a character is neither letter, digit nor mark, or master numbers
            were asked for on the Chaldean table, which keeps none.
    """
    if table is LetterValues.CHALDEAN and masters:
        raise invalid("master_numbers", "the Chaldean table keeps no master numbers", rule="business.chaldean_masters")
    own = {LetterValues.PYTHAGOREAN: MASTERS_11_22_33, LetterValues.CHALDEAN: NO_MASTERS}
    in_force = own[table] if masters is None else masters
    _check_length(name, "name", MAX_BUSINESS_LENGTH)
    latin = _in_latin(name, transliteration, policy) if transliteration is not None else None
    text = name if latin is None else latin
    parts = _parts(text, "name", _TABLES[table], limit=None, policy=policy)
    warnings: list[Notice] = []
    inputs = {"name": name}
    if policy is not LetterPolicy.DIRECT:
        inputs["letter_policy"] = policy.value
    if transliteration is not None and latin is not None:
        inputs |= transliteration_inputs(transliteration, latin)
        warnings.extend(transliteration_notices(transliteration, " ".join(part.text for part in parts)))
    if len(parts) > 1 and parts[-1].text in _LEGAL_FORMS:
        message = f"{parts[-1].text} was read as a legal form and counted; leave it out where the name is used without."
        warnings.append(Notice("LEGAL_FORM_COUNTED", message))
    if "&" in name or "+" in name:
        warnings.append(Notice("SIGN_NOT_COUNTED", "& and + are no letters; write the word where it is spoken."))
    other = LetterValues.CHALDEAN if table is LetterValues.PYTHAGOREAN else LetterValues.PYTHAGOREAN
    alternatives = (
        _other(
            _parts(text, "name", _TABLES[other], limit=None, policy=policy),
            parts,
            f"business.{other.value}",
            own[other],
            in_force,
        )
        if explain
        else ()
    )
    compound = None
    if table is LetterValues.CHALDEAN:
        compound = compound_of(sum(part.total for part in parts))
        warnings.extend(compound.notices if compound is not None else ())
    found = _convention(
        f"business.{table.value}",
        inputs,
        parts,
        "name",
        in_force,
        tuple(warnings),
        explain=explain,
        alternatives=alternatives,
    )
    return found, compound


def _convention(
    rule_id: str,
    inputs: dict[str, str],
    parts: tuple[Component, ...],
    field: str,
    masters: frozenset[int],
    warnings: tuple[Notice, ...],
    *,
    explain: bool,
    alternatives: tuple[Alternative, ...] = (),
) -> NumberResult:
    total = sum(part.total for part in parts)
    if not total:
        raise invalid(field, "has only zeros: there is nothing to add", rule="object.nothing_to_add")
    return reduced(
        total,
        rule_id=rule_id,
        school=School.CONVENTION,
        inputs=inputs,
        masters=masters,
        warnings=warnings,
        components=parts if explain else (),
        alternatives=alternatives,
    )


def _in_latin(name: str, standard: Transliteration, policy: LetterPolicy) -> str | None:
    """Returns a name with its letters as the standard writes them; None where it has none of the standard's script."""
    letters = "".join(" " if char in _NO_LETTERS else char for char in name)
    if transliterate(letters, standard, policy) is None:
        return None
    # Digits and signs stay where they are: no standard says anything about them.
    return "".join(
        (transliterate(run, standard, policy) or run) if run[0] not in _NO_LETTERS else run
        for run in _RUNS.findall(name)
    )


def _parts(
    text: str,
    field: str,
    table: LetterTable,
    *,
    limit: int | None = MAX_OBJECT_LENGTH,
    policy: LetterPolicy = LetterPolicy.DIRECT,
) -> tuple[Component, ...]:
    """Returns runs of digits and words of letters as parts, in their order; a length of None was checked before."""
    if limit is not None:
        _check_length(text, field, limit)
    letters = LETTER_MAPS[policy]
    runs: list[str] = []
    previous = ""
    for position, char in enumerate(text, start=1):
        if char in _DIGITS:
            kind, read = "digits", char
        elif char in _MARKS:
            # A hyphen or an apostrophe inside a name joins it; it ends a run only beside digits.
            kind, read = (previous, "") if char in "-'\u2019" and previous == "letters" else ("", "")
        else:
            read = letters[ord(char)]
            if read == UNKNOWN:
                raise _refused(text, position, field, policy)
            kind = "letters" if read.strip() else previous if not read else ""
            read = read.strip()
        if read and kind == previous and runs:
            runs[-1] += read
        elif read:
            runs.append(read)
        previous = kind
    if not runs:
        raise invalid(field, "has neither a letter nor a digit", rule="object.nothing_to_count")
    parts = tuple(
        number_part("digits", run, ds(int(run))) if run[0] in _DIGITS else word("letters", run, table) for run in runs
    )
    if not any(part.total for part in parts):
        raise invalid(field, "has only zeros: there is nothing to add", rule="object.nothing_to_add")
    return parts


def _refused(text: str, position: int, field: str, policy: LetterPolicy) -> Exception:
    """Returns what is wrong with a character; positions count from 1."""
    char = text[position - 1]
    if char.isdigit() or char.isnumeric():
        return invalid(
            field, f"has the digit or number U+{ord(char):04X} at position {position}; use 0-9", rule="object.digit"
        )
    blank = "".join(" " if other in _DIGITS or other in _MARKS else other for other in text)
    found = refusal(blank, policy, field)
    if found is None:
        raise AssertionError("a character that cannot be counted was not found again")
    return found


def _check_length(text: str, field: str, limit: int) -> None:
    if not text.strip():
        raise invalid(field, "must not be empty", rule="object.required")
    if len(text) > limit:
        raise invalid(field, f"has {len(text)} characters, at most {limit} may be", rule="object.max_length")


def _other(
    parts: tuple[Component, ...],
    counted: tuple[Component, ...],
    rule_id: str,
    masters: frozenset[int],
    masters_in_force: frozenset[int] | None = None,
) -> tuple[Alternative, ...]:
    """Returns what another rule gives where its value differs."""
    total = sum(part.total for part in parts)
    value = chain(total, masters)[-1]
    in_force = masters if masters_in_force is None else masters_in_force
    if value == chain(sum(part.total for part in counted), in_force)[-1]:
        return ()
    school = School.CONVENTION if rule_id.startswith("business") else School.PYTHAGOREAN
    return (Alternative(rule_id, school, value, total),)
