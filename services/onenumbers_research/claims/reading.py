"""Splits a text into claims and says of what kind each is: by rules that anyone can read.

A claim is a sentence, or a clause of one that has a subject and a verb of its own ("7 means study and 8 means power"
holds two). Kinds: a calculation names what is calculated and the number; an empirical claim speaks of people, studies
or history; a meaning says what a number stands for. The rules are for English; other languages are told apart by
their function words and are not checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from onenumbers_research.claims.calculations import Calculation, read_calculation
from onenumbers_research.claims.facts import AUTHORS

MAX_CLAIMS = 100
"""Claims that one text may hold: each one costs searches and calculations."""


class Kind(Enum):
    """What a claim is about."""

    OTHER = "other"
    CALCULATION = "calculation"
    MEANING = "meaning"
    EMPIRICAL = "empirical"


class Verdict(Enum):
    """What became of a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NOT_COVERED = "not_covered"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as it was read."""

    text: str
    kind: Kind
    language: str
    """Two letters; "en", or another language that the function words point to; "und" for another script."""
    calculation: Calculation | None = None
    """What is to be calculated, for claims of that kind."""


_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[^\W_])|\n\s*\n|\n(?=\s*[-*+|\d])")
_ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|e\.g|i\.e|vs|No|cf|approx|ca)\.$")
_LIST_SIGN = re.compile(r"^(?:[-*+|#>]+|\d+[.)])\s+")
_VERB = (
    r"(?:is|are|was|were|means?|stands?|represents?|signif(?:y|ies)|symboli[sz]es?|brings?|has|have|had|gives?|shows?|"
    r"reduces?|becomes?|equals?|counts?|rules?|governs?|belongs?|points?|teaches|does|do|found|proves?|predicts?|"
    r"makes?|earns?|lives?|differs?|wants?|loves?|calls?|says?|comes?|occurs?|indicates?|denotes?|expresses)"
)
_SUBJECT = (
    r"(?:the\s+|a\s+|an\s+)?(?:(?:number|life\s+path|personal\s+year|expression|soul\s+urge|pinnacle|challenge|"
    r"karmic\s+debt|compound|letter|birthday)\s+)?(?:\d{1,4}|[A-Z])"
)
_CONNECTOR = re.compile(r"\s*;\s*|,?\s+(?:and|but|while|whereas|yet)\s+(?=\S)|,\s+(?=(?:the\s+)?\d)", re.IGNORECASE)
_OWN_CLAUSE = re.compile(
    rf"^(?:{_SUBJECT}\s+{_VERB}\b|(?:the|a|people|studies|research|science|there|no|those|tradition)\b"
    rf"[^,;]{{0,70}}?\s{_VERB}\b)",
    re.IGNORECASE,
)
_HAS_VERB = re.compile(rf"(?:\s|^){_VERB}\b|=", re.IGNORECASE)

_EMPIRICAL = re.compile(
    r"""
    \b(?:studies|(?:an?|the|one|no|this|that)\s+study|study\s+(?:at|by|of|in|shows?|found)|
    research(?:ers?)?|scien\w+|statistic\w*|survey\w*|evidence|experiments?|psycholog\w+|
    proven|proves?|proved|proof|demonstrated|data|percent|correlat\w+|predicts?|laureates?|nobel|chance|
    significan\w+|chi-square|p-value|genovese|dlhopolsky|diamant|skeptoid|barnum|bias|effect|tests?|tested|confirmed|
    questionnaires?|twins|measured|historical\w*|history|ancient|century|babylon\w*|pythagoras|published|printed|
    comparisons?|dated|book|born\s+in|died|founded|
    invented|wrote|writings|institute|university|hospitals?|doctors|likel(?:y|ier)|schools?\s+of|births?\s+from|
    personal\s+experience|reading\s+feels|real\s+name|claims\s+of|common|frequent\w*|rare\w*|most|half\s+of)\b
    |\b(?:people|persons?|men|women|children|students|companies|drivers|footballers|cats|everybody|those|numerologists)
     \b.{0,60}\b(?:earn|live|die|sleep|more|less|better|worse|longer|shorter|lower|higher|younger|break|cause|score|
     recogni[sz]e|from\s+\d{4}\s+to\s+\d{4})\b
    |\b(?:one|two|three|half)\s+\w+\s+in\s+\w+\b|\b%|\buses?\s+numerology|\bnumerology\s+(?:was|is|has|works|predicts)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_AUTHORS = "(?:" + "|".join(sorted(AUTHORS | {"warner"})) + ")"
_ABOUT_AUTHORS = re.compile(
    rf"\b{_AUTHORS}(?:['’]s?)?\b|\b(?:1[5-9]|20)\d\d\b|\b(?:graffit\w+|inscriptions?|pompeii|cuneiform|greeks?|hebrew|"
    r"romans?|kabbalah|gematria|isopsephy|theosoph\w+|phillips chart)\b",
    re.IGNORECASE,
)
"""People, years and things of the history of numerology: a claim that names them is about the world, unless it is an
author's reading of a number."""
_READS = re.compile(
    rf"\b{_AUTHORS}\b[^.]{{0,40}}\b(?:puts|gives|gave|calls|called|keeps|recogni[sz]es|rules|ties|names|reads|links|"
    r"describes|assigns|ascribes|sees|treats|connects|associates|places|likens)\b.*\b\d{1,2}\b|"
    rf"\b\d{{1,2}}\b.*\b(?:under|by|according to|in) {_AUTHORS}\b|"
    rf"\b{_AUTHORS}'?s? (?:system|table|tradition|line|reading)\b",
    re.IGNORECASE,
)
_NUMEROLOGY = re.compile(
    r"\b\d{1,2}(?:st|nd|rd|th)?\b|\b(?:numbers?|numerolog\w+|life path|master|karmic|pinnacle|challenge|"
    r"personal (?:year|month|day)|letters?|expression|soul urge|destiny|compound|planet|cheiro|chaldean|pythagorean|"
    r"vedic|concord|birthday|balance|bridge|essence|maturity|hidden passion|"
    r"rational thought|subconscious self|cornerstone|"
    r"period cycle)\b",
    re.IGNORECASE,
)
_MEANS = re.compile(
    r"^(?!.*\b(?:studies|research\w*|scien\w+|statistic\w*|proven|proves?|evidence|survey)\b)"
    r".*?\b(?:\d{1,2}|number|one|seven) (?:means?|stands? for|represents?|symboli[sz]es?|signif(?:y|ies)|denotes?|"
    r"is (?:called|tied|linked|read|seen|associated|about))\b",
    re.IGNORECASE,
)
"""A number and a verb of meaning: what follows may name studies, tests or history as themes."""
_TRADITION = re.compile(
    r"^(?:tradition|cheiro|goodwin|decoz|the\s+(?:sun|moon))\s+(?:puts|gives|calls|keeps|says|recogni[sz]es|rules|ties|"
    r"names|reads|links)\b",
    re.IGNORECASE,
)

_FUNCTION_WORDS = {
    "en": "the a an of is are was were and or to in by for with that it this not no has have does do means stands "
    "represents about who people from as at on be than their my you your brings number life when what all",
    "de": "der das und ist nicht ein eine für mit bedeutet zahl steht wird sind von dem den lebenszahl haben auch",
    "fr": "le la les des est et une dans pour signifie nombre chemin représente avec sont qui pas du au vie",
    "es": "el los las es y un una significa número camino vida representa para con que del son quien año",
    "it": "il lo gli è e uno una significa numero rappresenta vita con che della sono per di cammino anno",
    "pt": "os as é um uma significa número caminho vida representa com para que da do são não ano",
    "ro": "este și un o înseamnă numărul vieții drumul cu care pentru în nu sunt la lui cifra reprezintă din",
    "nl": "het een en van betekent getal is niet met voor levenspad staat zijn dat",
    "pl": "jest i liczba oznacza nie na dla życia droga się ktoś w z że",
}
_WORDS_OF = {language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()}
_LETTERS = re.compile(r"[^\W\d_]+")


def split(text: str) -> list[str]:
    """Returns the claims of a text in their order, without list signs; what holds no word is left out."""
    sentences: list[str] = []
    for part in _SENTENCE.split(text):
        piece = " ".join(_LIST_SIGN.sub("", part.strip()).split())
        if sentences and _ABBREVIATION.search(sentences[-1]):
            sentences[-1] = f"{sentences[-1]} {piece}"
        elif piece:
            sentences.append(piece)
    return [clause for sentence in sentences for clause in _clauses(sentence) if re.search(r"[^\W_]", clause)]


def read_claim(text: str) -> Claim:
    """Returns a claim with its language and its kind."""
    language = language_of(text)
    if language != "en":
        return Claim(text, Kind.OTHER, language)
    calculation = read_calculation(text)
    if calculation is not None:
        return Claim(text, Kind.CALCULATION, language, calculation)
    about_people = _ABOUT_AUTHORS.search(text) and not _READS.search(text)
    if (_EMPIRICAL.search(text) or about_people) and not (_TRADITION.search(text) or _MEANS.search(text)):
        return Claim(text, Kind.EMPIRICAL, language)
    return Claim(text, Kind.MEANING if _NUMEROLOGY.search(text) else Kind.OTHER, language)


def language_of(text: str) -> str:
    """Returns "en" unless another script prevails or function words of another language outnumber the English ones."""
    words = [word.casefold() for word in _LETTERS.findall(text)]
    letters = "".join(words)
    latin = sum("a" <= letter <= "ɏ" for letter in letters)
    if letters and latin < len(letters) / 2:
        return "und"
    hits = {language: sum(word in known for word in words) for language, known in _WORDS_OF.items()}
    best = max(hits, key=lambda language: (hits[language], language == "en"))
    return best if hits[best] > hits["en"] else "en"


def _clauses(sentence: str) -> list[str]:
    """Returns the clauses of a sentence that have a subject and a verb of their own, or the sentence."""
    clauses: list[str] = []
    start = 0
    for match in _CONNECTOR.finditer(sentence):
        left, right = sentence[start : match.start()], sentence[match.end() :]
        if _HAS_VERB.search(left) and _OWN_CLAUSE.match(right):
            clauses.append(left.strip())
            start = match.end()
    clauses.append(sentence[start:].strip())
    return clauses
