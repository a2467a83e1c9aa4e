"""Keys are found where they stand, however far apart they are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from onenumbers_knowledge.index.key_rows import KeyRows


@given(
    keys=st.sets(st.one_of(st.integers(1, 60), st.integers(1, 2**40))),
    asked=st.lists(st.one_of(st.integers(0, 70), st.integers(-5, 2**41))),
)
def test_rows_are_those_of_the_sorted_keys(keys, asked):
    ordered = sorted(keys)
    asked = [*asked, *ordered]
    rows, here = KeyRows(np.array(ordered, dtype=np.int64)).find(np.array(asked, dtype=np.int64))
    assert here.tolist() == [key in keys for key in asked]
    assert rows[here].tolist() == [ordered.index(key) for key in asked if key in keys]
