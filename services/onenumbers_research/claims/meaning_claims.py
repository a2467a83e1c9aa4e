"""Judges claims about meanings by what the documents on that number say, and those on other numbers.

Supported: one place of a document on the number holds enough of the claim's themes. Contradicted: a place of such a
document holds the opposite themes or denies them; or the documents on the number do not have the claim's themes and
one on another number, in the same position, does. Not covered: neither. What counts as enough was chosen on the
training half of the labelled claims (calibration.json).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from onenumbers_research.claims.calibration import Limits
from onenumbers_research.claims.dates import words
from onenumbers_research.claims.evidence import Passage, Place, expanded, places, share, stems, themes, weights

POSITIONS = (
    *("life path", "personal year", "personal month", "personal day", "universal year", "soul urge", "expression"),
    *("personality", "karmic debt", "karmic lesson", "pinnacle", "challenge", "essence", "period cycle", "balance"),
    *(
        "maturity",
        "birthday",
        "bridge",
        "hidden passion",
        "rational thought",
        "subconscious self",
        "compound",
        "planet",
    ),
)
"""Positions of a chart, as documents name them in their titles."""
_ALIASES = {
    "heart's desire": "soul urge",
    "destiny": "expression",
    "missing": "karmic lesson",
    "ruler": "planet",
    "rules the number": "planet",
}
_FRAME = frozenset(
    stem
    for word in words("""number numbers mean means stand stands represent represents signify signifies symbolise
    symbolizes associated associate linked link
    tradition traditionally traditional people person those bearer tends tend tied
    belongs belong brings bring called call calls read reads reading describe described kind sort year years time say
    says said give gives gave put puts given points point sign teach teaches form forms come comes going letter name
    indicate indicates denote denotes favours favour corresponds correspond rule rules ruled govern governs nothing
    thing things life make makes loves love like likes missing pictured picture get gets recognises keep keeps want
    wants other others drawn draws speak speaks concern concerns seen ask asks said suit suits under system
    indifferent lack lacks avoid avoids dislike dislikes refuse refuses advise advises centre centres center centers
    focus focuses turn turns deal deals full kind shows show look looks appear appears seem seems stand expects expect
    treat treats assign assigns connect connects demand demands mark marked marks contain contains involve involves
    revolves stage phase period name first carries carry promises promise needs need day days month holds hold offers
    offer grants grant wishes""")
    for stem in stems(word)
)
_TITLES = frozenset(words("teacher teachers"))
"""Words that are no frame, although their stems are."""
_WISHES = frozenset(stem for word in words("wish desire longing long crave hunger want") for stem in stems(word))
"""Frame of claims about the soul urge alone: it is a wish by definition."""
_LED = re.compile(r"\b(?:led|guided|ruled|directed|commanded) by (?:others|other people|somebody|someone)\b")
_CONTRAST = re.compile(r"\b(?:(?:rather|more|instead) (?:than|of)|above|instead of|and not|but not)\b.*", re.IGNORECASE)
"""What a claim says that a number is less, or is not."""
_ON_LACKS = re.compile(r"(?:karmic lesson|challenge|bridge|subconscious self|balance)\b", re.IGNORECASE)
"""Titles of documents that describe what is missing where a number stands: no source on what the number means."""
_NUMBER = re.compile(r"(?<![\d.])\d{1,3}(?![\d.]*\d)")
_NUMBER_WORDS = {word: str(n) for n, word in enumerate(words("zero one two three four five six seven eight nine"))}
_SPELT = re.compile(
    rf"\b(?:number|path|year|debt|urge|expression|pinnacle|an?|the) ({'|'.join(_NUMBER_WORDS)})\b", re.IGNORECASE
)
_NEGATED = re.compile(
    r"\b(?:not|never|no|nothing|isn't|doesn't|don't|neither|hardly|indifferent|lacks?|avoids?|dislikes?|without|"
    r"refuses?|hates?|shuns?|flees?|escapes?|runs? (?:away )?from|far from|breaks|nobody|none|few)\b|n't\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class MeaningClaim:
    """A claim about a meaning as it was read."""

    text: str
    numbers: tuple[int, ...]
    position: str
    """Position in a chart that it speaks of; empty where it names none."""
    wanted: tuple[frozenset[str], ...]
    """The content words, each with its stem and themes."""
    words: str
    """The content words as they stand, for a search that does not name the number."""
    negated: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of a claim."""

    supported: bool | None
    """None where the documents do not cover it."""
    reason: str
    evidence: tuple[Place, ...]
    quantities: dict[str, float]
    """What the confidence is computed from."""


def read_meaning(text: str, number: int | None = None) -> MeaningClaim:
    """Returns what a claim says of which number; `number` is the one meant where the text names none."""
    plain = _SPELT.sub(lambda match: match[0].replace(match[1], _NUMBER_WORDS[match[1].lower()]), text)
    numbers = tuple(dict.fromkeys(int(item) for item in _NUMBER.findall(plain)))
    if not numbers and number is not None:
        numbers = (number,)
    lowered = _LED.sub(" follow ", plain.lower().replace("’", "'"))
    position = next((name for name in POSITIONS if re.search(rf"\b{name}s?\b", lowered)), "")
    if not position:
        position = next((name for alias, name in _ALIASES.items() if alias in lowered), "")
    own = stems(position) - {"planet"}
    frame = _FRAME | own | (_WISHES if position == "soul urge" else frozenset())
    said, negated = _scope(lowered, frame)
    kept = _kept(said, frame)
    if not kept and position and numbers:
        # "16 is a karmic debt number": the position itself is what the claim says of the number.
        kept = sorted(position.split())
        frame, position = frozenset(), ""
    wanted = tuple(
        dict.fromkeys(expanded(stems(word) - (frame if word not in _TITLES else frozenset())) for word in kept)
    )
    return MeaningClaim(text, numbers, position, wanted, " ".join(kept), negated)


def _kept(text: str, frame: frozenset[str]) -> list[str]:
    """Returns the words of a claim that say something of the number."""
    return [
        word
        for word in re.findall(r"[^\W\d_]+(?:['-][^\W\d_]+)*", text)
        if (found := stems(word)) and (word in _TITLES or not found <= frame)
    ]


def _scope(text: str, frame: frozenset[str]) -> tuple[str, bool]:
    """Returns what a claim affirms of the number, or what it denies, and whether it denies it.

    A denial in front governs the whole claim ("7 does not mean solitude"); one that follows what is affirmed already
    ("rigid people who never change", "victory more than company") governs the rest alone, which is left out.
    """
    contrast = _CONTRAST.search(text)
    if contrast and _kept(text[: contrast.start()], frame):
        text = text[: contrast.start()]
    denial = _NEGATED.search(text)
    if denial is None:
        return text, False
    if _kept(text[: denial.start()], frame):
        return text[: denial.start()], False
    return _NEGATED.sub(" ", text), True


def judge_meaning(claim: MeaningClaim, own: Sequence[Passage], others: Sequence[Passage], limits: Limits) -> Judgement:
    """Returns the verdict on a claim.

    Args:
        claim: The claim.
        own: Passages found for the claim among documents on its numbers.
        others: Passages found for its words among all documents.
        limits: What counts as enough.
    """
    passages = list({item.passage_id: item for item in (*own, *others)}.values())
    weight = weights(claim.wanted, passages)
    mine = _places_on(claim, passages)
    agreeing = _best(claim, weight, mine, lambda place: place.affirmed)
    against = _best(claim, weight, mine, lambda place: (place.denied - place.affirmed) | _turned(claim, place))
    elsewhere = _best(claim, weight, _places_elsewhere(claim, passages), lambda place: place.affirmed)
    documents = {
        place.passage.document_id for place in mine if share(claim.wanted, weight, place.affirmed) >= limits.agree
    }
    opposed = _opposed_documents(claim, weight, mine, limits) - documents
    quantities = {
        "agree": agreeing[0],
        "oppose": against[0],
        "elsewhere": elsewhere[0],
        "margin": abs(agreeing[0] - max(against[0], elsewhere[0])),
        "similarity": max((item.similarity for item in own), default=0.0),
        "documents": float(len(documents)),
        "opposed_documents": float(len(opposed)),
        "known_words": sum(w < _rarest(passages) for w in weight) / max(1, len(weight)),
        "words": float(len(claim.wanted)),
    }
    if not claim.wanted:
        return Judgement(None, "the claim says nothing of the number that could be looked up", (), quantities)
    agrees, opposes = agreeing[0] >= limits.agree, against[0] >= limits.oppose
    if agrees and opposes:
        # Documents speak for and against it: more of them decide, then the fuller agreement.
        agrees = (len(documents), agreeing[0]) >= (len(opposed), against[0])
        opposes = not agrees
    quantities |= {"strength": 0.0, "rival": 0.0, "missed": 0.0, "by_absence": 0.0}
    if agrees:
        quantities |= {"strength": agreeing[0], "rival": max(against[0], elsewhere[0])}
        return Judgement(not claim.negated, "documents on the number say it", agreeing[1], quantities)
    if opposes:
        quantities |= {"strength": against[0], "rival": agreeing[0]}
        reason = "documents on the number say the opposite or deny it"
        return Judgement(claim.negated, reason, against[1], quantities)
    if not claim.negated and mine and elsewhere[0] >= limits.elsewhere and agreeing[0] <= limits.absent:
        quantities |= {"strength": elsewhere[0], "rival": agreeing[0], "by_absence": 1.0}
        found = (*elsewhere[1], *agreeing[1][:1])
        return Judgement(False, "the documents say it of another number and not of this one", found, quantities)
    quantities["missed"] = max(agreeing[0], against[0], elsewhere[0])
    if not mine:
        return Judgement(None, "no document on this number was found", (), quantities)
    return Judgement(None, "the documents on the number do not speak of it", agreeing[1][:1], quantities)


def _rarest(passages: Sequence[Passage]) -> float:
    """Returns the weight of a word that no passage holds, less a hair."""
    return weights([frozenset({"\0"})], passages)[0] - 1e-9


def _places_on(claim: MeaningClaim, passages: Sequence[Passage]) -> list[Place]:
    """Returns the places that speak of the claim's numbers, in its position where documents on that exist."""
    wanted = {str(number) for number in claim.numbers}
    if not wanted:
        return [place for passage in passages for place in places(passage) if _about_position(claim, place)]
    found: list[Place] = []
    for passage in passages:
        if not claim.position and _ON_LACKS.match(passage.title):
            continue
        if len(passage.numbers) == 1 and len(claim.numbers) == 1:
            # A document on another number may name this one, in a sum or as a contrast; it is not about it.
            if passage.numbers == claim.numbers:
                found += _titled([place.narrowed(claim.numbers[0], strictly=False) for place in places(passage)])
        elif len(claim.numbers) == 1:
            found += [
                place.narrowed(claim.numbers[0], strictly=True) for place in places(passage) if wanted <= place.numbers
            ]
        else:
            found += [place for place in places(passage) if wanted <= place.numbers]
    if claim.position:
        # Documents on the position itself come before those that only name it.
        titled = [place for place in found if _on_position(claim.position, place.passage.title)]
        return titled or [place for place in found if _about_position(claim, place)]
    return found


def _on_position(position: str, title: str) -> bool:
    """Tells whether a document is on a position itself, by the part of its title before the colon."""
    head = title.lower().partition(":")[0]
    return position in head or (position == "birthday" and head.startswith("born on"))


def _titled(found: list[Place]) -> list[Place]:
    """Returns the places of a passage, the first with the words of its title: "Essence 4: inner duty"."""
    if not found:
        return found
    title = found[0].passage.title.partition(":")[2]
    return [replace(found[0], affirmed=found[0].affirmed | expanded(stems(title))), *found[1:]]


def _places_elsewhere(claim: MeaningClaim, passages: Sequence[Passage]) -> list[Place]:
    """Returns the places of documents on one other number, in the claim's position."""
    if len(claim.numbers) != 1:
        return []
    return [
        place
        for passage in passages
        if len(passage.numbers) == 1 and passage.numbers != claim.numbers
        for place in places(passage)
        if str(claim.numbers[0]) not in place.numbers and _about_position(claim, place)
    ]


def _about_position(claim: MeaningClaim, place: Place) -> bool:
    return not claim.position or claim.position in f"{place.passage.title} {place.text}".lower()


def _best(
    claim: MeaningClaim, weight: Sequence[float], found: Sequence[Place], side: Callable[[Place], frozenset[str]]
) -> tuple[float, tuple[Place, ...]]:
    """Returns the best share of the claim's themes in any place, and the three best places."""
    weighed = sorted(
        (
            (share(claim.wanted, weight, side(place)), place.passage.similarity, -len(place.text), index)
            for index, place in enumerate(found)
        ),
        reverse=True,
    )
    chosen: list[Place] = []
    for value, _, _, index in weighed:
        place = found[index]
        if value and place.passage.passage_id not in {item.passage.passage_id for item in chosen} and len(chosen) < 3:
            chosen.append(place)
    return (weighed[0][0] if weighed else 0.0), tuple(chosen)


def _turned(claim: MeaningClaim, place: Place) -> frozenset[str]:
    """Returns the claim's own items whose opposites stand in a place that lacks the items themselves."""
    opposites = themes().opposites
    hit: set[str] = set()
    for group in claim.wanted:
        opposite = frozenset().union(*(opposites.get(item, frozenset()) for item in group))
        if opposite & place.affirmed and not group & place.affirmed:
            hit |= group
    return frozenset(hit)


def _opposed_documents(
    claim: MeaningClaim, weight: Sequence[float], found: Sequence[Place], limits: Limits
) -> set[str]:
    """Returns the documents that say the opposite of a claim or deny it."""
    return {
        place.passage.document_id
        for place in found
        if share(claim.wanted, weight, (place.denied - place.affirmed) | _turned(claim, place)) >= limits.oppose
    }
