"""The lexical index: BM25 of bm25s over live passages, through any changes, and any text is safe."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onenumbers_knowledge.index import lexical, lexical_segment
from onenumbers_knowledge.index.lexical import LexicalIndex
from onenumbers_knowledge.index.lexical_segment import K1, B, Segment, idf
from onenumbers_knowledge.index.lexical_tail import Tail
from onenumbers_knowledge.search.words import Analyzer, Vocabulary

TEXTS = {
    1: "The life path number is the sum of the digits of a birth date.",
    2: "An expression number is read from the letters of a full name.",
    3: "Paths through life: a walker's diary of seven paths.",
    4: "Knead the dough and let it rise.",
}


def added(texts: dict[int, str], index: LexicalIndex | None = None) -> LexicalIndex:
    index = LexicalIndex(Vocabulary()) if index is None else index
    for key, text in texts.items():
        index.add(key, index._vocabulary.learn(text))
    return index


def found(index: LexicalIndex, query: str, allowed=None) -> list[int]:
    keys = None if allowed is None else np.array(sorted(allowed), dtype=np.int64)
    return index.score(index.query(query)).best(10, keys).tolist()


@pytest.fixture
def index() -> LexicalIndex:
    return added(TEXTS)


def test_words_are_found_by_their_stems_and_stop_words_count_for_nothing(index):
    assert set(found(index, "path")) == {1, 3}, "paths and path have one stem"
    assert found(index, "kneading doughs") == [4]
    assert found(index, "the and of is") == []
    assert found(index, "zeppelin") == []


def test_scores_are_those_of_bm25s_over_the_same_passages(index):
    import bm25s

    stems = [Analyzer().stems(text) for text in TEXTS.values()]
    engine = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    engine.index(stems, show_progress=False)
    query = "number of the life path"
    wanted = engine.get_scores(Analyzer().stems(query))
    assert index.score(index.query(query)).of(np.array(list(TEXTS))) == pytest.approx(wanted.tolist(), rel=1e-5)


PASSAGES = st.dictionaries(st.integers(1, 99), st.lists(st.integers(0, 6), max_size=9), min_size=1, max_size=12)
"""Words of passages, by key."""


def frequencies(words: dict[int, list[int]]) -> dict[int, int]:
    return {term: sum(term in numbers for numbers in words.values()) for term in range(7)}


def weighted(words: dict[int, list[int]], weights: dict[int, float]) -> dict[int, tuple[float, float]]:
    """A query; what a word is worth over all passages is given from outside, and here it is that of these alone."""
    frequency = frequencies(words)
    return {term: (weight, idf(frequency[term], len(words))) for term, weight in weights.items() if frequency.get(term)}


@given(PASSAGES, st.sampled_from([1, 5, 4096]))
def test_a_segment_has_the_scores_that_bm25s_has_in_an_index_of_the_same_passages(words, at_once):
    import bm25s

    ordered = [words[key] for key in sorted(words)]
    terms = sorted({term for numbers in ordered for term in numbers})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lexical_segment, "_WORDS_AT_ONCE", at_once)
        segment = Segment({key: np.array(numbers, dtype=np.int32) for key, numbers in words.items()})
    assert segment.keys.tolist() == sorted(words)
    if not terms:
        return
    engine = bm25s.BM25(k1=K1, b=B, method="lucene")
    lists = [[terms.index(term) for term in numbers] for numbers in ordered]
    built = engine.build_index_from_ids(range(len(terms)), lists, show_progress=False)
    wanted = np.zeros((len(terms), len(ordered)), dtype=np.float32)
    for column in range(len(terms)):
        start, end = built["indptr"][column : column + 2]
        wanted[column, built["indices"][start:end]] = built["data"][start:end]
    for column, term in enumerate(terms):
        assert segment.score(weighted(words, {term: 1.0})) == pytest.approx(wanted[column], rel=1e-5)


@given(PASSAGES)
def test_what_was_added_last_is_scored_as_it_will_be_in_a_segment(words):
    tokens = {key: np.array(numbers, dtype=np.int32) for key, numbers in words.items()}
    segment, tail = Segment(tokens), Tail(k1=K1, b=B)
    for key, numbers in tokens.items():
        tail.add(key, numbers)
    assert tail.rows().keys.tolist() == segment.keys.tolist()
    query = weighted(words, {0: 1.0, 3: 2.0, 6: 1.0, 9: 1.0})
    assert tail.rows().score(query) == pytest.approx(segment.score(query), rel=1e-5)


def test_a_segment_that_is_made_with_rests_is_the_same_and_one_that_is_no_longer_wanted_ends(monkeypatch):
    monkeypatch.setattr(lexical_segment, "_WORDS_AT_ONCE", 30)
    tokens = {key: np.array([key % 7, key % 5, 3], dtype=np.int32) for key in range(1, 100)}
    rests = []
    weights = dict.fromkeys(range(7), (1.0, 2.0))
    made = Segment(tokens, rest=lambda: rests.append(1))
    assert made.score(weights).tolist() == Segment(tokens).score(weights).tolist()
    assert len(rests) == 10, "one after ten passages of three words each"

    def end():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        Segment(tokens, rest=end)


def test_a_removed_passage_is_not_found_and_changes_what_words_are_worth(index):
    before = index.worth("dough")["dough"]
    index.remove([1, 99])
    assert found(index, "path") == [3]
    added({5: "Dough again."}, index)
    assert set(found(index, "dough")) == {4, 5}
    assert index.worth("dough")["dough"] < before, "a word of two passages tells less than a word of one"


def test_only_allowed_passages_are_found(index):
    assert found(index, "path", {3, 4}) == [3]
    assert found(index, "path", set()) == []


def test_a_single_digit_is_a_word_and_a_single_letter_is_none():
    index = added({1: "Life path 7 seeks.", 2: "Life path 8 builds."})
    assert found(index, "7") == [1]
    assert Analyzer().stems("a b 7") == ["7"]


def test_accents_do_not_hide_a_name_and_other_scripts_are_words():
    index = added({1: "Ioana Brândușa Țurcanu", 2: "нумерология чисел", 3: "数字命理学"})
    assert found(index, "Turcanu") == [1]
    assert found(index, "НУМЕРОЛОГИЯ") == [2]
    assert found(index, "数字命理学") == [3]


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_is_safe_to_index_and_to_ask(text):
    index = added({1: text, 2: "plain words"})
    scores = index.score(index.query(text))
    assert set(scores.best(5).tolist()) <= {1, 2}
    assert np.isfinite(scores.of(np.array([1, 2]))).all()
    analyzer = Analyzer()
    stems = analyzer.stems(text)
    placed = analyzer.find(text, set(stems))
    assert [stem for _, _, stem in placed] == stems
    assert all(0 <= start < end <= len(text) for start, end, _ in placed)


@given(st.lists(st.tuples(st.sampled_from(["add", "remove", "merge"]), st.integers(0, 40)), max_size=60))
@settings(max_examples=60, deadline=None)
def test_through_any_changes_it_finds_exactly_what_is_there(steps):
    """Segments, the tail and merges are inside; outside is only: a live passage with the word is found, no other."""
    monkey = pytest.MonkeyPatch()
    monkey.setattr(lexical, "TAIL", 3)
    monkey.setattr(lexical, "TAIL_MAX", 7)
    monkey.setattr(lexical, "MERGE_AT", 3)
    index, live, late = added({}), {}, None
    try:
        for number, (step, pick) in enumerate(steps):
            if step == "add":
                live[number] = f"common{pick % 3} unique{number}"
                added({number: live[number]}, index)
            elif step == "remove" and live:
                key = sorted(live)[pick % len(live)]
                del live[key]
                index.remove([key])
            elif step == "merge":
                # A merge that was begun some changes ago comes to its end now.
                if late is not None:
                    index.adopt(Segment(late))
                late = index.merge_due()
            for which in range(3):
                wanted = {key for key, text in live.items() if f"common{which} " in text}
                ranked = index.score(index.query(f"common{which}")).best(100)
                assert set(ranked.tolist()) == wanted
            assert len(index) == len(live)
    finally:
        monkey.undo()
