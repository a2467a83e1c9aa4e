"""Lo Shu grid and Phillips' chart: worked examples in print, lines, and which digits are placed."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.numerology.grids import LineState
from onenumbers_utilities.numerology.kua import KuaFormula, YearTurn
from onenumbers_utilities.numerology.lo_shu import ELEMENTS, SQUARE, GridDigits, lo_shu_grid
from onenumbers_utilities.numerology.phillips import phillips_chart

DATES = st.dates(min_value=date(1, 3, 1), max_value=date(2200, 12, 31))


def counts(grid) -> dict[int, int]:
    return {cell.number: cell.count for cell in grid.cells if cell.count}


def lines(grid, state) -> set[tuple[int, ...]]:
    return {line.numbers for line in grid.lines if line.state is state}


@pytest.mark.parametrize(
    ("born", "found", "source"),
    [
        (date(1977, 7, 12), {9: 1, 2: 1, 7: 3, 1: 2}, "vaastuinternational.com: 9, 2, 777, 11"),
        (date(1982, 8, 15), {1: 2, 2: 1, 5: 1, 8: 2, 9: 1}, "astromedha.in"),
        (date(1990, 3, 15), {1: 2, 5: 1, 3: 1, 9: 2}, "astrogya.com: 1, 5, 3, 1, 9, 9 without zeros"),
        (date(1990, 5, 15), {1: 2, 5: 2, 9: 2}, "three numbers, each twice"),
        (date(2000, 10, 20), {2: 2, 1: 1}, "zeros are not placed"),
    ],
)
def test_digits_of_the_date_are_placed_as_in_print(born, found, source):
    assert counts(lo_shu_grid(born)) == found, source


def test_missing_and_repeated_are_those_in_print_with_mulank_and_bhagyank():
    """9 December 1973 (shoperclub.com): 4, 6 and 8 are missing; 1 and 9 repeat; mulank 9 and bhagyank 5 are placed."""
    found = lo_shu_grid(date(1973, 12, 9), GridDigits.WITH_MULANK_AND_BHAGYANK)
    assert found.missing == (4, 6, 8)
    assert found.repeated == (1, 9)
    assert [(each.digit, each.source) for each in found.digits[-2:]] == [(9, "mulank"), (5, "bhagyank")]
    assert found.rule_id == "lo_shu.with_mulank_and_bhagyank"
    assert [each.code for each in found.warnings] == ["MULANK_STANDS_IN_THE_DAY"]


@pytest.mark.parametrize(
    ("day", "noted"), [(1, True), (8, True), (9, True), (10, True), (20, True), (30, True), (11, False), (19, False)]
)
def test_a_day_of_one_digit_beside_zero_is_noted_where_mulank_is_placed(day, noted):
    found = lo_shu_grid(date(1973, 12, day), GridDigits.WITH_MULANK_AND_BHAGYANK)
    assert [each.code for each in found.warnings] == (["MULANK_STANDS_IN_THE_DAY"] if noted else [])
    assert lo_shu_grid(date(1973, 12, day)).warnings == ()


def test_kua_is_placed_on_request_with_its_notices():
    found = lo_shu_grid(date(1959, 5, 27), GridDigits.WITH_KUA, formula=KuaFormula.MALE)
    assert (found.digits[-1].digit, found.digits[-1].source) == (2, "kua")
    assert "KUA_FIVE" in [each.code for each in found.warnings]


@pytest.mark.parametrize(
    ("arguments", "field", "rule"),
    [
        ({"digits": GridDigits.WITH_KUA}, "formula", "lo_shu.kua_formula"),
        ({"formula": KuaFormula.MALE}, "formula", "lo_shu.formula_without_kua"),
        ({"turn": YearTurn.LUNAR}, "year_turn", "lo_shu.year_turn_without_kua"),
    ],
)
def test_options_that_contradict_each_other_are_refused(arguments, field, rule):
    with pytest.raises(InvalidArgumentError) as caught:
        lo_shu_grid(date(1990, 5, 15), **arguments)
    assert (caught.value.violations[0].field, caught.value.violations[0].rule) == (field, rule)


def test_the_square_is_magic_and_its_lines_are_its_rows_columns_and_diagonals():
    grid = lo_shu_grid(date(1990, 5, 15))
    assert len(grid.lines) == 8
    assert all(sum(line.numbers) == 15 for line in grid.lines)
    rows = [SQUARE[place : place + 3] for place in (0, 3, 6)]
    assert {tuple(sorted(line.numbers)) for line in grid.lines[:6]} == {
        tuple(sorted(each)) for each in (*rows, *zip(*rows, strict=True))
    }


def test_a_line_is_full_with_all_three_numbers_and_empty_with_none():
    grid = lo_shu_grid(date(1977, 7, 12))
    assert lines(grid, LineState.EMPTY) == {(4, 3, 8), (4, 5, 6)}
    assert lines(lo_shu_grid(date(1935, 7, 12)), LineState.FULL) == {(3, 5, 7), (9, 5, 1)}


def test_159_is_no_arrow_here_but_the_will_column_and_357_the_emotional_row():
    names = {tuple(sorted(line.numbers)): line.name for line in lo_shu_grid(date(1990, 5, 15)).lines}
    assert names[1, 5, 9] == "will plane"
    assert names[3, 5, 7] == "emotional plane"
    assert (1, 2, 3) not in names
    assert (7, 8, 9) not in names


def test_elements_follow_the_square():
    """vaastuinternational.com: 1 water; 2, 5, 8 earth; 3, 4 wood; 6, 7 metal; 9 fire."""
    found = {each.element.value: each.count for each in lo_shu_grid(date(1977, 7, 12)).elements}
    assert found == {"water": 2, "earth": 1, "wood": 0, "metal": 3, "fire": 1}
    assert sorted(number for numbers in ELEMENTS.values() for number in numbers) == list(range(1, 10))


@given(DATES, st.sampled_from([GridDigits.DATE, GridDigits.WITH_MULANK_AND_BHAGYANK]))
def test_counts_add_up_to_the_digits_placed(born, digits):
    grid = lo_shu_grid(born, digits)
    assert sum(cell.count for cell in grid.cells) == len(grid.digits) == sum(each.count for each in grid.elements)
    assert set(grid.missing) == {cell.number for cell in grid.cells if not cell.count}
    assert set(grid.missing).isdisjoint(grid.repeated)
    for line in grid.lines:
        present = sum(number not in grid.missing for number in line.numbers)
        assert line.state is {3: LineState.FULL, 0: LineState.EMPTY}.get(present, LineState.PARTIAL)


# --- Phillips -------------------------------------------------------------------------------------------------------


def test_the_planner_and_activity_lines_of_20_march_1978_are_full():
    """astrology-tarot.com prints the chart of this date with the first and the third column full."""
    found = phillips_chart(date(1978, 3, 20))
    assert {(1, 2, 3), (7, 8, 9)} == lines(found, LineState.FULL)
    assert {line.name for line in found.lines if line.state is LineState.FULL} == {"planner", "activity"}


@pytest.mark.parametrize(
    ("born", "full", "source"),
    [
        (date(1974, 9, 29), {(1, 4, 7)}, "2, 9, 9, 1, 9, 7, 4"),
        (date(1995, 1, 1), {(1, 5, 9)}, "determination: 1, 5 and 9"),
        (date(1987, 11, 23), {(1, 2, 3), (7, 8, 9)}, "wikinumerology.com's date: 2, 3, 1, 1, 1, 9, 8, 7"),
        (date(2005, 8, 20), {(2, 5, 8)}, "2, 8, 2, 5"),
        (date(2000, 10, 10), set(), "1, 1, 2"),
    ],
)
def test_full_lines_of_phillips(born, full, source):
    assert lines(phillips_chart(born), LineState.FULL) == full, source


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2099, 12, 31)))
def test_what_a_century_always_has_is_never_missing_and_the_caveat_says_so(born):
    found = phillips_chart(born)
    assert found.always_present == ((1, 9) if born.year < 2000 else (2,))
    assert set(found.always_present).isdisjoint(found.missing)
    empty = lines(found, LineState.EMPTY)
    assert all(line.numbers not in empty for line in found.never_empty)
    assert found.warnings[0].code == "CENTURY_SHIFTS_FREQUENCIES"


@given(DATES)
def test_both_squares_hold_the_same_digits_of_a_date(born):
    assert counts(phillips_chart(born)) == counts(lo_shu_grid(born))


def test_the_first_century_has_no_caveat():
    assert phillips_chart(date(50, 3, 2)).warnings == ()
