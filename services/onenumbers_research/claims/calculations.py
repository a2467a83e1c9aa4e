"""Reads claims about calculations: which number, of which date or name, by which method, and what it is said to be.

Only what is written is read. A claim that names a calculation but leaves out what it needs (no year, no name, an
unknown method) is still one of this kind; `missing` then says what keeps it from being checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from onenumbers_research.claims.dates import MONTH_NAMES, FoundDate, find_dates, words


@dataclass(frozen=True, slots=True)
class Calculation:
    """A calculation as a claim states it."""

    operation: str
    """What is calculated, such as "life_path"; "unknown" where no utility calculates it."""
    claimed: int
    """The number that the claim gives."""
    date: FoundDate | None = None
    name: str = ""
    number: str = ""
    """Digits that are reduced, the terms of a sum, or a letter."""
    method: str = ""
    """Method that the claim names, such as "sum_all_digits"; empty where it names none."""
    year: int | None = None
    month: int | None = None
    index: int = 0
    """Which pinnacle or challenge, 1-4."""
    table: str = ""
    """Letter table that the claim names."""
    formula: str = ""
    """Sex that a kua number is calculated for: "male" or "female"."""
    missing: str = ""
    """Why it cannot be calculated; empty where it can."""
    coverage: float = field(default=1.0)
    """Share of the claim's words that the reading accounts for, 0-1."""


_OPERATIONS = {
    "life_path": r"life[ -]path",
    "soul_urge": r"soul[ -]urge|heart'?s desire|heart",
    "personality": r"personality",
    "expression": r"expression|destiny",
    "balance": r"balance",
    "maturity": r"maturity",
    "attitude": r"attitude",
    "birthday": r"birthday|birth day",
    "personal_year": r"personal year",
    "personal_month": r"personal month",
    "personal_day": r"personal day",
    "universal_year": r"universal year",
    "pinnacle": r"pinnacle",
    "challenge": r"challenge",
    "mulank": r"mulank",
    "bhagyank": r"bhagyank",
    "kua": r"kua",
    "chaldean": r"chaldean (?:compound|name|number)|chaldean|compound",
}
_DATED = frozenset(
    words(
        "life_path attitude birthday personal_year personal_month personal_day pinnacle challenge mulank bhagyank kua "
        "maturity"
    )
)
_NAMED = frozenset(words("expression soul_urge personality balance maturity chaldean"))
_WHOLE_DATE = frozenset(words("life_path pinnacle challenge bhagyank kua maturity"))
_METHODS = {
    "sum_all_digits": r"add(?:ing)? (?:up )?(?:all|every) (?:the )?digits?|all (?:the )?digits are added|"
    r"sum(?:ming)? (?:of )?all (?:the )?digits",
    "grouped_masters": r"grouped(?: method)?|by groups|decoz(?:'s)?(?: method)?",
    "straight": r"straight(?: addition| method)?",
    "month_day_year_sum": r"javane(?: and bunker)?",
    "letter_total": r"letter total|add(?:ing)? all (?:the )?letters|all (?:the )?letters are added",
    "per_name": r"name by name|per name|each name (?:is )?reduced",
    "per_name_plain": r"mcclain(?:'s)?",
    "no_masters": r"without master(?: number)?s|no master(?: number)?s",
}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_COPULA = r"(?:is|equals?|=|gives?|comes? to|(?:works?|turns?) out (?:to(?: be)?|at|as)|was|are|yields?|makes?|will be)"
_REDUCTION = re.compile(
    r"^(?:the )?(?:number )?(?P<n>\d{1,12}) (?P<verb>reduces?|becomes?|is reduced|adds? up|sums?)(?: down)?(?: to)? "
    r"(?:a |the )?(?P<c>\d{1,3})\b|^(?:the )?(?P<root>(?:digital )?root) of (?P<n2>\d{1,12}) (?:is|=|equals) "
    r"(?P<c2>\d{1,3})\b|^(?:the )?digits of (?P<n3>\d{1,12}) (?:add(?: up)?|sum(?: up)?|come) to (?P<c3>\d{1,3})\b",
    re.IGNORECASE,
)
_SUM = re.compile(rf"^(?P<sum>\d{{1,9}}(?:\s*\+\s*\d{{1,9}})+)\s*{_COPULA}\s*(?P<c>\d{{1,10}})\b", re.IGNORECASE)
_LETTER = re.compile(
    r"\b(?:the )?(?P<word>letter )?['\"“]?(?P<letter>[^\W\d_])['\"”]? (?:is worth|counts(?: as)?|has (?:the )?value|"
    r"(?:is|equals)(?: worth)?(?: a| an)?|=|has a value of) "
    r"(?P<c>\d{1,4})\b(?:.*?\b(?P<table>\w+) (?:table|system|alphabet))?",
)
_TABLES = {"": "", "pythagorean": "pythagorean", "chaldean": "chaldean", "cheiro": "chaldean", "letter": ""}
"""Words before "table" and the tables that they mean."""
_TABLE = re.compile(r"\b(\w+)(?:'s)? (?:letter )?(?:table|system|alphabet|numerology)\b", re.IGNORECASE)
_GENERIC = re.compile(
    rf"^(?:the |my |his |her )?(?P<what>[\w' -]{{2,40}}?)(?: number| value)? (?:of|for) (?P<of>.+?) {_COPULA} "
    r"(?:an? |the )?(?P<c>\d{1,3})[.!]?$",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"^(?:my|your|his|her|their) ", re.IGNORECASE)
_FOREIGN_METHOD = re.compile(r"\bby the (?:method|rule|way) of (?:the )?(\w+)", re.IGNORECASE)
_BEFORE = frozenset(
    words(
        "the a an his her their my your has have is with of in first second third fourth birth this whose current, "
        "chaldean pythagorean his/her minor be have digits, get gets are gives makes yields"
    )
)
_NAME = re.compile(
    r"(?:\b(?:of|for|named|called)|^)\s+[\"“']?(?P<name>[^\W\d_][\w'’.-]*(?:\s+[^\W\d_][\w'’.-]*){0,5}?)[\"”']?"
    rf"(?=\s+(?:{_COPULA}|has|have|born|in|on|by|and)\b|\s*=|,)"
)
_OWNER = re.compile(r"^(?P<name>[^\W\d_a-z][\w'’.-]*(?: [^\W\d_a-z][\w'’.-]*){0,5}) (?:has|have|gets)\b")
_NO_NAMES = frozenset(words("DATE I You He She It We They Who Somebody Someone Everybody People A The"))
_KNOWN = frozenset(
    words("""
    the a an of is are was has have in on by for with to be person people someone somebody born who whose number
    numbers path life value letter table system when all every digits added adding digit add up sum before it becomes
    become reduces reduce root worth counts count chaldean pythagorean vedic year month day personal universal date
    birth first second third fourth pinnacle challenge compound name names named called man woman male female get you
    method grouped""")
)


def read_calculation(text: str) -> Calculation | None:
    """Returns the calculation that a claim states, or None where it states none."""
    plain = " ".join(text.replace("’", "'").split()).strip()
    return _reduction(plain) or _letter(plain) or _operation(plain)


def _reduction(text: str) -> Calculation | None:
    if match := _SUM.match(text):
        return Calculation("sum", int(match["c"]), number=match["sum"], coverage=_coverage(text, match[0]))
    match = _REDUCTION.match(text)
    if match is None:
        return None
    number = match["n"] or match["n2"] or match["n3"]
    claimed = int(match["c"] or match["c2"] or match["c3"])
    if match["root"]:
        operation = "root"
    elif match["n3"] or (match["verb"] or "").lower().startswith(("add", "sum")):
        operation = "digit_sum"
    else:
        operation = "reduction"
    return Calculation(operation, claimed, number=number, coverage=_coverage(text, match[0]))


def _letter(text: str) -> Calculation | None:
    match = _LETTER.search(text)
    if match is None or not (match["word"] or match["letter"].isupper()) or (match["letter"] in "AI" and _dated(text)):
        return None
    table = next((word.lower() for word in _TABLE.findall(text)), "")
    if not match["word"] and not _TABLES.get(table) and not re.search(r"worth|=|value", match[0]):
        return None
    letter, missing = match["letter"], ""
    if table not in _TABLES:
        missing = f"the utilities have no {table} letter table"
    elif not re.fullmatch(r"[A-Za-z]", letter):
        missing = f"the letter {letter} is in no table here as a letter of its own"
    coverage = _coverage(text, match[0])
    return Calculation(
        "letter", int(match["c"]), number=letter, table=_TABLES.get(table, table), missing=missing, coverage=coverage
    )


def _dated(text: str) -> bool:
    return bool(find_dates(text))


def _operation(text: str) -> Calculation | None:
    dates = find_dates(text)
    rest = text
    for item in reversed(dates):
        rest = rest[: item.start] + " DATE " + rest[item.end :]
    rest = " ".join(rest.split())
    operation, span = _which(rest)
    name = _name(rest)
    claimed, year = _claimed(rest, operation, span)
    if operation == "" or (operation == "chaldean" and not re.search(r"\bof\b|\bfor\b", rest)):
        return _unknown(text, rest, bool(dates))
    subject = bool(dates or name or _GENERIC.match(rest) or _POSSESSIVE.match(rest))
    if operation == "universal_year" and year is not None:
        subject = True
    if claimed is None or not subject:
        return None
    method, missing = _method(rest, span)
    date = dates[0] if dates else None
    index = next((number for word, number in _ORDINALS.items() if re.search(rf"\b{word}\b", rest, re.IGNORECASE)), 0)
    month = None
    if operation.startswith("personal_") and len(dates) > 1:
        year, month = dates[1].year or year, dates[1].month
    female = re.search(r"\b(?:woman|female|girl|women)\b", rest, re.IGNORECASE)
    male = re.search(r"\b(?:man|male|boy|men)\b", rest, re.IGNORECASE)
    found = Calculation(
        operation,
        claimed,
        date=date,
        name=name,
        method=method,
        year=year,
        month=month,
        index=index,
        formula="female" if female else "male" if male else "",
        coverage=_coverage(rest, "", name),
    )
    missing = missing or _lacking(found)
    return replace(found, missing=missing)


def _which(rest: str) -> tuple[str, tuple[int, int]]:
    for operation, pattern in _OPERATIONS.items():
        if match := re.search(rf"\b(?:{pattern})(?: numbers?)?\b", rest, re.IGNORECASE):
            return operation, match.span()
    return "", (0, 0)


def _claimed(rest: str, operation: str, span: tuple[int, int]) -> tuple[int | None, int | None]:
    """Returns the number that is claimed and the year that stands beside it."""
    years = [int(item) for item in re.findall(r"\b(\d{4})\b", rest)]
    year = years[-1] if years else None
    if operation and (match := re.match(r"\s*(?:of |is )?(\d{1,2})\b(?!\d)", rest[span[1] :])):
        return int(match[1]), year
    found = re.findall(rf"\b{_COPULA}\s+(?:an? |the )?(\d{{1,3}})\b(?!\.\d|\d)|=\s*(\d{{1,3}})\b", rest, re.IGNORECASE)
    return (int(found[-1][0] or found[-1][1]) if found else None), year


def _name(rest: str) -> str:
    """Returns the name that the claim speaks of: words with a capital after "of" or "named", or before "has"."""
    if (match := _OWNER.match(rest)) and match["name"].split()[0] not in _NO_NAMES:
        return match["name"]
    for match in _NAME.finditer(rest):
        words = match["name"].split()
        if all(word[0].isupper() for word in words) and "DATE" not in words and words[0].lower() not in MONTH_NAMES:
            return " ".join(words)
    return ""


def _method(rest: str, span: tuple[int, int]) -> tuple[str, str]:
    """Returns the method that is named, and what is wrong with it."""
    match = _FOREIGN_METHOD.search(rest)
    if match and not any(re.search(pattern, match[0], re.IGNORECASE) for pattern in _METHODS.values()):
        return "", f"no documented method of {match[1]} is known to the utilities"
    before = rest[: span[0]].split()
    if before and before[-1].lower().strip(",'") not in _BEFORE and not before[-1].endswith(("'s", ",", "DATE")):
        return "", f'"{before[-1]}" names no documented method of this number'
    for method, pattern in _METHODS.items():
        if re.search(rf"\b(?:{pattern})\b", rest, re.IGNORECASE):
            return method, ""
    return "", ""


def _unknown(text: str, rest: str, dated: bool) -> Calculation | None:
    """Returns a calculation of something that no utility calculates, where the claim has the form of one."""
    match = _GENERIC.match(rest)
    if match is None or not (dated or _name(rest) or re.search(r"\b(?:word|name)\b", rest, re.IGNORECASE)):
        return None
    what = match["what"].strip()
    missing = f'"{what}" is no calculation that the utilities know'
    return Calculation("unknown", int(match["c"]), missing=missing, coverage=_coverage(text, ""))


def _lacking(found: Calculation) -> str:
    """Returns what a calculation needs and the claim does not state."""
    date = found.date
    if found.operation in _DATED:
        if date is None:
            return "the claim states no birth date"
        if date.problem:
            return date.problem
        if found.operation in _WHOLE_DATE and date.year is None:
            return "the year of birth is missing"
        if date.day is None or (date.month is None and found.operation not in ("birthday", "mulank")):
            return "the day or the month of birth is missing"
    if found.operation in _NAMED and not found.name:
        return "the claim states no name"
    if found.operation.startswith("personal_") and found.year is None:
        return "the claim does not say for which year"
    if found.operation in ("personal_month", "personal_day") and found.month is None:
        return "the claim does not say for which month or day"
    if found.operation == "universal_year" and found.year is None:
        return "the claim does not say which year"
    if found.operation in ("pinnacle", "challenge") and not found.index:
        return f"the claim does not say which {found.operation}"
    if found.operation == "kua" and not found.formula:
        return "the kua formula depends on the sex, which the claim does not state"
    return ""


def _coverage(text: str, matched: str, name: str = "") -> float:
    """Returns the share of words that are numbers, known words, or part of what was matched or of the name."""
    read = re.findall(r"[\w']+", text)
    known = {word.lower() for word in re.findall(r"[\w']+", f"{matched} {name} DATE")} | _KNOWN
    for pattern in _OPERATIONS.values():
        known |= set(re.findall(r"[a-z']+", pattern))
    accounted = sum(1 for word in read if word.lower() in known or word.isdigit())
    return accounted / max(1, len(read))
