"""Every tool that takes a name takes the policy and the standard by which it is read, and applies them, over gRPC."""

from __future__ import annotations

import json
from datetime import date

import grpc
import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2

from onenumbers.options.v1 import options_pb2
from onenumbers.utilities.v1 import (
    compatibility_pb2,
    compatibility_pb2_grpc,
    dates_pb2,
    dates_pb2_grpc,
    names_pb2,
    names_pb2_grpc,
    objects_pb2,
    objects_pb2_grpc,
    systems_pb2,
    systems_pb2_grpc,
    utilities_pb2,
    utilities_pb2_grpc,
)
from onenumbers_runtime.testing import running
from onenumbers_utilities.compatibility_service import CompatibilityServicer, compatibility_service
from onenumbers_utilities.dates_service import DateNumbersServicer, date_numbers_service
from onenumbers_utilities.names_service import NameNumbersServicer, name_numbers_service
from onenumbers_utilities.objects_service import ObjectNumbersServicer, object_numbers_service
from onenumbers_utilities.service import UtilitiesServicer, utilities_service
from onenumbers_utilities.systems_service import NumberSystemsServicer, number_systems_service

TODAY = date(2026, 1, 31)
PARTS = {
    "UtilitiesService": (utilities_pb2, utilities_pb2_grpc),
    "NameNumbersService": (names_pb2, names_pb2_grpc),
    "DateNumbersService": (dates_pb2, dates_pb2_grpc),
    "NumberSystemsService": (systems_pb2, systems_pb2_grpc),
    "ObjectNumbersService": (objects_pb2, objects_pb2_grpc),
    "CompatibilityService": (compatibility_pb2, compatibility_pb2_grpc),
}
NAMES = ("name", "first_name", "second_name", "current_name")
STANDARD = "TRANSLITERATION_UKRAINIAN_2010"
CYRILLIC, LATIN = "Юлія Щербак", "Yuliia Shcherbak"


def _named(message, seen=()):
    """Whether a request has a name, itself or in the messages that it holds."""
    return any(
        field.name in NAMES
        or (
            field.message_type is not None
            and field.message_type not in seen
            and _named(field.message_type, (*seen, message))
        )
        for field in message.fields
    )


def _holds(message, name, seen=()):
    return any(
        field.name == name
        or (
            field.message_type is not None
            and field.message_type not in seen
            and _holds(field.message_type, name, (*seen, message))
        )
        for field in message.fields
    )


METHODS = [
    method
    for service, (module, _) in PARTS.items()
    for method in module.DESCRIPTOR.services_by_name[service].methods
    if _named(method.input_type)
]
UNARY = [method for method in METHODS if not method.client_streaming]


@pytest.fixture
async def channel():
    services = [
        utilities_service(UtilitiesServicer(clock=lambda: TODAY, max_response_bytes=1 << 22)),
        name_numbers_service(NameNumbersServicer(clock=lambda: TODAY)),
        date_numbers_service(DateNumbersServicer(clock=lambda: TODAY)),
        number_systems_service(NumberSystemsServicer(clock=lambda: TODAY)),
        object_numbers_service(ObjectNumbersServicer()),
        compatibility_service(CompatibilityServicer(clock=lambda: TODAY)),
    ]
    async with running(services) as (_, opened):
        yield opened


async def call(channel, method, arguments):
    module, grpc_module = PARTS[method.containing_service.name]
    stub = getattr(grpc_module, f"{method.containing_service.name}Stub")(channel)
    return await getattr(stub, method.name)(json_format.ParseDict(arguments, getattr(module, method.input_type.name)()))


def with_names(value, name):
    """The example of a tool with every name in it replaced."""
    if isinstance(value, list):
        return [with_names(each, name) for each in value]
    if isinstance(value, dict):
        return {key: name if key in NAMES else with_names(each, name) for key, each in value.items()}
    return value


def example_of(method, name):
    arguments = json.loads(method.GetOptions().Extensions[options_pb2.tool].example)
    return with_names(arguments, name)


def chosen(method, arguments):
    """The arguments with the standard where the request has it."""
    if "transliteration" in method.input_type.fields_by_name:
        return arguments | {"transliteration": STANDARD}
    return arguments | {"options": arguments.get("options", {}) | {"transliteration": STANDARD}}


def numbers_of(message):
    """The values of a response without names, inputs and notices."""
    if isinstance(message, list):
        return [numbers_of(each) for each in message]
    if isinstance(message, dict):
        return {
            key: numbers_of(each)
            for key, each in message.items()
            if key not in ("inputsUsed", "warnings", "explanation")
        }
    return message


@pytest.mark.parametrize("method", METHODS, ids=lambda each: each.name)
def test_every_tool_that_takes_a_name_takes_policy_and_standard(method):
    assert _holds(method.input_type, "letter_policy")
    assert _holds(method.input_type, "transliteration")


@pytest.mark.parametrize("method", UNARY, ids=lambda each: each.name)
async def test_a_name_counts_as_its_latin_spelling_and_the_answer_says_so(channel, method):
    found = json_format.MessageToDict(await call(channel, method, chosen(method, example_of(method, CYRILLIC))))
    wanted = json_format.MessageToDict(await call(channel, method, example_of(method, LATIN)))
    assert numbers_of(found) == numbers_of(wanted)
    text = json.dumps(found, ensure_ascii=False)
    assert "TRANSLITERATED" in text
    assert "YULIIA SHCHERBAK" in text
    assert "ua-ukr-Cyrl-Latn-2010" in text


@pytest.mark.parametrize("method", UNARY, ids=lambda each: each.name)
async def test_without_a_standard_such_a_name_is_refused_where_it_stands(channel, method):
    if method.name == "BatchCalculate":
        [item, *_] = (await call(channel, method, example_of(method, CYRILLIC))).items
        status = item.error
    else:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(channel, method, example_of(method, CYRILLIC))
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        status = status_pb2.Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
    bad = error_details_pb2.BadRequest()
    [violation] = [item for detail in status.details if detail.Unpack(bad) for item in bad.field_violations]
    assert violation.field.rpartition(".")[2] in NAMES
    assert violation.reason == "name.unsupported_script"
    assert "UKRAINIAN_2010" in violation.description


async def test_each_person_of_a_comparison_may_have_a_standard_of_its_own(channel):
    born = {"day": 14, "month": 11, "year": 1968}
    arguments = {
        "people": [
            born | {"name": CYRILLIC, "transliteration": STANDARD},
            born | {"name": "Νίκος", "transliteration": "TRANSLITERATION_BGN_PCGN_GREEK"},
            born | {"name": "Ѓорѓи"},
        ],
        "transliteration": "TRANSLITERATION_BGN_PCGN_MACEDONIAN",
        "explain": True,
    }
    [method] = [each for each in METHODS if each.name == "ComparePeople"]
    people = (await call(channel, method, arguments)).people
    assert [each.name for each in people] == ["YULIIA SHCHERBAK", "NIKOS", "GORGI"]
    assert people[1].expression.inputs_used["transliteration"] == "bgn_pcgn_greek"


async def test_each_row_of_a_batch_may_have_a_standard_of_its_own_and_a_wrong_one_fails_it_alone(channel):
    stub = utilities_pb2_grpc.UtilitiesServiceStub(channel)
    rows = [
        utilities_pb2.ProfileInput(name=name, day=14, month=11, year=1968, transliteration=standard)
        for name, standard in ((CYRILLIC, 5), ("Ѓорѓи", 0), ("Ana", 999), ("Юлия", 1))
    ]
    options = utilities_pb2.ProfileOptions(transliteration=12)
    answer = await stub.BatchCalculate(utilities_pb2.BatchCalculateRequest(profiles=rows, options=options))
    assert [item.profile.name for item in answer.items] == ["YULIIA SHCHERBAK", "GORGI", "", "IULIIA"]
    bad = error_details_pb2.BadRequest()
    [violation] = [
        each for detail in answer.items[2].error.details if detail.Unpack(bad) for each in bad.field_violations
    ]
    assert violation.field == "profiles[2].transliteration"


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("Кафе 24", {}, ["KAFE", "24"]),
        ("Мама & Тато", {}, ["MAMA", "TATO"]),
        ("Знам'янка-Сервіс", {}, ["ZNAMIANKASERVIS"]),
        ("Blue River", {}, ["BLUE", "RIVER"]),
        ("Müller 3", {"letterPolicy": "LETTER_POLICY_DE_EXPANDED"}, ["MUELLER", "3"]),
    ],
)
async def test_digits_and_signs_of_a_business_stay_where_they_are(channel, name, arguments, text):
    [method] = [each for each in METHODS if each.name == "CalculateBusinessName"]
    found = await call(channel, method, {"name": name, "transliteration": STANDARD} | arguments)
    assert [each.text for each in found.result.components] == text
    assert ("TRANSLITERATED" in {each.code for each in found.result.warnings}) == (name[0] in "КМЗ")
    assert found.result.inputs_used["name"] == name


@pytest.mark.parametrize(
    ("name", "rule"),
    [("Кафе Boutique", "name.mixed_scripts"), ("Кафе 😀", "name.emoji"), ("Ωμέγα", "transliteration.script")],
)
async def test_a_business_that_no_standard_reads_whole_is_refused(channel, name, rule):
    [method] = [each for each in METHODS if each.name == "CalculateBusinessName"]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, method, {"name": name, "transliteration": STANDARD})
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert rule in str(status_pb2.Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"]))
