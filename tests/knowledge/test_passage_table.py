"""The arrays that ranking looks passages up in say the same as a dictionary does."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from onenumbers_knowledge.index import passage_table
from onenumbers_knowledge.index.passage_table import PassageTable

NUMBERS = ((), (7,), (7, 16), (1, 2, 3))


def numbers_of(keys):
    return [NUMBERS[key % len(NUMBERS)] for key in keys.tolist()]


@settings(deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["add", "remove", "again", "settle"]), st.integers(0, 20), st.integers(1, 4)),
        max_size=40,
    ),
    late=st.integers(0, 6),
)
def test_what_is_added_and_removed_is_looked_up_as_it_is(steps, late):
    known: dict[int, tuple[int, int]] = {}
    free = 1
    before = passage_table._LATE
    passage_table._LATE = late
    try:
        table = PassageTable(numbers_of)
        for step, which, count in steps:
            if step == "settle":
                table.settle()
            elif step == "add" or not known:
                keys = list(range(free, free + count))
                free += count
                table.add(keys, keys[0])
                known |= dict.fromkeys(keys, (keys[0], count))
            else:
                document = sorted(known)[which % len(known)]
                document = known[document][0]
                keys = [key for key, row in known.items() if row[0] == document]
                if step == "again":
                    table.add(keys, document)
                else:
                    assert table.remove([*keys, 10_000, keys[0]]) == {document}
                    for key in keys:
                        del known[key]
            asked = np.array(sorted(known), dtype=np.int64)
            assert table.documents(asked).tolist() == [known[key][0] for key in asked.tolist()]
            documents, sizes, places = table.rows(asked)
            assert documents.tolist() == [known[key][0] for key in asked.tolist()]
            assert sizes.tolist() == [known[key][1] for key in asked.tolist()]
            about = [table.numbers[place] for place in places.tolist()]
            assert about == numbers_of(asked)
            assert sorted(table) == asked.tolist()
            assert len(table) == len(known)
    finally:
        passage_table._LATE = before


def test_numbers_that_come_after_the_words_are_found_when_they_are_there():
    """While an index is made, another server may write a document: its words are read, its vector was not yet."""
    here: set[int] = set()
    table = PassageTable(lambda keys: [(7,) if key in here else None for key in keys.tolist()])
    table.add([1, 2], 1)
    table.settle()
    here |= {1, 2}
    _, _, places = table.rows(np.array([1, 2]))
    assert [table.numbers[place] for place in places.tolist()] == [(7,), (7,)]
