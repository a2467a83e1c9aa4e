"""Small formulas: as trees, from JSON, and found by their results."""

import math
from datetime import date, timedelta
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onenumbers_models.grammar.schema_grammar import grammar_of
from onenumbers_research.discovery.definitions import Letter
from onenumbers_research.discovery.formula_trees import FUNCTIONS, NONE, QUANTITIES, Tree, read_tree, tree_schema
from onenumbers_research.discovery.input_quantities import quantities_of
from onenumbers_research.discovery.methods import method_of
from onenumbers_research.discovery.synthesis import synthesize

DAYS = [date(1900, 1, 1) + timedelta(days=Random(7).randrange(45_000) + place) for place in range(20)]
DATES = quantities_of([{"born": day.isoformat()} for day in DAYS], {})
DATE_NAMES = [name for name, quantity in QUANTITIES.items() if quantity.kind == "date"]


def rows(**values: int):
    return {name.replace("_", " "): np.array([value]) for name, value in values.items()}


@pytest.mark.parametrize(
    ("value", "formula"),
    [
        ("day", "day(born)"),
        ({"do": "add", "a": "day", "b": 3}, "day(born) + 3"),
        ({"do": "multiply", "a": {"do": "add", "a": "day", "b": "month"}, "b": 2}, "(day(born) + month(born)) * 2"),
        ({"do": "subtract", "a": 9, "b": {"do": "subtract", "a": "day", "b": 1}}, "9 - (day(born) - 1)"),
        ({"do": "remainder", "a": "last two digits of the year", "b": 9}, "year(born) % 100 % 9"),
        ({"do": "multiply", "a": 3, "b": "last two digits of the year"}, "3 * (year(born) % 100)"),
        ({"do": "reduce", "a": {"do": "difference", "a": "day", "b": "month"}}, "reduce(abs(day(born) - month(born)))"),
    ],
)
def test_a_tree_is_written_with_the_brackets_that_it_needs(value, formula):
    tree = read_tree(value, DATE_NAMES)
    assert tree is not None
    assert tree.formula() == formula


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        True,
        "vowels",
        "reduce(1)",
        {"do": "add", "a": 1, "b": 2},
        {"do": "add", "a": "day"},
        {"do": "eval", "a": "day"},
        {"do": "reduce", "a": "day", "b": "month"},
        {"do": "add", "a": "day", "b": 1.5},
        {"do": "add", "a": "day", "b": 1000},
        {"do": ["add"], "a": "day", "b": 1},
        [],
    ],
)
def test_what_is_no_tree_of_the_quantities_is_refused(value):
    assert read_tree(value, DATE_NAMES) is None


def test_a_tree_that_is_too_deep_is_refused():
    value: object = "day"
    for _ in range(5_000):
        value = {"do": "reduce", "a": value}
    assert read_tree(value, DATE_NAMES) is None


def test_the_schema_of_trees_is_one_that_a_grammar_can_be_made_of():
    assert "root ::=" in grammar_of(tree_schema(list(QUANTITIES), depth=4))


def test_functions_are_those_of_the_registry():
    """reduce keeps 11, 22 and 33; single digit keeps none; below 0 there is nothing, nor beyond a million."""
    numbers = np.array([0, 9, 10, 29, 38, 48, 99, 199, 299, 6_978, -1])
    given = {"day": numbers}
    assert Tree("reduce", (Tree("day"),)).evaluate(given).tolist() == [0, 9, 1, 11, 11, 3, 9, 1, 2, 3, NONE]
    assert Tree("single digit", (Tree("day"),)).evaluate(given).tolist()[:-1] == [0, 9, 1, 2, 2, 3, 9, 1, 2, 3]
    assert Tree("digit sum", (Tree("day"),)).evaluate(given).tolist()[:-1] == [0, 9, 1, 11, 11, 12, 18, 19, 20, 30]
    huge = Tree("multiply", (Tree("number"), Tree("number")))
    assert huge.evaluate({"number": np.array([999, 1_000, 2**31])}).tolist() == [998_001, NONE, NONE]
    rest = Tree("remainder", (Tree("number"), Tree("day")))
    assert rest.evaluate({"number": np.array([7, 7, -7]), "day": np.array([4, 0, 4])}).tolist() == [3, NONE, NONE]


def test_quantities_of_a_name_come_from_its_letters():
    letters = {"Ana": ((Letter(1, 1, True), Letter(5, 5, False), Letter(1, 1, True)),)}
    found = quantities_of([{"name": "Ana", "number": 205}], letters)
    told = {name: int(values[0]) for name, values in found.items()}
    assert (told["letters"], told["vowels"]) == (7, 2)
    assert (told["consonants"], told["first letter"], told["number of vowels"]) == (5, 1, 2)
    assert (told["number"], told["digits of the number"]) == (205, 7)


HIDDEN = [
    Tree("single digit", (Tree("add", (Tree("multiply", (Tree("day"), Tree(3))), Tree("month"))),)),
    Tree("subtract", (Tree("multiply", (Tree("day"), Tree("month"))), Tree("year"))),
    Tree("reduce", (Tree("add", (Tree("day"), Tree("year"))),)),
]


@pytest.mark.parametrize("hidden", HIDDEN, ids=Tree.formula)
def test_a_formula_is_found_by_its_results(hidden):
    spoken = {name: DATES[name] for name in ("day", "month", "year")}
    results = hidden.evaluate(DATES)
    found = synthesize(spoken, results[:10].tolist(), numbers=[3])
    assert found.fitting == 1
    assert (found.fits[0].evaluate(DATES) == results).all()
    assert found.chance() < 0.001


def test_few_results_are_given_by_many_formulas_and_the_chance_says_so():
    found = synthesize(DATES, HIDDEN[0].evaluate(DATES)[:2].tolist(), numbers=[2, 3, 9])
    assert found.fits
    assert found.chance() > 0.05


@given(st.lists(st.integers(1, 9), min_size=6, max_size=6))
@settings(max_examples=15, deadline=None)
def test_what_fits_gives_every_result_and_results_at_random_are_not_taken_for_a_method(results):
    """Where something gives six results drawn at random, the stated chance is honest about how unlikely that is."""
    found = synthesize({name: DATES[name] for name in ("day", "month")}, results, numbers=[2])
    for tree in found.fits:
        assert tree.evaluate(DATES)[:6].tolist() == results
    if not found.fits:
        assert found.chance() < 1


@pytest.mark.parametrize(("examples", "names"), [(2, ("day", "month")), (3, ("day", "month", "year"))])
def test_the_stated_chance_is_near_the_share_of_random_results_that_something_gives(examples, names):
    """Of 200 draws of single digits, about as many are given by some small formula as is stated (as Poisson counts)."""
    random, hits, stated = Random(3), 0, 0.0
    spoken = {name: DATES[name][: examples + 8] for name in names}
    for _ in range(200):
        found = synthesize(spoken, [random.randint(1, 9) for _ in range(examples)], numbers=[])
        hits += bool(found.fits)
        stated += 1 - math.exp(-found.chance())
    assert hits > 5
    assert stated / 200 == pytest.approx(hits / 200, abs=0.12)


def test_a_document_has_a_method_only_with_examples_and_words_of_calculation():
    examples = "For 14 November 1968 the result is 7. For 29 September 1974 the result is 2."
    assert method_of("T", f"The day is laid upon the month and their sum is kept.\n\n{examples}") is not None
    assert method_of("T", f"Nobody knows how this comes about.\n\n{examples}") is None
    assert (
        method_of("T", "The day is laid upon the month and their sum is kept.\n\nFor 14 November 1968 the result is 7.")
        is None
    )


def test_words_choose_quantities_numbers_and_functions():
    text = "Three times the vowels, brought to a single digit.\n\n" + " ".join(
        f"For the name {name} the result is {value}." for name, value in (("Ana Pop", 4), ("Ion Rusu", 5))
    )
    method = method_of("T", text)
    assert method is not None
    assert "vowels" in method.quantities
    assert "day" not in method.quantities
    assert method.numbers == (3,)
    assert set(FUNCTIONS) - set(method.functions) == {"reduce", "digit sum"}
    assert [item.name for item in method.inputs] == ["name"]
