"""Facts of which a person has one alone: a real name, a place of birth, a nation, a trade. Pure.

"Sepharial's real name was Robert Green" shares few words with "Sepharial was the pen name of Walter Gorn Old", and is
denied by it: a document that is about the person and gives another value contradicts the claim.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from onenumbers_research.claims.dates import words
from onenumbers_research.claims.evidence import Passage, Place, places, stems

AUTHORS: Final = frozenset(
    words(
        "cheiro sepharial goodwin decoz jordan balliett campbell clement phillips pythagoras genovese dlhopolsky "
        "diamant seton kozminsky mcclain"
    )
)
"""Names by which the documents on history and evidence know their people."""
_NATIONS: Final = frozenset(
    words(
        "american english british irish scottish welsh french german italian russian australian dutch indian israeli "
        "greek romanian spanish chinese japanese canadian swiss austrian polish"
    )
)
_TRADES: Final = frozenset(
    words(
        "dentist teacher lawyer doctor physician engineer astrologer palmist journalist priest musician painter banker "
        "farmer soldier scientist mathematician psychologist merchant carpenter nurse actor singer chemist"
    )
)
_NAMED: Final = re.compile(r"\breal name (?:was|is) (?P<value>[A-Z][\w .'-]+)")
_NAME_GIVEN: Final = re.compile(r"\b(?:real|pen|professional|stage) name\b|\bcalled (?:him|her)self\b", re.IGNORECASE)
_BORN: Final = re.compile(r"\bborn in (?P<value>[A-Z]\w+(?: [A-Z]\w+)*)")
_BIRTHPLACE_GIVEN: Final = re.compile(r"\b[Bb]orn in [A-Z]")
_WORD: Final = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact as a claim states it."""

    people: frozenset[str]
    """The authors that the claim names."""
    value: frozenset[str]
    """Stems of what it says of them."""
    given: re.Pattern[str]
    """How a document that gives such a value says so."""
    narrow: bool = False
    """Whether the value has to stand in what `given` finds."""


def people(text: str) -> frozenset[str]:
    """Returns the authors that a text names."""
    return frozenset(word.lower() for word in _WORD.findall(text) if word.lower() in AUTHORS)


def read_fact(text: str) -> Fact | None:
    """Returns the fact that a claim states of an author, or None where it states none of these."""
    named = people(text)
    if not named:
        return None
    for claimed, given in ((_NAMED, _NAME_GIVEN), (_BORN, _BIRTHPLACE_GIVEN)):
        if match := claimed.search(text):
            return Fact(named, frozenset(stems(match["value"])), given)
    after = re.search(r"\bwas an? (.+)$", text)
    for kind in (_NATIONS, _TRADES):
        found = [word.lower() for word in _WORD.findall(after[1]) if word.lower() in kind] if after else []
        if len(found) == 1:
            others = "|".join(sorted(kind))
            given = re.compile(rf"\ban? (?:[\w-]+ ){{0,2}}(?:{others})\b", re.IGNORECASE)
            return Fact(named, frozenset(stems(found[0])), given, narrow=True)
    return None


def _holds(fact: Fact, text: str) -> bool:
    # A nation or a trade counts where it is said of the person ("an Australian writer"), not anywhere near.
    parts = [match[0] for match in fact.given.finditer(text)] if fact.narrow else [text]
    return any(fact.value <= stems(part) for part in parts)


def judge_fact(fact: Fact, passages: Sequence[Passage]) -> tuple[bool, Place] | None:
    """Returns whether the documents on the person give the value, and where; None where they give none."""
    own = [item for item in passages if fact.people & people(item.title)]
    giving = [place for item in own for place in places(item, facts=True) if fact.given.search(place.text)]
    holding = [place for place in giving if _holds(fact, place.text)]
    found = min(holding or giving, key=lambda place: len(place.text), default=None)
    return (bool(holding), found) if found is not None else None
