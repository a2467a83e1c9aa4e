"""A question that names a number and, in other words, what it is the number of."""

import numpy as np
import pytest

from onenumbers_knowledge.index.passage_index import PassageIndex, Question
from onenumbers_knowledge.storage.index_source import IndexedText, IndexEntry

QUESTION = Question(text="My full name gives 8. Which talents are meant?")
"""The expression, though it does not say so."""
TEXTS = {
    "Personality 8": "The full name gives talents.",
    "Expression 8": "It likes to lead.",
    "Expression 3": "It likes to talk.",
    "Full names": "A full name and its talents.",
}


def entry(key: int, numbers: tuple[int, ...]) -> IndexEntry:
    return IndexEntry(
        key=key,
        document_id=f"d-{key}",
        category="interpretation",
        source="modern",
        school="",
        numbers=numbers,
        metadata={},
    )


@pytest.fixture
def index():
    made = PassageIndex(2)
    keys = range(1, len(TEXTS) + 1)
    numbers = [tuple(int(word) for word in title.split() if word.isdigit()) for title in TEXTS]
    texts = [
        IndexedText(key=key, document_id=f"d-{key}", title=title, section=title, text=text)
        for key, (title, text) in zip(keys, TEXTS.items(), strict=True)
    ]
    vectors = np.array([[1, 0]] * len(TEXTS), dtype=np.float32)
    made.add([entry(key, each) for key, each in zip(keys, numbers, strict=True)], texts, vectors)
    return made


def ranked(index: PassageIndex, question: Question) -> list[int]:
    vector = np.array([1, 0], dtype=np.float32)
    return [found.key for found in index.rank(question, vector, index.match(question, 5), 5).candidates]


def test_the_number_of_the_subject_comes_before_the_same_number_of_another(index):
    assert ranked(index, QUESTION)[:2] == [2, 1]


def test_a_number_alone_does_not_tell_what_it_is_the_number_of(index):
    assert ranked(index, Question(text="Which talents does the name give that has 8?"))[0] == 1


def test_what_is_removed_is_no_subject_any_more(index):
    index.remove([2])
    assert ranked(index, QUESTION)[0] == 1
    assert 2 not in index._titles
