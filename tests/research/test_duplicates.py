"""A document that describes a built-in calculation gets no second tool, whichever service the calculation is of."""

import importlib
from datetime import date
from random import Random

import pytest

from onenumbers.knowledge.v1 import knowledge_pb2 as kpb
from onenumbers.options.v1 import options_pb2
from onenumbers.research.v1 import discovery_pb2 as pb
from onenumbers_research.discovery.built_in_requests import LEFT_OUT, calculations
from onenumbers_research.discovery.definitions import Subject
from onenumbers_research.discovery.extraction import Input
from onenumbers_research.discovery.sample_inputs import bindings, random_rows

CHALDEAN = "sum(letter_values(letters(name), 'chaldean'))"
KUA = (
    "[month(born) * 100 + day(born) < 204 ? year(born) - 1 : year(born)]"
    ".map(turn, 11 - root(turn)).map(kua, kua > 9 ? kua - 9 : kua).map(kua, kua == 5 ? 2 : kua)[0]"
)
KNOWN = {
    "chaldean": ("name: string", CHALDEAN, "calculate_chaldean_name: result.total"),
    "chaldean_value": ("name: string", f"root({CHALDEAN})", "calculate_chaldean_name: result.value"),
    "kua": ("born: date", KUA, "calculate_kua, formula MALE: result.value"),
    "ones": (
        "born: date",
        "(digits(day(born)) + digits(month(born)) + digits(year(born))).filter(digit, digit == 1).size()",
        "calculate_lo_shu_grid: ",
    ),
    "house": (
        "number: integer",
        "reduce(digit_sum(number))",
        "calculate_house_number, master_numbers 11_22_33: result.value",
    ),
    "personal_year": (
        "born: date, day_of_interest: date",
        "root(month(born) + day(born) + digit_sum(year(day_of_interest)))",
        "calculate_personal_cycles",
    ),
    "year_asked": (
        "born: date, year: integer",
        "root(month(born) + day(born) + digit_sum(year))",
        "calculate_personal_cycles",
    ),
    "universal": ("asked: date", "root(digit_sum(year(asked)))", "calculate_"),
    "thought": (
        "name: string, born: date",
        "root(sum(letter_values(names(name)[0])) + day(born))",
        "calculate_rational_thought: result.value",
    ),
    "cornerstone": (
        "name: string",
        "letter_values(letters(name))[0]",
        "calculate_cornerstones: result.cornerstone.value",
    ),
    "parts": ("day: integer, month: integer", "reduce(day + month)", "calculate_attitude"),
    "y_always": (
        "name: string",
        "reduce(sum(names(name).map(part, reduce(sum(letter_values(vowels(part, 'always_vowel')))))))",
        "calculate_soul_urge, y_rule ALWAYS_VOWEL",
    ),
    "essence": ("born: date, other: date", "abs(day(born) - day(other)) * 1000", ""),
}
"""Inputs, formula, and the tool of which it is a duplicate; empty for what is none."""


async def test_every_kind_of_built_in_calculation_is_found_again(mesh, tmp_path):
    blocks = "\n\n".join(
        f'```cel\nid: {name}_again\ninputs: {{{inputs}}}\nformula: "{formula}"\n```'
        for name, (inputs, formula, _) in KNOWN.items()
    )
    await mesh.knowledge.IngestDocument(
        kpb.IngestDocumentRequest(document_id="known", title="Known", content=blocks, category="calculation")
    )
    async with mesh.research(tmp_path) as stub:
        run, _ = await mesh.discover(stub)
    assert run.state == pb.RESEARCH_RUN_STATE_SUCCEEDED, run.failure
    found = {item.utility_id.removesuffix("_again"): item for item in run.findings}
    for name, (_, _, tool) in KNOWN.items():
        assert found[name].duplicate_of.startswith(tool), (name, found[name])
        assert bool(found[name].duplicate_of) is bool(tool), name


def test_every_tool_of_the_calculating_services_is_compared_or_named_with_a_reason():
    """A calculation that is added to the contract is compared with, unless somebody says why not."""
    named = ("utilities", "names", "dates", "systems", "objects", "compatibility", "native")
    contracts = [importlib.import_module(f"onenumbers.utilities.v1.{name}_pb2").DESCRIPTOR for name in named]
    tools = {
        method.GetOptions().Extensions[options_pb2.tool].name
        for contract in contracts
        for service in contract.services_by_name.values()
        for method in service.methods
        if not method.client_streaming
    }
    assert {each.tool for each in calculations()} == tools - LEFT_OUT.keys()


@pytest.mark.parametrize(
    ("kinds", "count"),
    [
        *(("date", 1), ("date date", 2), ("string", 1), ("string string date date", 4), ("integer", 1)),
        *(("integer integer", 0), ("date date date", 0)),
    ],
)
def test_inputs_are_handed_over_in_every_order_and_too_many_are_not(kinds, count):
    inputs = [Input(f"input_{place}", kind) for place, kind in enumerate(kinds.split())]
    assert len(list(bindings(inputs))) == count


@pytest.mark.parametrize(("number", "every"), [("year", 1), ("asked", 2)])
def test_a_number_that_may_be_a_year_is_none_before_the_day_beside_it(number, every):
    """One duplicate in thirty was overlooked: a year before the birth is refused, and the first rows had no other."""
    for seed in range(40):
        rows = random_rows([Input("born", "date"), Input(number, "integer")], Random(seed))
        assert all(date.fromisoformat(row["born"]).year <= row[number] <= 2029 for row in rows[::every])


def test_numbers_called_day_month_and_year_are_a_date_and_a_day_that_does_not_exist_is_none():
    (bind,) = bindings([Input("day", "integer"), Input("birth_month", "integer"), Input("year", "integer")])
    assert bind({"day": 29, "birth_month": 2, "year": 2024}) == Subject(born=date(2024, 2, 29))
    assert bind({"day": 29, "birth_month": 2, "year": 2023}) is None


def test_a_request_is_made_only_where_all_that_it_needs_is_there():
    by_tool = {each.tool: each for each in calculations()}
    born = Subject(born=date(1968, 11, 14))
    assert by_tool["calculate_attitude"].request(born) is not None
    assert by_tool["calculate_soul_urge"].request(born) is None
    assert by_tool["analyze_numerology_profile"].request(born) is None
    assert by_tool["calculate_vedic_numbers"].request(born) is not None
    assert by_tool["calculate_personal_cycles"].request(born) is None, "it needs a day that is asked about"
    assert by_tool["calculate_house_number"].request(Subject(number=12)).number == "12"
    assert by_tool["calculate_phone_number"].request(Subject(text="Ana")) is None
