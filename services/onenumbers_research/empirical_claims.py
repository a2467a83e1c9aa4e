"""Judges claims about the world by the documents on evidence, and by nothing else.

Claims that numbers have an effect on people are answered from documents of scientific sources alone: what a tradition
teaches is no evidence for it. Claims about history are answered from the documents of the category validation.
Supported: one place holds enough of the claim's words and all its figures, and both deny or neither does.
Contradicted: the place denies what the claim affirms, or the other way round, or it gives another figure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from onenumbers_research.calibration import Limits
from onenumbers_research.claim_dates import words
from onenumbers_research.claim_evidence import Passage, Place, denies, expanded, places, share, stems, weights
from onenumbers_research.meaning_claims import Judgement

CATEGORY = "validation"
"""Category of the documents on evidence and history."""
SCIENTIFIC = "scientific"
"""Source of the documents that may support a claim of an effect."""

_PHRASES = tuple(
    (re.compile(pattern, re.IGNORECASE), word)
    for pattern, word in (
        (
            r"\b(?:life[ -]paths?(?: numbers?)?|birth numbers?)\b(?: of)?(?: \d{1,2}\b)?(?: (?:and|or) \d{1,2}\b)?",
            " birthnumber ",
        ),
        (r"\b(?:names? numbers?|numbers? of (?:a |the )?names?|name numerology)\b", " namenumber "),
        (r"\bnobel(?: prizes?| laureates?)?|\blaureates?", " laureate "),
        (r"\bself-perception|\b(?:see|describe|recogni[sz]e)s? themselves|\bown number", " selfimage "),
        (r"\bchi-square", " chisquare "),
        (r"\bsucce\w+|\bachiev\w+", " success "),
        (r"\bagree\w*|\bmatch\w*|\bfit(?:s|ted)?\b", " agree "),
        (r"\bpredict\w*|\binfluenc\w+|\bdetermin\w+|\blead(?:s|ing)? to|\bmark people|\beffects?\b", " effect "),
    )
)
_FRAME = frozenset(
    stem
    for word in words("""study studies research science scientific scientists scientifically statistics show
    shows shown
    showed prove proves proven proved people person persons others number numbers found find finds demonstrate
    demonstrated claim claims evidence test tests tested that much called numerology everybody very high usually mostly
    go goes according more most than significant value data""")
    for stem in stems(word)
)
_EFFECT = re.compile(
    r"\bmore\b|\bless\b|\bbetter\b|\blonger\b|\bpredict|\bdetermine|\binfluence|\bproves?\b|\bproven\b|\bearn|"
    r"\bleads? to|"
    r"\bsuccess|\bachiev|\bdiffer|\beffects?\b|\boccurs?\b|\bmostly\b|\boften\b|"
    r"\bmakes?\b|\bcauses?d?\b|\brecogni[sz]e\b|\bagrees?\b|\bmatch",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"\b(?:life path|birth number|expression|personal year|number|numerology|reading)s?\b|self-perception",
    re.IGNORECASE,
)
_NULL = re.compile(
    r"\bno (?:effect|evidence|support|difference|reason)\b|\bnot (?:found|differ|shown|confirmed)\b|"
    r"\bagainst the claim\b|"
    r"\bagreement with chance\b|\bdo not support\b|\bsays no\b|\bnothing outside\b|\bno data\b",
    re.IGNORECASE,
)
"""How documents on evidence say that a test found nothing."""
_FIGURE = re.compile(r"(?<![\d.])\d+(?:\.\d+)?(?![\d]*\.\d)")


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
    effect = claims_effect(text)
    read = [item for item in passages if item.category == CATEGORY and (item.source == SCIENTIFIC or not effect)]
    reworded = _reworded(text)
    figures = _figures(reworded)
    items = {item for item in stems(_FIGURE.sub(" ", reworded)) if item not in _FRAME}
    wanted = tuple(expanded([item]) for item in sorted(items))
    negated = denies(text)
    weight = weights(wanted, [replace(item, text=_reworded(item.text)) for item in read])
    best: dict[bool, tuple[float, Place | None]] = {True: (0.0, None), False: (0.0, None)}
    figure_conflict: tuple[float, Place | None] = (0.0, None)
    agreeing: set[str] = set()
    fruitless = {item.document_id for item in read if _NULL.search(item.text)}
    for place in (place for item in read for place in places(item, facts=True)):
        said = _reworded(place.text)
        value = share(wanted, weight, expanded(stems(said)))
        if not figures <= _figures(said):
            others = _figures(said) - figures
            if value > figure_conflict[0] and any(_shape(a) == _shape(b) for a in figures for b in others):
                figure_conflict = (value, place)
            continue
        same = _denied(place, wanted, weight) == negated
        if same and effect and place.passage.document_id in fruitless:
            # A test that found nothing supports no effect, whatever words it shares with the claim.
            continue
        if value > best[same][0]:
            best[same] = (value, place)
        if value >= limits.fact and same:
            agreeing.add(place.passage.document_id)
    null = _null_finding(read, wanted, weight) if _EFFECT.search(text) and _SUBJECT.search(text) else (0.0, None)
    if null[0] >= limits.passage and null[0] >= max(best[True][0], best[False][0]) and not figures:
        best[negated] = null
    for_it, against = best[True], best[False]
    quantities = {
        "same": for_it[0],
        "opposite": against[0],
        "figure": figure_conflict[0],
        "null_finding": null[0],
        "margin": abs(for_it[0] - max(against[0], figure_conflict[0])),
        "similarity": max((item.similarity for item in read), default=0.0),
        "documents": float(len(agreeing)),
        "words": float(len(wanted)),
    }
    top = max(for_it[0], against[0], figure_conflict[0])
    if not wanted or top < limits.fact:
        return Judgement(None, "no document on evidence speaks of it", (), quantities)
    if for_it[0] >= top and for_it[1] is not None and not (against[0] >= top and against[1] is null[1]):
        if effect and for_it[1].passage.source != SCIENTIFIC:
            return Judgement(None, "only a traditional source says it", (), quantities)
        return Judgement(True, "a document on evidence says it", (for_it[1],), quantities)
    if against[0] >= top and against[1] is not None:
        return Judgement(False, "a document on evidence says the opposite", (against[1],), quantities)
    found = figure_conflict[1]
    return Judgement(
        False, "a document on evidence gives another figure", (found,) if found is not None else (), quantities
    )


def _denied(place: Place, wanted: Sequence[frozenset[str]], weight: Sequence[float]) -> bool:
    """Tells whether most of the claim's words that a place holds stand in clauses with a denial."""
    denied = affirmed = 0.0
    for clause in place.clauses:
        # The clauses of a place hold the words as they stand, set phrases as single words are in the whole text.
        part = share(wanted, weight, clause.words)
        if clause.denies:
            denied += part
        else:
            affirmed += part
    return denied > affirmed or (denied == affirmed == 0.0 and denies(place.text))


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


def _reworded(text: str) -> str:
    for pattern, word in _PHRASES:
        text = pattern.sub(word, text)
    return text


def _figures(text: str) -> frozenset[str]:
    return frozenset(_FIGURE.findall(text))


def _shape(figure: str) -> str:
    if "." in figure:
        return "decimal"
    return "year" if len(figure) == 4 else "count"
