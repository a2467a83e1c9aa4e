"""Answers from passages: the model's sentences that a passage supports, or the passages' own sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onenumbers_models.generation.generator import ChatMessage, Generator
from onenumbers_research.answers.instructions import defused, instructs
from onenumbers_research.answers.support import THRESHOLD, content_words, relevance, sentences, support

COVERED_SIMILARITY = 0.40
"""Least cosine similarity of question and best passage for the knowledge base to count as saying something."""
SURE_SIMILARITY = 0.55
"""Cosine similarity from which the words of the question need not stand in the passages."""
COVERED_WORDS = 0.34
"""Least share of the question's content words that stand in the passages otherwise."""
MAX_EXTRACTED = 4
"""Sentences that an answer made of passages has at most."""
NOT_COVERED = "The knowledge base does not say: no passage is near enough to the question."
PART_NOT_COVERED = 'The knowledge base does not say: no passage is near enough to "{part}".'

METHOD = (
    f"A sentence stands only if one place of a cited passage (two neighbouring sentences) holds at least "
    f"{THRESHOLD:.0%} of its content words and all of its numbers, and both deny or neither does. The question counts "
    f"as covered when a passage has a cosine similarity of at least {COVERED_SIMILARITY:.2f} with it, and "
    f"{COVERED_WORDS:.0%} of its content words stand in the passages or the similarity is at least "
    f"{SURE_SIMILARITY:.2f}."
)
_FRAME = content_words(
    "number numbers numerology numerologist mean means say says stand stands tell do like get life path person people "
    "much many good know"
)
"""Words of nearly every question on numbers."""
_SYSTEM = (
    "You answer questions about numerology from numbered passages. Use only what the passages say, in their words. "
    "Answer in at most three short sentences. Report what tradition says as what tradition says. "
    "If the passages do not answer the question, say so."
)


@dataclass(frozen=True, slots=True)
class Source:
    """A passage that may be cited."""

    marker: int
    title: str
    text: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer with what supports it."""

    text: str
    marker: int
    support: float


@dataclass(frozen=True, slots=True)
class Composed:
    """A checked answer."""

    sentences: tuple[Sentence, ...]
    dropped: int
    """Sentences that no passage supported."""

    @property
    def text(self) -> str:
        """The answer with its citation markers."""
        return " ".join(f"{_ended(item.text)} [{item.marker}]" for item in self.sentences)

    @property
    def markers(self) -> set[int]:
        """Markers that the answer cites."""
        return {item.marker for item in self.sentences}


def take_turns(lists: Sequence[Sequence[str]], limit: int) -> list[tuple[int, int]]:
    """Returns which passages are read: the best of each part in turn, then the second best, each passage once.

    Args:
        lists: Identifiers of the passages that were found for each part, best first.
        limit: Most passages in all.

    Returns:
        Places as (part, place in its list), in the order in which they are read.
    """
    chosen: list[tuple[int, int]] = []
    seen: set[str] = set()
    ahead = [0] * len(lists)
    while len(chosen) < limit:
        before = len(chosen)
        for part, found in enumerate(lists):
            # A passage that another part has brought already leaves the turn to the next best.
            while ahead[part] < len(found) and found[ahead[part]] in seen:
                ahead[part] += 1
            if ahead[part] < len(found) and len(chosen) < limit:
                seen.add(found[ahead[part]])
                chosen.append((part, ahead[part]))
                ahead[part] += 1
        if len(chosen) == before:
            break
    return chosen


def passages_for(parts: int) -> int:
    """Returns how many passages are read when the caller does not say: 4, or 2 for each part, at most 10."""
    return max(4, min(10, 2 * parts))


def covered(sources: Sequence[Source], question: str = "") -> bool:
    """Tells whether the passages answer a question: near enough to it, and with its words or nearer still.

    A question on the blood group of a soul urge 6 is near to what the corpus says of soul urge 6; that no passage holds
    its words tells the two apart. Without a question, nearness alone decides.
    """
    nearest = max((source.similarity for source in sources), default=0.0)
    if nearest < COVERED_SIMILARITY:
        return False
    wanted = content_words(question) - _FRAME
    if nearest >= SURE_SIMILARITY or not wanted:
        return True
    held = set[str]().union(*(content_words(f"{source.title} {source.text}") for source in sources))
    return len(wanted & held) / len(wanted) >= COVERED_WORDS


def checked(draft: str, sources: Sequence[Source]) -> Composed:
    """Returns the sentences of a draft that a passage supports; repetitions and orders are left out."""
    texts = [source.text for source in sources]
    kept: list[Sentence] = []
    dropped = 0
    for sentence in sentences(draft):
        found = support(sentence, texts)
        if found.share < THRESHOLD or instructs(sentence):
            dropped += 1
        elif sentence.casefold() not in {item.text.casefold() for item in kept}:
            kept.append(Sentence(sentence, sources[found.passage].marker, found.share))
    return Composed(tuple(kept), dropped)


def extracted(question: str, sources: Sequence[Source]) -> Composed:
    """Returns the passages' own sentences that say most about the question, best passages first.

    A sentence's weight is the share of the question's words that it holds, and its passage's similarity.
    """
    weighed: list[tuple[float, int, int, Sentence]] = []
    for source in sources:
        if source.similarity < COVERED_SIMILARITY or instructs(f"{source.title}\n{source.text}"):
            continue
        for place, text in enumerate(sentences(source.text)):
            weight = relevance(text, question) + source.similarity
            weighed.append((weight, -source.marker, -place, Sentence(text, source.marker, 1.0)))
    best = sorted(weighed, reverse=True, key=lambda item: item[:3])[:MAX_EXTRACTED]
    ordered = sorted(best, key=lambda item: (-item[1], -item[2]))
    return Composed(tuple(item[3] for item in ordered), 0)


def prompt(question: str, sources: Sequence[Source], generator: Generator, *, max_tokens: int) -> list[ChatMessage]:
    """Returns the conversation; passages are left out from the last one on until it leaves room for the answer."""
    room = generator.context_length - max_tokens
    chosen = list(sources)
    while True:
        # Each on one line and without markers of its own: a document cannot pose as another passage or as the question.
        passages = "\n\n".join(f"[{item.marker}] {defused(item.title)}: {defused(item.text)}" for item in chosen)
        messages = [
            ChatMessage("system", _SYSTEM),
            ChatMessage("user", f"Passages:\n\n{passages}\n\nQuestion: {defused(question)}"),
        ]
        if len(chosen) <= 1 or generator.count_tokens(messages) <= room:
            return messages
        chosen.pop()


def _ended(text: str) -> str:
    return text if text[-1:] in ".!?…\"”')" else f"{text}."
