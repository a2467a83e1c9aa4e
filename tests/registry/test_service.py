"""The registry over gRPC: verification, versions, history, refusals."""

import asyncio

import grpc
import pytest
from google.protobuf import json_format

from onenumbers.utilities.v1 import registry_pb2 as pb
from onenumbers_utilities.registry.tools import built_in_tools

INVALID = grpc.StatusCode.INVALID_ARGUMENT
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION


def history(answer: pb.GetUtilityResponse) -> list[tuple[int, str]]:
    return [
        (item.version, pb.UtilityStatus.Name(item.status).removeprefix("UTILITY_STATUS_")) for item in answer.history
    ]


async def test_a_definition_that_reproduces_its_examples_is_active_with_its_whole_history(replica, attitude):
    utility = await replica.register()
    assert (utility.version, utility.status) == (1, pb.UTILITY_STATUS_ACTIVE)
    assert (utility.examples_reproduced, utility.examples_given, utility.accuracy) == (2, 2, 1.0)
    assert (utility.result_type, utility.result_repeated) == (pb.UTILITY_RESULT_TYPE_INTEGER, False)
    answer = await replica.get("attitude_of_a_day")
    assert answer.utility == utility
    assert json_format.MessageToDict(answer.utility.definition, preserving_proto_field_name=True) == attitude
    assert history(answer) == [(1, "PROPOSED"), (1, "VALIDATED"), (1, "ACTIVE")]
    assert answer.history[0].note == "proposed by a test"
    assert answer.history[1].note == "reproduced 2 of 2 worked examples"
    assert await replica.evaluate("attitude_of_a_day", born="1974-09-29") == 2 + 9


async def test_a_definition_without_examples_is_proposed_and_no_tool(replica, refused):
    utility = await replica.register(examples=[])
    assert utility.status == pb.UTILITY_STATUS_PROPOSED
    assert not utility.HasField("accuracy")
    code, _, text = await refused(replica.evaluate("attitude_of_a_day", born="2000-01-01"))
    assert code is PRECONDITION
    assert "worked examples" in text
    assert (await replica.register()).version == 2
    assert history(await replica.get("attitude_of_a_day"))[0] == (1, "PROPOSED")


async def test_each_example_that_is_not_reproduced_is_named_and_nothing_is_stored(replica, refused):
    examples = [
        {"inputs": {"born": "1968-11-14"}, "expected": 7},
        {"inputs": {"born": "1968-11-14"}, "expected": 8},
        {"inputs": {"born": "2000-01-01"}, "expected": 3},
    ]
    code, violations, text = await refused(replica.register(examples=examples))
    assert code is PRECONDITION
    assert violations == {
        "definition.examples[1].expected": "is 8, but the formula gives 7",
        "definition.examples[2].expected": "is 3, but the formula gives 2",
    }
    assert text.startswith("the formula reproduces 1 of 3 worked examples: ")
    assert (await refused(replica.get("attitude_of_a_day")))[0] is grpc.StatusCode.NOT_FOUND


async def test_an_example_for_which_the_formula_has_no_result_is_not_reproduced(replica, refused):
    code, violations, _ = await refused(
        replica.register(
            inputs=[{"name": "n", "type": "UTILITY_INPUT_TYPE_INTEGER"}],
            formula="reduce(10 / n)",
            examples=[{"inputs": {"n": 2}, "expected": 5}, {"inputs": {"n": 0}, "expected": 0}],
        )
    )
    assert code is PRECONDITION
    assert violations == {
        "definition.examples[1].expected": "is 0, but the formula has no result: divide by zero",
    }


@pytest.mark.parametrize(
    ("changes", "violations"),
    [
        ({"formula": "reduce(month(born) + nope)"}, {"definition.formula": "'nope' is neither"}),
        ({"formula": "reduce(born)"}, {"definition.formula": "no matching overload"}),
        ({"formula": "x" * 10_000}, {"definition.formula": "4000"}),
        ({"formula": ""}, {"definition.formula": ""}),
        ({"formula": "(" * 40 + ")" * 40}, {"definition.formula": "more than 24 brackets"}),
        ({"utility_id": "Upper"}, {"definition.utility_id": ""}),
        ({"utility_id": "a" * 65}, {"definition.utility_id": ""}),
        ({"title": ""}, {"definition.title": ""}),
        ({"description": "x" * 4001}, {"definition.description": ""}),
        ({"inputs": []}, {"definition.inputs": ""}),
        ({"inputs": [{"name": "born"}]}, {"definition.inputs[0].type": ""}),
        ({"inputs": [{"name": "in", "type": 3}]}, {"definition.inputs[0].name": "a word of the formula language"}),
        ({"inputs": [{"name": "timestamp", "type": 3}]}, {"definition.inputs[0].name": "a word of the formula"}),
        ({"inputs": [{"name": "Born", "type": 3}]}, {"definition.inputs[0].name": ""}),
        (
            {"inputs": [{"name": "born", "type": 3}, {"name": "a_b", "type": 1}, {"name": "ab_", "type": 1}]},
            {"definition.inputs[2].name": "the same name as 'a_b'"},
        ),
        ({"examples": [{"inputs": {}, "expected": 1}]}, {"definition.examples[0].inputs.born": "must be given"}),
        (
            {"examples": [{"inputs": {"born": "2001-02-29"}, "expected": 1}]},
            {"definition.examples[0].inputs.born": "a date of the calendar"},
        ),
        (
            {"examples": [{"inputs": {"born": {"year": 2001, "month": 4, "day": 31}}, "expected": 1}]},
            {"definition.examples[0].inputs.born.day": "April has no day 31"},
        ),
        ({"examples": [{"inputs": {"born": 5}, "expected": 1}]}, {"definition.examples[0].inputs.born": "not 5"}),
        (
            {"examples": [{"inputs": {"born": "2000-01-01", "x": 1}, "expected": 2}]},
            {"definition.examples[0].inputs.x": "is no input"},
        ),
        (
            {"examples": [{"inputs": {"born": "2000-01-01"}, "expected": "2"}]},
            {"definition.examples[0].expected": 'must be a whole number, not "2"'},
        ),
        (
            {"examples": [{"inputs": {"born": "2000-01-01"}, "expected": 2.5}]},
            {"definition.examples[0].expected": "must be a whole number, not 2.5"},
        ),
        ({"examples": [{"inputs": {"born": "2000-01-01"}}]}, {"definition.examples[0].expected": "not null"}),
    ],
)
async def test_a_definition_that_cannot_be_used_names_the_field(replica, refused, changes, violations):
    code, found, _ = await refused(replica.register(**changes))
    assert code is INVALID
    assert list(found) == list(violations)
    for field, words in violations.items():
        assert words in found[field]


async def test_names_of_built_in_tools_are_taken(replica, refused):
    names = built_in_tools()
    assert {"calculate_life_path", "semantic_search", "answer_question", "register_utility", "list_tools"} <= names
    for name in ("calculate_life_path", "semantic_search", "list_tools"):
        code, violations, _ = await refused(replica.register(utility_id=name))
        assert code is grpc.StatusCode.ALREADY_EXISTS
        assert list(violations) == ["definition.utility_id"]


async def test_a_new_definition_is_a_new_version_and_a_repeated_one_is_none(replica):
    first = await replica.register()
    assert await replica.register() == first
    second = await replica.register(formula="reduce(day(born) + month(born))")
    assert (second.version, second.status) == (2, pb.UTILITY_STATUS_ACTIVE)
    assert history(await replica.get("attitude_of_a_day"))[3:] == [(2, "PROPOSED"), (2, "VALIDATED"), (2, "ACTIVE")]


async def test_an_unverified_definition_does_not_replace_one_in_use(replica, refused):
    await replica.register()
    code, violations, text = await refused(replica.register(formula="day(born)", examples=[]))
    assert code is PRECONDITION
    assert list(violations) == ["definition.examples"]
    assert "version 1" in text
    assert await replica.evaluate("attitude_of_a_day", born="1968-11-14") == 7


async def test_a_deprecated_utility_keeps_definition_and_history_and_may_come_back(replica, refused):
    await replica.register()
    gone = await replica.deprecate("attitude_of_a_day")
    assert gone.status == pb.UTILITY_STATUS_DEPRECATED
    assert await replica.deprecate("attitude_of_a_day") == gone
    answer = await replica.get("attitude_of_a_day")
    assert answer.utility.definition.formula == "reduce(month(born) + day(born))"
    assert history(answer)[-1] == (1, "DEPRECATED")
    assert answer.history[-1].note == "the source was misread"
    code, _, text = await refused(replica.evaluate("attitude_of_a_day", born="2000-01-01"))
    assert (code, "out of use" in text) == (PRECONDITION, True)
    assert (await replica.register()).version == 2


@pytest.mark.parametrize(
    ("inputs", "violations"),
    [
        ({}, {"inputs.born": "must be given"}),
        ({"born": None}, {"inputs.born": "must be given"}),
        ({"born": "14.11.1968"}, {"inputs.born": "YYYY-MM-DD"}),
        ({"born": "1968-11-31"}, {"inputs.born": "YYYY-MM-DD"}),
        ({"born": "0000-01-01"}, {"inputs.born": "YYYY-MM-DD"}),
        ({"born": {"year": 0, "month": 1, "day": 1}}, {"inputs.born.year": "1-9999"}),
        ({"born": {"year": 2000, "month": 1}}, {"inputs.born.day": "1-31"}),
        ({"born": {"year": 2000.5, "month": 1, "day": 1}}, {"inputs.born.year": "whole number"}),
        ({"born": ["1968-11-14"]}, {"inputs.born": "must be a date"}),
        ({"born": "1968-11-14", "died": "2000-01-01"}, {"inputs.died": "is no input; the inputs are born"}),
    ],
)
async def test_wrong_inputs_are_named(replica, refused, inputs, violations):
    await replica.register()
    code, found, _ = await refused(replica.evaluate("attitude_of_a_day", **inputs))
    assert code is INVALID
    assert list(found) == list(violations)
    for field, words in violations.items():
        assert words in found[field]


@pytest.mark.parametrize("number", [1.5, "3", True, 1e300, float("nan"), float("inf"), -(2.0**53)])
async def test_what_is_no_whole_number_is_refused(replica, refused, attitude, number):
    await replica.register(
        inputs=[{"name": "n", "type": "UTILITY_INPUT_TYPE_INTEGER"}],
        formula="reduce(abs(n))",
        examples=[{"inputs": {"n": 29}, "expected": 11}],
    )
    request = pb.EvaluateUtilityRequest(utility_id="attitude_of_a_day")
    request.inputs.update({"n": number})
    code, found, _ = await refused(replica.stub.EvaluateUtility(request))
    assert (code, list(found)) == (INVALID, ["inputs.n"])


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("", "inputs.name"),
        ("x" * 1001, "inputs.name"),
        ("x" * 201, "inputs.name"),
        ("Іван", "inputs.name"),
        ("Ana😀", "inputs.name"),
    ],
)
async def test_names_that_cannot_be_read_name_the_input(replica, refused, name, field):
    await replica.register(
        inputs=[{"name": "name", "type": "UTILITY_INPUT_TYPE_STRING"}],
        formula="reduce(sum(letter_values(letters(name))))",
        examples=[{"inputs": {"name": "Ana"}, "expected": 7}],
    )
    code, found, _ = await refused(replica.evaluate("attitude_of_a_day", name=name))
    assert (code, list(found)) == (INVALID, [field])


async def test_a_formula_that_explodes_for_some_inputs_is_an_error_of_the_inputs(start_replica, tmp_path, refused):
    formula = (
        "size(name) < 5 ? 1 : ([name]"
        + "".join(f".map(v{n}, [{', '.join([f'v{n}'] * 25)}])" for n in range(6))
        + ".exists(z, z == z) ? 2 : 3)"
    )
    async with start_replica(tmp_path, cpu_s=0.3) as replica:
        await replica.register(
            inputs=[{"name": "name", "type": "UTILITY_INPUT_TYPE_STRING"}],
            formula=formula,
            examples=[{"inputs": {"name": "Ana"}, "expected": 1}],
        )
        code, found, _ = await refused(replica.evaluate("attitude_of_a_day", name="Anastasia"))
        assert code is INVALID
        assert found == {"inputs": "the formula takes more than 0.3 s of processor time for these inputs"}
        assert await replica.evaluate("attitude_of_a_day", name="Ana") == 1


async def test_unknown_utilities_are_not_found_and_the_nearest_is_named(replica, refused):
    await replica.register()
    for call in (
        replica.get("attitude_of_day"),
        replica.deprecate("attitude_of_day"),
        replica.evaluate("attitude_of_day"),
    ):
        code, _, text = await refused(call)
        assert code is grpc.StatusCode.NOT_FOUND
        assert "attitude_of_day" in text
        assert "nearest active ones are attitude_of_a_day" in text


async def test_listing_goes_page_by_page_by_status(replica, refused):
    for number in range(7):
        await replica.register(
            utility_id=f"tool_{number}",
            examples=[] if number % 2 else [{"inputs": {"born": "1968-11-14"}, "expected": 7}],
        )
    found, token = [], ""
    while True:
        page = await replica.stub.ListUtilities(pb.ListUtilitiesRequest(page_size=3, page_token=token))
        assert page.total == 7
        found += [item.definition.utility_id for item in page.utilities]
        token = page.next_page_token
        if not token:
            break
    assert found == [f"tool_{number}" for number in range(7)]
    active = await replica.stub.ListUtilities(pb.ListUtilitiesRequest(status=pb.UTILITY_STATUS_ACTIVE))
    assert [item.definition.utility_id for item in active.utilities] == ["tool_0", "tool_2", "tool_4", "tool_6"]
    assert active.total == 4
    for request, field in (
        (pb.ListUtilitiesRequest(page_token="nonsense"), "page_token"),
        (pb.ListUtilitiesRequest(page_size=-1), "page_size"),
        (pb.ListUtilitiesRequest(status=99), "status"),
    ):
        code, violations, _ = await refused(replica.stub.ListUtilities(request))
        assert (code, list(violations)) == (INVALID, [field])


async def test_results_of_every_type_come_back_as_json(replica):
    cases = {
        "born": "2000-02-29",
        "[born]": ["2000-02-29"],
        "size(string(year(born))) == 4": True,
        "double(day(born)) / 4.0": 7.25,
        "'day ' + string(day(born))": "day 29",
        "chain(year(born) * 1000 + 999)": [2000999, 29, 11],
        "day(born) - 29": 0,
    }
    for index, (formula, expected) in enumerate(cases.items()):
        name = f"typed_{index}"
        await replica.register(
            utility_id=name, formula=formula, examples=[{"inputs": {"born": "2000-02-29"}, "expected": expected}]
        )
        assert await replica.evaluate(name, born="2000-02-29") == expected


async def test_versions_registered_at_once_are_all_kept_in_some_order(replica):
    formulas = [f"reduce(month(born) + day(born)) + {number} - {number}" for number in range(8)]
    found = await asyncio.gather(*(replica.register(formula=formula) for formula in formulas))
    assert sorted(item.version for item in found) == list(range(1, 9))
    assert len(history(await replica.get("attitude_of_a_day"))) == 24
