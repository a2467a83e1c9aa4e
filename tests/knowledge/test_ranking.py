"""Fusion and diversity: what is best in both leads, figures stay within their bounds, repeats are put back."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onenumbers_knowledge.search.ranking import Candidate, Mode, diverse, fuse, in_context


def fused(*pairs: tuple[float, float]) -> list[float]:
    cosines = np.array([pair[0] for pair in pairs], dtype=np.float64)
    words = np.array([pair[1] for pair in pairs], dtype=np.float64)
    return fuse(cosines, words, np.zeros(len(pairs))).tolist()


def test_a_passage_that_is_best_in_both_rankings_is_first_and_worst_in_both_is_last():
    figures = fused((0.9, 12.0), (0.5, 3.0), (0.2, 0.0), (0.6, 1.0))
    assert figures.index(max(figures)) == 0
    assert figures.index(min(figures)) == 2


def test_without_a_shared_word_meaning_alone_decides():
    first, second, third = fused((0.1, 0.0), (0.3, 0.0), (0.2, 0.0))
    assert second > third > first


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 100)), max_size=150))
@settings(max_examples=100, deadline=None)
def test_fused_figures_are_between_0_and_1_and_keep_an_order_that_both_agree_on(pairs):
    figures = fused(*pairs)
    assert all(0 <= figure <= 1 for figure in figures)
    for (a, first), (b, second) in itertools.pairwise(zip(pairs, figures, strict=True)):
        if a[0] >= b[0] and a[1] >= b[1]:
            assert first >= second - 1e-12


def around(*items: tuple[float, int, int], least: float = 0.1) -> list[float]:
    """Likeness of passages given as cosine, document, and passages of the document."""
    return in_context(
        np.array([item[0] for item in items]),
        np.array([item[1] for item in items]),
        np.array([item[2] for item in items]),
        least=least,
    ).tolist()


def test_of_two_equal_passages_the_one_whose_document_is_nearer_comes_first():
    alone, among, _ = around((0.6, 1, 2), (0.6, 2, 2), (0.5, 2, 2))
    assert among > alone
    assert alone == pytest.approx(0.7 * 0.6 + 0.3 * (0.6 + 0.1) / 2), "the passage that is no candidate counts least"


def test_a_document_of_one_passage_is_as_near_as_that():
    assert around((0.6, 1, 1), (0.2, 2, 1)) == pytest.approx([0.6, 0.2])


def test_a_book_is_judged_by_its_best_passages():
    """Else no passage of a long document would ever be first."""
    book, note = around((0.6, 1, 600), (0.59, 2, 6))
    assert book > note
    best = around(*[(0.9, 1, 8)] * 6, (0.2, 1, 8), (0.2, 1, 8))
    assert best[0] == pytest.approx(0.9)
    assert around() == []


def unit(*rows) -> np.ndarray:
    made = np.array(rows, dtype=np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_a_passage_that_repeats_the_best_is_put_behind_one_that_does_not():
    candidates = [Candidate(1, 0.9, 0), Candidate(2, 0.89, 0), Candidate(3, 0.7, 0), Candidate(4, 0.1, 0)]
    vectors = unit((1, 0, 0), (1, 0.01, 0), (0, 1, 0), (0, 0, 1))
    plain = diverse(candidates, vectors, 4, mode=Mode.DENSE, diversity=0.0)
    assert [item.key for item in plain] == [1, 2, 3, 4]
    spread = diverse(candidates, vectors, 4, mode=Mode.DENSE, diversity=0.5)
    assert [item.key for item in spread][:2] == [1, 3]
    assert sorted(item.key for item in spread) == [1, 2, 3, 4], "nothing is lost"


@pytest.mark.parametrize("diversity", [0.0, 0.3, 1.0])
def test_a_longer_list_begins_with_the_shorter_one(diversity):
    """So that pages of one search fit together."""
    rng = np.random.default_rng(3)
    candidates = [Candidate(key, float(score), 0) for key, score in enumerate(sorted(rng.random(30), reverse=True))]
    vectors = unit(*rng.normal(size=(30, 8)))
    long = diverse(candidates, vectors, 30, mode=Mode.DENSE, diversity=diversity)
    assert diverse(candidates, vectors, 10, mode=Mode.DENSE, diversity=diversity) == long[:10]
    assert diverse([], vectors[:0], 5, mode=Mode.DENSE, diversity=diversity) == []
