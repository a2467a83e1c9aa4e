"""Numbers that a question names, and documents about them."""

import numpy as np
import pytest

from onenumbers_knowledge.search.named_numbers import gains, named_numbers
from onenumbers_knowledge.search.ranking import fuse


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("What does 7 mean?", {7}),
        ("my consonants make a seven", {7}),
        ("I have way too many 3s in my name", {3}),
        ("Born on the 13th: is that bad?", {13}),
        ("No letter gives a 4. Why?", {4}),
        ("is 11 or twenty-two rarer", {11, 22}),
        ("the one that I like best", set()),
        ("I was born 14 July 1988", set()),
        ("born 12/5/1990 at 17:30", set()),
        ("3.5 stars and 20% off", set()),
        ("the year 2026", set()),
        ("born on the thirteenth", {13}),
        ("the twenty-second of the month", {22}),
        ("my fourth challenge, the sixth month", set()),
        ("two sixes and three nines", {2, 3, 6, 9}),
        ("", set()),
    ],
)
def test_numbers_are_read_in_digits_and_words_but_not_those_of_dates_times_and_shares(question, numbers):
    assert named_numbers(question) == numbers


def test_documents_about_a_named_number_come_before_those_about_none_and_those_before_others():
    named, none, other, many = gains(frozenset({7}), [(7, 16), (), (8,), (1, 2, 3, 4)]).tolist()
    assert named > none > other
    assert many == none, "a document about many numbers is about none of them"
    assert gains(frozenset(), [(8,), ()]).tolist() == [other, none], "nor is one asked for where none is named"


def test_of_two_equal_passages_the_one_about_the_number_comes_first():
    cosines, words = np.array([0.5, 0.5, 0.1]), np.array([2.0, 2.0, 0.0])
    plain, about, _ = fuse(cosines, words, gains(frozenset({7}), [(), (7,), ()])).tolist()
    assert about > plain
