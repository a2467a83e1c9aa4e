"""Passages: nothing is lost, nothing crosses a heading, nothing is longer than the budget."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from onenumbers_knowledge.ingestion.chunking import split


def words(text: str) -> int:
    return len(text.split())


def texts(document: str, budget: int) -> list[tuple[str, str]]:
    return [
        (chunk.section, document[chunk.start : chunk.end])
        for chunk in split(document, count_tokens=words, budget=budget)
    ]


def test_sections_are_named_by_their_headings_and_sentences_stay_whole():
    document = "Before all.\n\n# One\n\nFirst sentence here. Second one there!\n\n## Two ##\nA third? Yes.\n"
    assert texts(document, 4) == [
        ("", "Before all."),
        ("One", "First sentence here."),
        ("One", "Second one there!"),
        ("Two", "A third? Yes."),
    ]


def test_neighbours_share_a_passage_as_long_as_the_budget_lasts():
    document = "One two. Three four. Five six. Seven eight."
    assert [text for _, text in texts(document, 4)] == ["One two. Three four.", "Five six. Seven eight."]


def test_a_hash_inside_a_code_block_is_no_heading():
    document = "# Real\n\n```\n# not a heading\n```\n\nAfter."
    assert {section for section, _ in texts(document, 50)} == {"Real"}


def test_a_sentence_longer_than_the_budget_is_cut_between_words():
    document = " ".join(f"w{n}" for n in range(25))
    pieces = [text for _, text in texts(document, 4)]
    assert all(words(piece) <= 4 for piece in pieces)
    assert " ".join(pieces) == document


def test_a_word_without_end_is_cut_by_its_tokens():
    pieces = split("x" * 1000, count_tokens=len, budget=100)
    assert max(piece.end - piece.start for piece in pieces) <= 100
    assert sum(piece.end - piece.start for piece in pieces) == 1000


def test_blank_texts_have_no_passage():
    assert texts("", 10) == texts(" \n\n\t", 10) == texts("# Only a heading\n", 10) == []


@given(
    st.lists(
        st.sampled_from(["# Head\n", "Word. ", "other words here ", "\n\n", "- item\n", "Șapte! ", "3.14 ", "```\n"]),
        max_size=60,
    ),
    st.integers(3, 12),
)
@settings(max_examples=200, deadline=None)
def test_every_word_outside_headings_is_in_exactly_one_passage_in_order(parts, budget):
    document = "".join(parts)
    chunks = split(document, count_tokens=words, budget=budget)
    assert all(a.end <= b.start for a, b in itertools.pairwise(chunks))
    found = [word for chunk in chunks for word in document[chunk.start : chunk.end].split()]
    fenced, kept = False, []
    for line in document.splitlines():
        if line.lstrip(" ").startswith("```") and len(line) - len(line.lstrip(" ")) <= 3:
            fenced = not fenced
        elif line.startswith("# ") and not fenced:
            continue
        kept += line.split()
    assert found == kept
    for chunk in chunks:
        text = document[chunk.start : chunk.end]
        assert text == text.strip() != ""
        assert words(text) <= budget
