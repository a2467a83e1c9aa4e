"""A search from the question to passages with excerpts."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from onenumbers_knowledge.documents import DocumentLabel, Passage
from onenumbers_knowledge.index.filters import Filters
from onenumbers_knowledge.index.passage_index import DEPTH, PassageIndex, Question, Ranking
from onenumbers_knowledge.search.highlight import Excerpt, excerpt
from onenumbers_knowledge.search.ranking import Candidate, Mode
from onenumbers_knowledge.search.words import Analyzer
from onenumbers_runtime.errors import InvalidArgumentError, invalid

T = TypeVar("T")
LONGEST_QUERY = 2_000
"""Characters of a query at most."""
_AT_ONCE = 10
"""Excerpts that are made before the event loop serves others."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]+")


class Run(Protocol):
    """Runs work where the index may be touched."""

    async def __call__(self, work: Callable[[], T]) -> T: ...  # noqa: D102


class PassageStore(Protocol):
    """Where passages are read."""

    async def passages(self, keys: Sequence[int]) -> dict[int, tuple[Passage, DocumentLabel]]: ...  # noqa: D102


class QueryEmbedder(Protocol):
    """Turns queries into vectors."""

    async def embed_query(self, text: str) -> NDArray[np.float32]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, and how."""

    query: str
    count: int
    """Passages of this page."""
    offset: int = 0
    """Passages of the pages before."""
    mode: Mode = Mode.HYBRID
    min_similarity: float | None = None
    """Least cosine similarity, in every mode."""
    filters: Filters = field(default_factory=Filters)
    diversity: float = 0.0
    """0 ranks by relevance alone; up to 1, passages that repeat better ones are put back."""

    @property
    def fingerprint(self) -> str:
        """Names the search without its page: the pages of one search share it."""
        sets = (sorted(self.filters.categories), sorted(self.filters.sources), sorted(self.filters.numbers))
        told = (self.query, self.mode.value, self.min_similarity, sets, self.filters.school, self.diversity)
        return hashlib.sha256(repr((told, tuple(self.filters.metadata))).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found."""

    passage: Passage
    document: DocumentLabel
    scores: Candidate
    """Cosine, BM25 and both fused, each by its name."""
    excerpt: Excerpt

    @property
    def similarity(self) -> float:
        """Cosine similarity of passage and query, -1 to 1; 0 where the query has no vector."""
        return self.scores.cosine or 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """What a search returned."""

    hits: list[Hit]
    model: str
    compared: int
    """Passages that the filters let through."""
    mode: Mode
    more: bool = False
    """Whether another page follows."""
    notes: tuple[str, ...] = ()
    """What a reader should know of this ranking."""


def checked_query(query: str) -> str:
    """Returns a query that is safe to read: control characters and unpaired surrogates become spaces.

    Raises:
        InvalidArgumentError: It is blank, or longer than 2,000 characters.
    """
    if len(query) > LONGEST_QUERY:
        raise invalid(
            "query", f"has {len(query)} characters, at most {LONGEST_QUERY} may be", rule="query.max_characters"
        )
    plain = _CONTROL.sub(" ", query.encode("utf-8", "replace").decode()).strip()
    if not plain:
        raise invalid("query", "holds only white space", rule="query.blank")
    return plain


async def search(
    asked: Search,
    *,
    store: PassageStore,
    embedder: QueryEmbedder,
    model: str,
    index: PassageIndex,
    analyzer: Analyzer,
    run: Run,
) -> Found:
    """Returns the passages that answer a query best.

    Args:
        asked: What is looked for.
        store: Where passages are read.
        embedder: Turns the query into a vector.
        model: Name of the embedding model.
        index: What is searched.
        analyzer: Finds the words of excerpts; the caller's own.
        run: Runs work where the index may be touched.

    Raises:
        InvalidArgumentError: The query is blank, or longer than the model reads.
    """
    text = checked_query(asked.query)
    question = Question(
        text=text,
        mode=asked.mode,
        filters=asked.filters,
        min_similarity=asked.min_similarity,
        diversity=asked.diversity,
    )
    end = asked.offset + asked.count
    matching = asyncio.create_task(run(lambda: index.match(question, end + 1)))
    try:
        vector = await _vector(embedder, text) if question.needs_vector else None
        matched = await matching
    finally:
        matching.cancel()
    ranking: Ranking = await run(lambda: index.rank(question, vector, matched, end + 1))
    chosen = ranking.candidates[asked.offset : end]
    found = await store.passages([item.key for item in chosen])
    kept = [(item, *found[item.key]) for item in chosen if item.key in found]
    marked: list[Excerpt] = []
    for _, passage, _ in kept:
        if len(marked) % _AT_ONCE == _AT_ONCE - 1:
            # A quarter of a millisecond each: others have their turn between those of a large page.
            await asyncio.sleep(0)
        marked.append(excerpt(passage.text, offset=passage.start, query=ranking.worth, analyzer=analyzer))
    return Found(
        hits=[
            Hit(passage, document, item, sentence)
            for (item, passage, document), sentence in zip(kept, marked, strict=True)
        ],
        model=model,
        compared=ranking.compared,
        mode=asked.mode,
        more=len(ranking.candidates) > end and end < DEPTH,
        notes=_notes(asked.mode, ranking),
    )


async def _vector(embedder: QueryEmbedder, text: str) -> Any:
    try:
        return await embedder.embed_query(text)
    except InvalidArgumentError as error:
        limit = error.metadata.get("limit", "")
        raise invalid(
            "query",
            f"has {error.metadata.get('tokens', '')} tokens, the model reads {limit}",
            rule="query.max_tokens",
        ) from None


def _notes(mode: Mode, ranking: Ranking) -> tuple[str, ...]:
    """Tells where a ranking is weaker than its mode promises."""
    asked = len(ranking.worth)
    if mode is Mode.DENSE or not ranking.compared:
        return ()
    if ranking.words_known:
        # A question in another language shares its numbers and names with the documents at most.
        unknown = asked - ranking.words_known
        if 2 * unknown <= asked:
            return ()
        return (
            f"no passage has {unknown} of the {asked} words of the query: they were found by meaning alone, if at all",
        )
    why = "the query holds only stop words" if not asked else "no passage has a word of the query"
    if mode is Mode.LEXICAL:
        return (f"{why}: nothing can be found by words",)
    return (f"{why}: ranked by meaning alone",)
