"""Both halves of a search see the same passages, whatever comes or goes between them."""

import numpy as np
import pytest

from onenumbers_knowledge.index.passage_index import PassageIndex, Question
from onenumbers_knowledge.search.ranking import Mode
from onenumbers_knowledge.storage.index_source import IndexedText, IndexEntry

WORDS = ("alpha", "beta", "gamma", "delta")


def put(index: PassageIndex, key: int, word: str) -> None:
    entry = IndexEntry(key, f"doc-{key}", "utility", "modern", "", (), {})
    vector = np.eye(4, dtype=np.float32)[WORDS.index(word)]
    index.add([entry], [IndexedText(key, f"doc-{key}", "Title", "", f"{word} and more")], vector.reshape(1, 4))


@pytest.fixture
def index():
    made = PassageIndex(4)
    for key, word in enumerate(WORDS, start=1):
        put(made, key, word)
    return made


@pytest.mark.parametrize("mode", list(Mode))
def test_a_passage_that_goes_between_the_halves_of_a_search_is_not_found(index, mode):
    question, vector = Question(text="beta", mode=mode), np.eye(4, dtype=np.float32)[1]
    matched = index.match(question, 5)
    index.remove([2])
    ranking = index.rank(question, vector, matched, 5)
    assert 2 not in [item.key for item in ranking.candidates]


@pytest.mark.parametrize("mode", list(Mode))
def test_a_passage_that_comes_between_them_is_found_with_its_words(index, mode):
    # A least similarity, so that words alone have their cosine too.
    question, vector = Question(text="beta", mode=mode, min_similarity=-1), np.eye(4, dtype=np.float32)[1]
    matched = index.match(question, 5)
    put(index, 9, "beta")
    found = {item.key: item for item in index.rank(question, vector, matched, 5).candidates}
    assert found[9].bm25 == found[2].bm25 > 0
    assert found[9].cosine == pytest.approx(1)
