"""Merges of words beside the searches."""

import numpy as np

from onenumbers_knowledge.index.filling import Upkeep
from onenumbers_knowledge.index.lexical import TAIL
from onenumbers_knowledge.index.passage_index import PassageIndex, Question
from onenumbers_knowledge.search.ranking import Mode
from onenumbers_knowledge.storage.index_source import IndexedText, IndexEntry

QUESTION = Question(text="unique7", mode=Mode.LEXICAL)


async def run(work):
    return work()


def filled() -> PassageIndex:
    index = PassageIndex(2)
    for key in range(1, TAIL + 2):
        entry = IndexEntry(key=key, document_id=f"d-{key}", category="utility", source="modern", school="", numbers=())
        text = IndexedText(key=key, document_id=entry.document_id, title="Note", section="", text=f"unique{key} word")
        index.add([entry], [text], np.ones((1, 2), dtype=np.float32))
    return index


def found(index: PassageIndex) -> list[int]:
    return [item.key for item in index.rank(QUESTION, None, index.match(QUESTION, 5), 5).candidates]


async def test_a_merge_that_is_due_is_made_and_finds_the_same(store):
    index = filled()
    before = found(index)
    await Upkeep(store, run, stopping=lambda: False)(index, "model")
    assert index.lexical.merge_due() is None
    assert found(index) == before == [7]


async def test_a_merge_does_not_keep_a_server_that_is_stopping(store):
    index = filled()
    upkeep = Upkeep(store, run, stopping=lambda: True)
    await upkeep(index, "model")
    assert index.lexical.merge_due() is not None
    assert found(index) == [7]
    # It is not taken for one that is still at it.
    upkeep._stopping = lambda: False
    await upkeep(index, "model")
    assert index.lexical.merge_due() is None
