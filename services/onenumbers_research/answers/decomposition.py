"""Splits a compound question into the questions that it holds: by rules on its words alone. Pure.

A question is split where two of them are joined ("What is X, and how does Y work?"), where things are compared ("X
versus Y"), and where one question names several numbers, positions or terms ("life path 4 and 7"). A part that leans
on the one before gets its subject ("how does it differ"). Each part has to name a subject of its own: a follow-up on
the same one ("and how do I find it?") is answered by the same documents. Numbers that are asked about as a group ("do
1, 5 and 7 get along?") and dates stay together. What no rule splits is one question, and stays as it was written.
"""

from __future__ import annotations

import re
from typing import Final

from onenumbers_research.claims.dates import words
from onenumbers_research.claims.facts import AUTHORS
from onenumbers_research.claims.meaning_claims import POSITIONS

MAX_PARTS: Final = 6
"""Parts that a question may be split into; one that holds more is left whole."""
_SHORTEST: Final = 2
"""Words that a joined question has to have on each side."""

_ASKS: Final = (
    r"(?:what|how|why|who|whom|whose|when|where|which|is|are|was|were|does|do|did|can|could|should|would|will|has|have)"
)
_JOINED: Final = re.compile(
    rf"\?\s+(?={_ASKS}\b)|,?\s+(?:and|but)\s+(?=(?:also\s+)?{_ASKS}\b)|;\s+(?={_ASKS}\b)", re.IGNORECASE
)
_VERSUS: Final = re.compile(r"\s+(?:versus|vs\.?|compared (?:to|with)|in comparison (?:to|with))\s+", re.IGNORECASE)
_COMPARE: Final = re.compile(
    r"^(?:please )?(?:compare|contrast)\s+(?P<things>.+)$"
    r"|\b(?:differences?|distinction)\s+between\s+(?P<between>.+)$"
    r"|^how\s+(?:do|does|is|are)\s+(?P<one>.+?)\s+(?:differ|different)\s+from\s+(?P<other>.+)$",
    re.IGNORECASE,
)
_LEANS: Final = re.compile(r"\b(?:it|its|this|that|they|them|their|these|those)\b", re.IGNORECASE)
_GENERIC: Final = frozenset(
    words(
        "what how why who which when where does do did is are was were the a an evidence science scientific research "
        "studies study say says said show shows about of for it there any and prove proven proof tests test tell me "
        "mean means also"
    )
)
_WHOLE: Final = re.compile(
    r"\b(?:compatib\w+|get along|go together|go with|match\w*|suit\w*|belong together|sum|add\w*|plus|"
    r"reduc\w+|(?<!difference )(?<!differences )(?<!distinction )between|"
    r"from \d+ to \d+|born|january|february|march|april|may|june|july|august|"
    r"september|october|november|december|one (?:group|family))\b|\d{4}|\d+[./-]\d+",
    re.IGNORECASE,
)
"""What is asked of numbers together, and dates: no list of things to look up one by one."""
_NUMBER: Final = r"(?:\d{1,2}(?:st|nd|rd|th)?)"
_NUMBERS: Final = re.compile(
    rf"(?<=\w\s)\b{_NUMBER}(?:\s*,\s*(?:and |or )?{_NUMBER})*\s*,?\s+(?:and|or)\s+(?:an? |the )?{_NUMBER}\b"
)
_TERMS: Final = (
    *sorted(POSITIONS, key=len, reverse=True),
    *(
        "karmic debts",
        "karmic lessons",
        "master number",
        "challenge",
        "pinnacle",
        "mulank",
        "bhagyank",
        "namank",
        "kua",
    ),
    *("attitude number", "house number", "phone number", "licence plate", "mental plane", "physical plane"),
    *("emotional plane", "intuitive plane", "destiny number", "cornerstone", "capstone", "first vowel", "transit"),
    *("barnum effect", "confirmation bias", "name-letter effect", "lo shu grid", "concord triad", "gematria"),
    *("isopsephy", "chaldean table", "pythagorean table", "inclusion table", "intensity point", "angel number"),
)
_SUBJECTS: Final = re.compile(
    rf"\b(?:{'|'.join(sorted(AUTHORS))}|{'|'.join(re.escape(term) for term in _TERMS)}|"
    r"evidence|science|scientific|studies|research|base rates?|multiple comparisons|method shopping|"
    r"scores?|triads?|grid|square|arrows|vowels?|hyphens?|"
    r"stones?|colou?rs|remed\w+|digits?|letters?|initials|marriage|adoption|diacritics|"
    r"calendars?|planets?|cycles?|planes?|each number|first name|zodiac|tarot|astrology)(?:s|es)?\b|"
    r"\b\d{1,2}(?:st|nd|rd|th)?\b|\b[A-Z]\b(?! am\b)",
    re.IGNORECASE,
)
"""What questions of this subject are about: a joined question has to name one that those before it do not name."""
_TERM: Final = (
    rf"(?:{'|'.join(re.escape(term) for term in dict.fromkeys(_TERMS))})(?:s|es)?(?: numbers?)?(?: {_NUMBER})?"
)
_COUNTED: Final = re.compile(
    rf"\b(?:{'|'.join(re.escape(term) for term in _TERMS)}|numbers?|compounds?|debts?|years?|letters?)(?:s|es)?"
    r"(?: numbers?)?(?: of)?\s*$",
    re.IGNORECASE,
)
"""What a list of numbers has to follow: "life paths 4 and 7", not "after 40 or 50"."""
_LIST: Final = re.compile(
    rf"\b{_TERM}(?:\s*,\s*(?:the |an? )?{_TERM})*\s*,?\s+(?:and|or)\s+(?:(?:in|on|at|to|with|of|by|for) )?"
    rf"(?:the |an? )?{_TERM}\b",
    re.IGNORECASE,
)
_OPENING: Final = re.compile(
    rf"^(?:{_ASKS}|tell me about|explain|describe|please)\b"
    r"(?:\s+(?:is|are|was|were|does|do|did|the|an?|meant by|mean by))*\s*",
    re.IGNORECASE,
)
_TAIL: Final = re.compile(
    r"\s+(?:stand for|mean|means|work|works|called|found|calculated|computed|about|according to .+|differ from .+)$",
    re.IGNORECASE,
)


def decompose(question: str) -> list[str]:
    """Returns the questions that a question holds, at most `MAX_PARTS`, or the question alone where it is one."""
    plain = " ".join(question.split()).strip()
    parts = _joined(plain)
    found = list(dict.fromkeys(piece for part in parts for piece in _listed(part)))
    return found if 1 < len(found) <= MAX_PARTS else [plain]


def _joined(text: str) -> list[str]:
    """Returns the joined questions, each with the subject that it leans on."""
    pieces: list[str] = []
    seen: set[str] = set()
    start = 0
    for match in _JOINED.finditer(text):
        left, right = text[start : match.start()], text[match.end() :]
        named = _subjects(left)
        own = _subjects(_JOINED.split(right)[0])
        if named and own - named - seen and min(len(left.split()), len(right.split())) >= _SHORTEST:
            pieces.append(left.strip(" ?,;"))
            seen |= named
            start = match.end()
    pieces.append(text[start:].strip(" ?,;."))
    if len(pieces) == 1:
        return [text]
    first, *others = pieces
    return [first, *(_resolved(piece, first) for piece in others)]


def _subjects(text: str) -> set[str]:
    """Returns the subjects that a text names, in lower case."""
    # "I" and "a" are words, unless they stand as letters of the alphabet: "is Y a vowel".
    plain = re.sub(r"\bI\b|(?<![A-Z] )\ba\b", " ", text)
    return {
        match[0].lower()
        for match in _SUBJECTS.finditer(plain)
        if len(match[0]) > 1 or match[0].isupper() or match[0].isdigit()
    }


def _resolved(piece: str, first: str) -> str:
    """Returns a joined question with the subject of the first one where it has none of its own."""
    compared = _COMPARE.search(piece)
    if compared and compared["other"] and _LEANS.fullmatch(compared["one"].strip()):
        # "How does it differ from Y?": the subject has its own part already.
        return compared["other"].strip()
    named = _subjects(piece)
    if named and all(re.fullmatch(_NUMBER, item) for item in named) and len(re.findall(rf"\b{_NUMBER}\b", first)) == 1:
        # "... on the 3rd and which to one on the 17th?"
        return re.sub(rf"\b{_NUMBER}\b", min(named), first)
    if not set(re.findall(r"[a-z]+", piece.lower())) - _GENERIC:
        return f"{piece} about {_subject(first)}"
    return _LEANS.sub(_subject(first), piece, count=1)


def _subject(piece: str) -> str:
    """Returns what a question is about: its words without the opening and the verb at its end."""
    return _TAIL.sub("", _OPENING.sub("", piece)).strip(" ?,;.")


def _listed(part: str) -> list[str]:
    """Returns a part, or the parts that its comparison or its list names."""
    versus = _VERSUS.split(part)
    if len(versus) > 1 and all(_subjects(item) and "," not in item for item in versus):
        return _named_alike(versus)
    compared = _COMPARE.search(part)
    if compared and compared["other"]:
        pair = [compared["one"].strip(), compared["other"].strip(" ?,;.")]
        return pair if all(map(_subjects, pair)) else [part]
    things = (compared["things"] or compared["between"]) if compared else None
    if _WHOLE.search(part) and things is None:
        return [part]
    if found := _spread(things or part):
        return found
    if (
        things
        and len(pair := re.split(r"\s+(?:and|with|to)\s+", things, maxsplit=1)) == 2
        and all(map(_subjects, pair))
    ):
        return _named_alike(pair)
    return [part]


def _spread(part: str) -> list[str]:
    """Returns the part once for each number or term of a list in it; nothing where it holds no list."""
    for pattern, each in ((_LIST, _TERM), (_NUMBERS, _NUMBER)):
        match = pattern.search(part)
        if match is None:
            continue
        before, after = part[: match.start()], part[match.end() :]
        if pattern is _NUMBERS and not _COUNTED.search(before):
            continue
        items = [item[0] for item in re.finditer(each, match[0], re.IGNORECASE)]
        return [" ".join(f"{before}{item}{after}".split()).strip(" ?,;:.") for item in items]
    return []


def _named_alike(pair: list[str]) -> list[str]:
    """Returns things of which the later may be a bare number: "life path 4", "7" gives "life path 7"."""
    first = pair[0].strip(" ?,;.")
    found = [first]
    for item in pair[1:]:
        thing = re.sub(r"^(?:the|an?)\s+", "", item.strip(" ?,;."), flags=re.IGNORECASE)
        bare = re.match(rf"^{_NUMBER}\b", thing)
        found.append(re.sub(rf"\b{_NUMBER}\b", thing, first, count=1) if bare and re.search(_NUMBER, first) else thing)
    return found
