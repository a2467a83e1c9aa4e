"""Both indexes of the passages as one: vectors for meaning, words for BM25. Derived from the store."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from onenumbers_knowledge.index.filters import Filters
from onenumbers_knowledge.index.key_rows import KeyRows
from onenumbers_knowledge.index.lexical import LexicalIndex, Scores
from onenumbers_knowledge.index.passage_table import PassageTable
from onenumbers_knowledge.index.vectors import VectorIndex
from onenumbers_knowledge.search.duplicates import CANDIDATES, LEAST, MOST, Duplicate, likenesses
from onenumbers_knowledge.search.named_numbers import SUBJECT_GAIN, gains, named_numbers
from onenumbers_knowledge.search.ranking import Candidate, Mode, diverse, fuse, in_context
from onenumbers_knowledge.search.thesaurus import Thesaurus
from onenumbers_knowledge.search.words import Vocabulary
from onenumbers_knowledge.storage.index_source import IndexedText, IndexEntry

_RAREST = 24
"""Words of a document by which those like it are looked for."""
DEPTH = 500
"""Passages that a ranking by one of both has, and that can be paged through."""
_WORDS_DEPTH = 200
"""Passages that words contribute to a hybrid ranking beside those of the vectors: what shares words, but less than so
many others, and is near in meaning to none, comes on no first page (docs/retrieval.md has the figures)."""


_NAME_WEIGHT = 1.5
"""What a word counts that the query's subject goes by in the documents; a word of the query counts 1 each time."""
_NO_WORDS = np.empty(0, dtype=np.int32)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the index."""

    text: str
    mode: Mode = Mode.HYBRID
    filters: Filters = field(default_factory=Filters)
    min_similarity: float | None = None
    diversity: float = 0.0

    @property
    def needs_vector(self) -> bool:
        """Whether passages are compared with its meaning."""
        return self.mode is not Mode.LEXICAL or self.min_similarity is not None


@dataclass(frozen=True, slots=True)
class Matched:
    """What the words of a question say: all of its answer that needs no vector."""

    state: int
    """State of the index that was asked."""
    words: _Words
    shared: NDArray[np.int64]
    """Keys of the best passages that share a word with it; none where words bring no candidates."""
    vectors: NDArray[np.float32]
    """Their vectors, shape (n, dimensions); none where the question needs no vector."""
    numbers: frozenset[int]
    """Numbers that it names."""
    subjects: tuple[frozenset[int], ...]
    """Words of each subject that it names otherwise, by their numbers."""
    worth: Mapping[str, float]
    """Its stems with their inverse document frequencies."""
    words_known: int
    """Its different words that some passage has."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What the index answers."""

    candidates: Sequence[Candidate]
    """Best first."""
    compared: int
    """Passages that the filters let through."""
    worth: Mapping[str, float]
    """Stems of the question with their inverse document frequencies."""
    words_known: int
    """Different words of the question that some passage has; `worth` has all of them."""


class _Words:
    """BM25 of passages for one query: half of a passage's own score, half of its document's.

    A passage alone is too short to tell what its document is about. Measured on three collections, the mean of both is
    better than either for the passages' order.
    """

    def __init__(self, passages: Scores, documents: Scores, table: PassageTable) -> None:
        self._passages, self._documents, self._table = passages, documents, table

    def best(self, count: int, allowed: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """Returns the keys of the best passages that share a word with the query, best first."""
        # Twice as many as asked for: their documents change the order.
        keys = self._passages.best(2 * count, allowed)
        return keys[np.lexsort((keys, -self.of(keys)))[:count]]

    def of(self, keys: NDArray[np.int64]) -> NDArray[np.float64]:
        """Returns the scores of passages, shape (n,)."""
        return self.of_both(keys, self._table.documents(keys))

    def of_both(self, keys: NDArray[np.int64], documents: NDArray[np.int64]) -> NDArray[np.float64]:
        """Returns the scores of passages whose documents are known, shape (n,)."""
        return (self._passages.of(keys) + self._documents.of(documents)) / 2


class PassageIndex:
    """Passages by key. Not safe for threads: one caller at a time.

    Args:
        dimensions: Length of a vector.
    """

    def __init__(self, dimensions: int) -> None:
        self.dense = VectorIndex(dimensions)
        self._vocabulary = Vocabulary()
        self.lexical = LexicalIndex(self._vocabulary)
        self.documents = LexicalIndex(self._vocabulary)
        """Whole documents, each under the key of its first passage."""
        self._table = PassageTable(self.dense.about)
        self._ids: dict[int, str] = {}
        """Identifier of each document, by the key of its first passage."""
        self._keys: dict[str, int] = {}
        """The key of each document, by its identifier."""
        self._titles: dict[int, NDArray[np.int32]] = {}
        """Words of the titles of documents that are about numbers, by the key of the first passage."""
        self._thesaurus = Thesaurus.load()
        self._state = 0

    def __len__(self) -> int:
        return len(self.dense)

    def without(self, live: Container[int]) -> list[int]:
        """Returns the keys of the passages that are not among these."""
        return [key for key in self._table if key not in live]

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self.dense.dimensions

    def add(self, entries: Sequence[IndexEntry], texts: Sequence[IndexedText], vectors: NDArray[np.float32]) -> None:
        """Adds whole documents; `vectors` has the shape (n, dimensions), each of length 1."""
        self.dense.add(entries, vectors)
        self.add_words(texts)

    def add_words(self, texts: Sequence[IndexedText]) -> None:
        """Adds the words of whole documents; their passages stand beside each other."""
        self._state += 1
        for _, group in groupby(texts, key=lambda item: item.document_id):
            items = list(group)
            title = self._vocabulary.learn(items[0].title, capitals=True)
            whole, seen = [title], {items[0].title}
            for item in items:
                section = self._vocabulary.learn(item.section if item.section != item.title else "")
                body = self._vocabulary.learn(item.text)
                self.lexical.add(item.key, np.concatenate([title, section, body]))
                # A heading counts once for the document, however many passages stand under it.
                whole += [body] if item.section in seen else [section, body]
                seen.add(item.section)
            self.documents.add(items[0].key, np.concatenate(whole))
            first, document_id = items[0].key, items[0].document_id
            self._table.add([item.key for item in items], first)
            self._ids[first], self._keys[document_id] = document_id, first
            if self.dense.about(np.array([first]))[0]:
                self._titles[first] = title

    def begin_bulk(self) -> None:
        """Holds the words of what is added back until `end_bulk`."""
        self.lexical.begin_bulk()
        self.documents.begin_bulk()

    def end_bulk(self) -> None:
        """Makes the words that were added since `begin_bulk` searchable."""
        self.lexical.end_bulk()
        self.documents.end_bulk()
        self._table.settle()

    def remove(self, keys: Sequence[int]) -> None:
        """Removes the passages of whole documents; keys that are not there are ignored."""
        self._state += 1
        self.dense.remove(keys)
        self.lexical.remove(keys)
        gone = sorted(self._table.remove(keys))
        self.documents.remove(gone)
        for key in gone:
            self._titles.pop(key, None)
            document_id = self._ids.pop(key, "")
            # A document that is replaced may have its new passages already.
            if self._keys.get(document_id) == key:
                del self._keys[document_id]

    def nearly_the_same(self, document_id: str) -> list[Duplicate]:
        """Returns documents whose text is nearly that of another one, the likest first."""
        own = self._keys.get(document_id)
        if own is None:
            return []
        words = self.documents.words(own)
        scores = self.documents.score(self.documents.rarest_shared(own, _RAREST))
        others = [key for key in scores.best(CANDIDATES + 1).tolist() if key != own]
        told = likenesses(words, map(self.documents.words, others))
        found = [Duplicate(self._ids[key], value) for key, value in zip(others, told, strict=True)]
        alike = [item for item in found if item.likeness >= LEAST]
        return sorted(alike, key=lambda item: (-item.likeness, item.document_id))[:MOST]

    def documents_of(self, filters: Filters, *, after: str, limit: int) -> tuple[list[str], int]:
        """Returns the ids of documents that filters let through and that come after an id, in order, and their sum."""
        found = self.dense.documents(filters)
        return nsmallest(limit, (known for known in found if known > after)), len(found)

    def match(self, question: Question, count: int) -> Matched:
        """Returns what the words of a question say, for `rank`: there is time for it while its vector is made.

        Args:
            question: What is asked.
            count: How many passages will be asked for at most.
        """
        query = self.lexical.query(question.text)
        terms = self._thesaurus.terms(question.text)
        # What the query says itself counts as it says it.
        named = {**dict.fromkeys(self.lexical.query(" ".join(terms)), _NAME_WEIGHT), **query}
        words = _Words(self.lexical.score(named), self.documents.score(named), self._table)
        shared = np.empty(0, dtype=np.int64)
        if question.mode is not Mode.DENSE:
            # The same for every page of a search, or pages would overlap.
            most = _WORDS_DEPTH if question.mode is Mode.HYBRID else max(DEPTH, count)
            shared = words.best(most, self.dense.matching(question.filters))
        return Matched(
            state=self._state,
            words=words,
            shared=shared,
            vectors=self.dense.vectors(shared if question.needs_vector else shared[:0]),
            numbers=named_numbers(question.text),
            subjects=tuple(subject for term in terms if (subject := self._vocabulary.numbers(term))),
            worth=self.lexical.worth(question.text),
            words_known=len(query) or len(named),
        )

    def rank(self, question: Question, vector: NDArray[np.float32] | None, matched: Matched, count: int) -> Ranking:
        """Returns the best passages for a question.

        Args:
            question: What is asked.
            vector: Vector of its text, of length 1; unused where it needs none.
            matched: What `match` returned for it.
            count: How many passages at most.
        """
        if matched.state != self._state:
            # Passages have come or gone since; what was matched may name some that are not there any more.
            matched = self.match(question, count)
        if not question.needs_vector:
            vector = None
        allowed = self.dense.matching(question.filters)
        keys, cosines = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64)
        if question.mode is not Mode.LEXICAL and vector is not None:
            keys, cosines = self.dense.search(vector, max(DEPTH, count), question.filters)
        least = float(cosines[-1]) if len(cosines) else 0.0
        _, found = KeyRows(np.sort(keys)).find(matched.shared)
        missing = ~found
        keys = np.concatenate([keys, matched.shared[missing]])
        if vector is not None:
            cosines = np.concatenate([cosines, (matched.vectors @ vector)[missing]])
        documents, sizes, about = self._table.rows(keys)
        shared_words = matched.words.of_both(keys, documents)
        fused = None
        if question.mode is Mode.HYBRID:
            likeness = in_context(cosines, documents, sizes, least=least)
            fused = fuse(likeness, shared_words, self._gains(matched, about, documents))
        # Diversity chooses among all of them.
        most = None if question.diversity else count
        chosen = _ordered(question, keys, cosines if vector is not None else None, shared_words, fused, most)
        if question.diversity:
            vectors = self.dense.vectors(np.array([item.key for item in chosen], dtype=np.int64))
            chosen = diverse(chosen, vectors, count, mode=question.mode, diversity=question.diversity)
        return Ranking(
            candidates=chosen[:count],
            compared=len(self) if allowed is None else len(allowed),
            worth=matched.worth,
            words_known=matched.words_known,
        )

    def _gains(self, matched: Matched, about: NDArray[np.int64], documents: NDArray[np.int64]) -> NDArray[np.float64]:
        """Returns what passages gain for the numbers that their documents are about, shape (n,)."""
        places, inverse = np.unique(about, return_inverse=True)
        found = gains(matched.numbers, [self._table.numbers[place] for place in places.tolist()])[inverse]
        if matched.numbers and matched.subjects:
            for document in np.unique(documents[found > 0]).tolist():
                title = set(self._titles.get(document, _NO_WORDS).tolist())
                if any(subject <= title for subject in matched.subjects):
                    found[documents == document] += SUBJECT_GAIN
        return found


def _ordered(
    question: Question,
    keys: NDArray[np.int64],
    cosines: NDArray[np.float64] | None,
    words: NDArray[np.float64],
    fused: NDArray[np.float64] | None,
    most: int | None,
) -> list[Candidate]:
    """Returns the candidates that are similar enough, best first, at most so many; those of one score by key."""
    scores = fused if fused is not None else cosines if question.mode is Mode.DENSE and cosines is not None else words
    order = np.lexsort((keys, -scores))
    if question.min_similarity is not None and cosines is not None:
        order = order[cosines[order] >= question.min_similarity]
    order = order[:most]
    known = cosines[order].tolist() if cosines is not None else [None] * len(order)
    both = fused[order].tolist() if fused is not None else [None] * len(order)
    return list(map(Candidate, keys[order].tolist(), known, words[order].tolist(), both))
