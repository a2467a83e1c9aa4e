"""The measure of support: what it accepts, and what it refuses."""

import pytest

from onenumbers_research.answers.answering import Source, checked, covered, extracted
from onenumbers_research.answers.support import THRESHOLD, relevance, sentences, stem, support

PASSAGE = (
    "A karmic debt number is 13, 14, 16 or 19. It appears in the chain before the last reduction. "
    "The study did not find an effect on success."
)


@pytest.mark.parametrize(
    "sentence",
    [
        "A karmic debt number is 13, 14, 16 or 19.",
        "Karmic debt numbers appear in the chain before the last reduction.",
        "The numbers 13, 14, 16 and 19 are karmic debts.",
        "The study found no effect on success.",
    ],
)
def test_what_a_passage_says_in_other_order_is_supported(sentence):
    assert support(sentence, ["Nothing of the kind.", PASSAGE]).share >= THRESHOLD
    assert support(sentence, ["Nothing of the kind.", PASSAGE]).passage == 1


@pytest.mark.parametrize(
    "sentence",
    [
        "A karmic debt number is 13, 14, 16 or 22.",
        "The study did find an effect on success.",
        "Jupiter rules the third house of wealthy people.",
        "Karmic debt makes you rich and famous overnight.",
        "",
        "...",
    ],
)
def test_wrong_numbers_wrong_denials_and_other_words_are_not_supported(sentence):
    assert support(sentence, [PASSAGE]).share < THRESHOLD


def test_sentences_lose_their_markers_and_list_signs():
    assert sentences("First one [1]. Second one! [2]\n\n- A list item\n- Another. ") == [
        "First one.",
        "Second one!",
        "A list item",
        "Another.",
    ]


def test_endings_do_not_matter():
    assert {stem(word) for word in ("reduce", "reduces", "reduced", "reducing")} == {stem("reduce")}


def test_relevance_is_the_share_of_the_questions_words():
    assert relevance("A karmic debt is a number.", "What is a karmic debt?") == 1
    assert relevance("The life path.", "What is a karmic debt?") == 0
    assert relevance("anything", "what is it?") == 0


def source(marker: int, text: str, similarity: float = 0.8) -> Source:
    return Source(marker, f"Title {marker}", text, similarity)


def test_a_draft_keeps_only_supported_sentences_and_each_only_once():
    draft = "A karmic debt number is 13, 14, 16 or 19. A karmic debt number is 13, 14, 16 or 19. You will be rich."
    answer = checked(draft, [source(1, "Other words."), source(2, PASSAGE)])
    assert answer.text == "A karmic debt number is 13, 14, 16 or 19. [2]"
    assert answer.dropped == 1
    assert answer.markers == {2}


def test_an_extract_takes_the_sentences_about_the_question_in_their_order():
    answer = extracted("Which numbers are karmic debt numbers?", [source(1, PASSAGE), source(2, "Far away.", 0.1)])
    assert answer.sentences[0].text == "A karmic debt number is 13, 14, 16 or 19."
    assert answer.markers == {1}, "a passage that is too far from the question is not cited"


def test_far_passages_do_not_cover_a_question():
    assert not covered([source(1, PASSAGE, 0.2)])
    assert not covered([])
    assert covered([source(1, PASSAGE, 0.2), source(2, PASSAGE, 0.7)])
