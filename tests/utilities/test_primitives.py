"""Digit sums and reductions, against their definitions on strings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onenumbers_utilities.numerology.primitives import (
    MASTERS_11_22,
    MASTERS_11_22_33,
    NO_MASTERS,
    chain,
    ds,
    red,
    root,
)

numbers = st.integers(min_value=0, max_value=10**9)


@given(numbers)
def test_ds_is_the_sum_of_the_written_digits(number):
    assert ds(number) == sum(int(digit) for digit in str(number))


@given(numbers)
def test_root_is_the_repeated_digit_sum(number):
    expected = number
    while expected > 9:
        expected = sum(int(digit) for digit in str(expected))
    assert root(number) == expected


@pytest.mark.parametrize(
    ("number", "masters", "expected"),
    [
        (0, NO_MASTERS, (0,)),
        (9, MASTERS_11_22_33, (9,)),
        (29, MASTERS_11_22_33, (29, 11)),
        (29, NO_MASTERS, (29, 11, 2)),
        (33, MASTERS_11_22_33, (33,)),
        (33, MASTERS_11_22, (33, 6)),
        (44, MASTERS_11_22_33, (44, 8)),
        (67, MASTERS_11_22_33, (67, 13, 4)),
        (1999, MASTERS_11_22_33, (1999, 28, 10, 1)),
    ],
)
def test_a_chain_holds_every_value_visited(number, masters, expected):
    assert chain(number, masters) == expected
    assert red(number, masters) == expected[-1]


@given(numbers, st.sampled_from([NO_MASTERS, MASTERS_11_22, MASTERS_11_22_33]))
def test_every_master_set_leads_to_the_same_root(number, masters):
    value = red(number, masters)
    assert value in masters or value <= 9
    assert root(value) == root(number)
    assert all(each > 9 and each not in masters for each in chain(number, masters)[:-1])
