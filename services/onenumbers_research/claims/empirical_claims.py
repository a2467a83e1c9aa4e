"""Judges claims about the world by the documents on evidence, and by nothing else.

Claims that numbers have an effect on people are answered from documents of scientific sources alone: what a tradition
teaches is no evidence for it. Claims about history are answered from the documents of the category validation.
Supported: one place holds enough of the claim's words and all its figures, and both deny or neither does.
Contradicted: the place denies what the claim affirms, or the other way round, or it gives another figure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import lru_cache

from onenumbers_research.answers.support import content_words
from onenumbers_research.claims.calibration import Limits
from onenumbers_research.claims.dates import words
from onenumbers_research.claims.evidence import (
    DENIAL,
    Passage,
    Place,
    clauses_of,
    denies,
    expanded,
    places,
    share,
    stems,
    weights,
)
from onenumbers_research.claims.facts import judge_fact, people, read_fact
from onenumbers_research.claims.meaning_claims import Judgement

CATEGORY = "validation"
"""Category of the documents on evidence and history."""
SCIENTIFIC = "scientific"
"""Source of the documents that may support a claim of an effect."""

_Found = tuple[float, Place | None]

_CHART = (
    r"\b(?:(?:personal|universal) (?:year|month|day)|expression|soul urge|pinnacle|challenge|essence|maturity|"
    r"(?:house|phone) number)(?: number)? \d{1,2}\b"
)
_PHRASES = tuple(
    (re.compile(pattern, re.IGNORECASE), word)
    for pattern, word in (
        (
            r"\b(?:life[ -]paths?(?: numbers?)?|birth numbers?)\b(?: of)?(?: \d{1,2}\b)?(?: (?:and|or) \d{1,2}\b)?",
            " birthnumber ",
        ),
        (_CHART, " chartnumber "),
        (r"\b(?:names? numbers?|numbers? of (?:a |the )?(?:\w+ )?names?|name numerology)\b", " namenumber "),
        (r"\b(?:real|pen|professional|stage) name\b", " realname "),
        (r"\bin print\b|\b(?:printed|published|publication|appeared|dated|issued)\b", " published "),
        (r"\bwrote\b|\bwritings?\b|\bwritten\b", " writing "),
        (r"\b(?:forecasts?|predictions?|prophec\w+)\b", " forecast "),
        (
            r"\b(?:wins?|winning|won) (?:a |the )?nobel(?: prizes?)?|\bnobel(?: prizes?| laureates?)?|\blaureates?",
            " laureate ",
        ),
        (
            r"\bself-perception|\b(?:see|describe)s? themselves|\brecogni[sz]e\w*(?: themselves)?|\bown number",
            " selfimage ",
        ),
        (r"\bchi-square", " chisquare "),
        (r"\bsucce\w+|\bachiev\w+|\bcareers?\b", " success "),
        (r"\bagree\w*|\bmatch\w*|\bfit(?:s|ted)?\b", " agree "),
        (r"\bpredict\w*|\binfluenc\w+|\bdetermin\w+|\blead(?:s|ing)? to|\bmark people|\beffects?\b", " effect "),
    )
)
_LIFE = re.compile(r"\((\d{4})-(\d{4})\)")
"""Years of birth and death behind a name."""
_FRAME = frozenset(
    stem
    for word in words("""study studies research science scientific scientists scientifically statistics show
    shows shown
    showed prove proves proven proved people person persons others number numbers found find finds demonstrate
    demonstrated claim claims evidence test tests tested that much called numerology everybody very high usually mostly
    go goes according more most than significant significantly value data often frequently allow allows bring brings
    confirm confirms confirmed proof usual usually least himself herself themselves""")
    for stem in stems(word)
)
_THING = frozenset(stem for word in words("numerology tests") for stem in stems(word))
"""Words of the frame that a claim is about when it has few others: "numerology has been confirmed"."""
_OTHER_SUBJECT = re.compile(r"\bastrolog\w+|\bsun signs?\b|\bhoroscope\w*", re.IGNORECASE)
"""What documents compare numerology with; clauses on it are none on numerology."""
_EFFECT = re.compile(
    r"\bmore\b|\bless\b|\bbetter\b|\blonger\b|\bpredict|\bdetermine|\binfluence|\bproves?\b|\bproven\b|\bearn|"
    r"\bleads? to|"
    r"\bsuccess|\bachiev|\bdiffer|\beffects?\b|\boccurs?\b|\bmostly\b|\boften\b|"
    r"\bmakes?\b|\bcauses?d?\b|\brecogni[sz]e\b|\bagrees?\b|\bmatch|\bconfirm|\bworks\b|\bis (?:true|valid)\b",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"\b(?:life path|birth number|expression|personal year|number|numerology|reading)s?\b|self-perception",
    re.IGNORECASE,
)
_NULL = re.compile(
    r"\bno (?:effect|evidence|support|difference|reason)\b|\bnot (?:found|differ|shown|confirmed)\b|"
    r"\bagainst the claim\b|"
    r"\bfound nothing\b|\bfound very little\b|\bnothing (?:outside|confirms)\b|"
    r"\bagreement with chance\b|\bdo not support\b|\bsays no\b|\bno data\b",
    re.IGNORECASE,
)
"""How documents on evidence say that a test found nothing."""
_FIGURE = re.compile(r"(?<![\d.])\d+(?:\.\d+)?(?![\d]*\.\d)")


_PROPER = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}\b|\b[A-Z]{3,}\b")
"""Names: words with a capital inside a sentence, and abbreviations."""


def claims_effect(text: str) -> bool:
    """Tells whether a claim affirms that numbers do something to people."""
    return bool(_EFFECT.search(text) and _SUBJECT.search(text)) and not denies(text)


def judge_empirical(text: str, passages: Sequence[Passage], limits: Limits) -> Judgement:
    """Returns the verdict on a claim about the world.

    Args:
        text: The claim.
        passages: Passages found for it; those outside the documents on evidence are not read.
        limits: What counts as enough.
    """
    claim = _read(text)
    read = [
        item
        for item in passages
        if item.category == CATEGORY
        and (item.source == SCIENTIFIC or not claim.effect or claim.named & people(item.title))
    ]
    weight = weights(claim.wanted, [replace(item, text=_reworded(item.text)) for item in read])
    sides = _look(claim, weight, read, limits)
    null = _null(claim, weight, read)
    if null[0] >= limits.passage and null[0] >= max(sides.same[0], sides.opposite[0]) and not claim.figures:
        # A test that found nothing: the same as a claim that denies, the opposite of one that affirms.
        if claim.negated:
            sides.same = null
        else:
            sides.opposite = null
    quantities = {
        "same": sides.same[0],
        "opposite": sides.opposite[0],
        "figure": sides.figure[0],
        "null_finding": null[0],
        "margin": abs(sides.same[0] - max(sides.opposite[0], sides.figure[0])),
        "similarity": max((item.similarity for item in read), default=0.0),
        "documents": float(len(sides.agreeing)),
        "words": float(len(claim.wanted)),
        "unknown": _unknown(weight, read),
        "named": float(bool(claim.named)),
        "strength": 0.0,
        "rival": 0.0,
        "missed": 0.0,
    }
    fact = read_fact(text)
    if fact is not None and (found := judge_fact(fact, read)) is not None:
        holds, place = found
        quantities |= {"fact": 1.0, "strength": 1.0}
        reason = "a document on the person says it" if holds else "a document on the person gives another one"
        return Judgement(holds != claim.negated, reason, (place,), quantities)
    if claim.figures and sides.same[0] >= limits.fact:
        # A place that gives the claim's own figures weighs more than one that gives others, of something else perhaps.
        sides.figure = (min(sides.figure[0], sides.same[0]), sides.figure[1])
    top = max(sides.same[0], sides.opposite[0], sides.figure[0])
    strange = _strangers(text, read)
    if strange or not claim.wanted or top < limits.fact or quantities["unknown"] > limits.unknown:
        quantities["missed"] = top
        reason = f"no document on evidence names {strange}" if strange else "no document on evidence speaks of it"
        return Judgement(None, reason, (), quantities)
    quantities["strength"] = top
    return _decided(claim, sides, null[1], quantities)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A claim about the world as it was read."""

    text: str
    figures: frozenset[str]
    wanted: tuple[frozenset[str], ...]
    """The content words, each with its stem and themes."""
    scope: frozenset[str]
    """Stems of what it denies, or of all that it affirms."""
    negated: bool
    effect: bool
    """Whether it affirms that numbers do something to people."""
    named: frozenset[str]
    """The authors that it names."""


@dataclass(slots=True)
class _Sides:
    """The best place for a claim, against it, and with another figure, with the share of its words that each holds."""

    same: _Found = (0.0, None)
    opposite: _Found = (0.0, None)
    figure: _Found = (0.0, None)
    agreeing: set[str] = field(default_factory=set)
    """Documents that say the same."""


def _read(text: str) -> _Claim:
    reworded = _reworded(text)
    every = content_words(_FIGURE.sub(" ", reworded))
    items = every - _FRAME
    if len(items) < 2:
        items |= every & _THING
    negated = denies(text)
    scope = (_scope(reworded) & items if negated else items) or items
    wanted = tuple(expanded([item]) for item in sorted(items))
    return _Claim(text, _figures(reworded), wanted, frozenset(scope), negated, claims_effect(text), people(text))


def _look(claim: _Claim, weight: Sequence[float], read: Sequence[Passage], limits: Limits) -> _Sides:
    """Returns the best places of some passages."""
    sides = _Sides()
    fruitless = {item.document_id for item in read if _NULL.search(item.text)}
    for place in (place for item in read for place in places(item, facts=True)):
        said = _said(place, claim.text)
        titled = expanded(stems(" ".join(claim.named & people(place.passage.title))))
        value = share(claim.wanted, weight, expanded(stems(said)) | titled)
        others = _figures(said) - claim.figures
        if not claim.figures <= _figures(said):
            if value > sides.figure[0] and any(_shape(a) == _shape(b) for a in claim.figures for b in others):
                sides.figure = (value, place)
            continue
        if _denied(place, said, claim.scope) != claim.negated:
            if value > sides.opposite[0]:
                sides.opposite = (value, place)
        elif not (claim.effect and place.passage.document_id in fruitless):
            # A test that found nothing supports no effect, whatever words it shares with the claim.
            if value > sides.same[0]:
                sides.same = (value, place)
            if value >= limits.fact:
                sides.agreeing.add(place.passage.document_id)
    return sides


def _null(claim: _Claim, weight: Sequence[float], read: Sequence[Passage]) -> _Found:
    """Returns the best test that found nothing, for claims on what numbers do."""
    about_effects = _EFFECT.search(claim.text) and _SUBJECT.search(claim.text)
    if not about_effects or _OTHER_SUBJECT.search(claim.text):
        return (0.0, None)
    return _null_finding(read, claim.wanted, weight)


def _decided(claim: _Claim, sides: _Sides, null: Place | None, quantities: dict[str, float]) -> Judgement:
    """Returns the verdict of the side that holds most of the claim's words."""
    top = quantities["strength"]
    same, opposite = sides.same, sides.opposite
    if same[0] >= top and same[1] is not None and not (opposite[0] >= top and opposite[1] is null):
        if claim.effect and same[1].passage.source != SCIENTIFIC:
            return Judgement(None, "only a traditional source says it", (), quantities)
        quantities["rival"] = max(opposite[0], sides.figure[0])
        return Judgement(True, "a document on evidence says it", (same[1],), quantities)
    if opposite[0] >= top and opposite[1] is not None:
        quantities["rival"] = max(same[0], sides.figure[0])
        return Judgement(False, "a document on evidence says the opposite", (opposite[1],), quantities)
    quantities["rival"] = max(same[0], opposite[0])
    conflict = (sides.figure[1],) if sides.figure[1] is not None else ()
    return Judgement(False, "a document on evidence gives another figure", conflict, quantities)


def _said(place: Place, claim: str) -> str:
    """Returns the text of a place with its set phrases as single words, without clauses on another subject."""
    if _OTHER_SUBJECT.search(place.text) and not _OTHER_SUBJECT.search(claim):
        kept = [part for part in re.split(r"(?<=[,;:])\s", place.text) if not _OTHER_SUBJECT.search(part)]
        return _reworded(" ".join(kept))
    return _reworded(place.text)


def _scope(text: str) -> frozenset[str]:
    """Returns the stems of what follows the first denial of a claim: what it denies."""
    denial = DENIAL.search(text)
    return frozenset(stems(text[denial.end() :])) if denial else frozenset()


def _denied(place: Place, said: str, scope: AbstractSet[str]) -> bool:
    """Tells whether most of some words that a place holds stand in clauses with a denial."""
    denied = affirmed = 0
    for clause in clauses_of(said, place.settled):
        count = sum(bool(expanded([item]) & clause.words) for item in scope)
        if clause.denies:
            denied += count
        else:
            affirmed += count
    return denied > affirmed or (denied == affirmed == 0 and denies(place.text))


def _strangers(text: str, read: Sequence[Passage]) -> str:
    """Returns the first name in a claim that no passage holds; empty where there is none."""
    held = {stem for item in read for stem in stems(f"{item.title} {item.text}")}
    return next((name for name in _PROPER.findall(text) if not stems(name) <= held), "")


def _unknown(weight: Sequence[float], read: Sequence[Passage]) -> float:
    """Returns the share of a claim's words that no passage holds, by weight, 0-1."""
    rarest = weights([frozenset({"\0"})], read)[0] - 1e-9
    return sum(item for item in weight if item >= rarest) / sum(weight) if weight else 0.0


def _null_finding(
    read: Sequence[Passage], wanted: Sequence[frozenset[str]], weight: Sequence[float]
) -> tuple[float, Place | None]:
    """Returns the best share that the passages of one document hold together, and its sentence on finding nothing.

    Only documents of scientific sources count, and only those in which such a sentence stands.
    """
    best: tuple[float, Place | None] = (0.0, None)
    documents: dict[str, list[Passage]] = {}
    for item in read:
        if item.source == SCIENTIFIC:
            documents.setdefault(item.document_id, []).append(item)
    for passages in documents.values():
        found = [place for item in passages for place in places(item, facts=True) if _NULL.search(place.text)]
        value = share(wanted, weight, expanded(stems(_reworded(" ".join(item.text for item in passages)))))
        if found and value > best[0]:
            best = (value, min(found, key=lambda place: len(place.text)))
    return best


@lru_cache(maxsize=8192)
def _reworded(text: str) -> str:
    text = _LIFE.sub(r" born \1, died \2 ", text)
    for pattern, word in _PHRASES:
        text = pattern.sub(word, text)
    return text


def _figures(text: str) -> frozenset[str]:
    return frozenset(_FIGURE.findall(text))


def _shape(figure: str) -> str:
    if "." in figure:
        return "decimal"
    return "year" if len(figure) == 4 else "count"
