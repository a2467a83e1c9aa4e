"""Duplicates are told when they are stored: the same text under another id, and texts that are nearly the same."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from onenumbers.knowledge.v1 import knowledge_pb2 as pb
from onenumbers_knowledge.search.duplicates import likenesses

TEXT = (
    "The bridge number is the difference of two core numbers. A small bridge is read as ease, a wide one as a task. "
    "Tradition names two of them, that of life path and expression, and that of heart and personality. Nothing of "
    "this was ever shown in a study, and the reading of a nought differs from school to school and writer to writer. "
    "Decoz prints both bridges beside the chart; Goodwin leaves them out, and older books have other words for what "
    "lies between two figures. Who reckons with master numbers takes their roots first, so that the gap stays small."
)


async def keep(stub, identifier: str, content: str, title: str = "Bridges") -> pb.IngestDocumentResponse:
    return await stub.IngestDocument(
        pb.IngestDocumentRequest(title=title, content=content, category="utility", document_id=identifier)
    )


async def test_the_same_text_under_another_id_is_stored_and_told(stub):
    first = await keep(stub, "one", TEXT)
    assert not first.duplicates
    second = await keep(stub, "two", TEXT)
    assert second.outcome == pb.INGEST_OUTCOME_CREATED
    ((told,)) = second.duplicates
    assert (told.document_id, told.likeness, told.same_content) == ("one", 1.0, True)
    assert not (await keep(stub, "two", TEXT)).duplicates, "nothing was stored"


async def test_a_text_that_is_nearly_the_same_is_told_also_under_another_title_and_another_one_is_not(stub):
    await keep(stub, "one", TEXT)
    await keep(stub, "other", "A bridge over the river joins two towns, and no number is the difference of them.")
    near = await keep(stub, "near", TEXT.replace("ever shown", "shown"), title="Gaps")
    ((told,)) = near.duplicates
    assert (told.document_id, told.same_content) == ("one", False)
    assert 0.8 <= told.likeness < 1
    changed = await keep(stub, "near", "Something else is said of zebras now.")
    assert not changed.duplicates


async def test_the_likest_come_first_and_at_most_five(stub):
    for number in range(7):
        await keep(stub, f"copy-{number}", TEXT)
    await keep(stub, "longer", f"{TEXT} And a sentence more.")
    told = (await keep(stub, "last", TEXT)).duplicates
    assert [item.document_id for item in told] == [f"copy-{number}" for number in range(5)]
    await stub.DeleteDocument(pb.DeleteDocumentRequest(document_id="copy-0"))
    told = (await keep(stub, "last-of-all", TEXT)).duplicates
    assert "copy-0" not in {item.document_id for item in told}, "what is gone is no duplicate"


def test_likeness_is_that_of_word_triples():
    words = np.arange(10, dtype=np.int32)
    told = list(likenesses(words, [words, words[::-1], words[:6]], least=0.5))
    assert told == [1, 0, 0.5], "4 of 8 triples in the last"
    assert list(likenesses(words, [words[:6]], least=0.51)) == [0], "too little to matter"
    assert list(likenesses(words[:2], [words[:2]])) == [1], "a text shorter than a triple is one itself"
    assert list(likenesses(words[:0], [words[:0]])) == [0]


# A copy with a piece changed, or any two texts of few words, which share many.
FEW_WORDS = st.lists(st.integers(0, 4), max_size=30)
TEXTS = st.one_of(
    st.tuples(FEW_WORDS, FEW_WORDS),
    st.tuples(st.lists(st.integers(0, 50), min_size=20, max_size=80), st.integers(0, 19)).map(
        lambda given: (given[0], [*given[0][: given[1]], 99, *given[0][given[1] + 1 :]])
    ),
)


@given(TEXTS, st.sampled_from((0.0, 0.5, 0.8, 1.0)))
def test_no_likeness_that_matters_is_passed_over(texts, least):
    """Against the definition, all triples of both."""

    def triples(words: list[int]) -> set[tuple[int, ...]]:
        return set(zip(words, words[1:], words[2:], strict=False)) if len(words) > 2 else {tuple(words)} - {()}

    one, other = map(triples, texts)
    expected = len(one & other) / len(one | other) if one | other else 0.0
    (told,) = likenesses(*(np.array(texts[0], np.int32), [np.array(texts[1], np.int32)]), least=least)
    assert told == (expected if expected >= least else 0.0)
