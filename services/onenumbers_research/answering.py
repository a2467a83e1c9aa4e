"""Answers from passages: the model's sentences that a passage supports, or the passages' own sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onenumbers_models.generator import ChatMessage, Generator
from onenumbers_research.support import THRESHOLD, relevance, sentences, support

COVERED_SIMILARITY = 0.40
"""Least cosine similarity of question and best passage for the knowledge base to count as saying something."""
MAX_EXTRACTED = 4
"""Sentences that an answer made of passages has at most."""
NOT_COVERED = "The knowledge base does not say: no passage is near enough to the question."

METHOD = (
    f"A sentence stands only if one place of a cited passage (two neighbouring sentences) holds at least "
    f"{THRESHOLD:.0%} of its content words and all of its numbers, and both deny or neither does. The question counts "
    f"as covered when a passage has a cosine similarity of at least {COVERED_SIMILARITY:.2f} with it."
)
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


def covered(sources: Sequence[Source]) -> bool:
    """Tells whether the passages are near enough to the question to answer it."""
    return any(source.similarity >= COVERED_SIMILARITY for source in sources)


def checked(draft: str, sources: Sequence[Source]) -> Composed:
    """Returns the sentences of a draft that a passage supports; a sentence that repeats another is left out too."""
    texts = [source.text for source in sources]
    kept: list[Sentence] = []
    dropped = 0
    for sentence in sentences(draft):
        found = support(sentence, texts)
        if found.share < THRESHOLD:
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
        if source.similarity < COVERED_SIMILARITY:
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
        passages = "\n\n".join(f"[{item.marker}] {item.title}: {item.text}" for item in chosen)
        messages = [
            ChatMessage("system", _SYSTEM),
            ChatMessage("user", f"Passages:\n\n{passages}\n\nQuestion: {question}"),
        ]
        if len(chosen) <= 1 or generator.count_tokens(messages) <= room:
            return messages
        chosen.pop()


def _ended(text: str) -> str:
    return text if text[-1:] in ".!?…\"”')" else f"{text}."
