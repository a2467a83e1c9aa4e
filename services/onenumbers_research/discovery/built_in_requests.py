"""Which requests to the built-in calculations a row of inputs makes.

They are read from the contract: every RPC of the services below whose fields can be filled from names, dates and
numbers, with its default options and with every other value of each option in turn. A calculation that is added to one
of these services is compared with from then on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.type import date_pb2

from buf.validate import validate_pb2
from onenumbers.options.v1 import options_pb2
from onenumbers.utilities.v1 import (
    compatibility_pb2,
    dates_pb2,
    names_pb2,
    native_pb2,
    objects_pb2,
    systems_pb2,
    utilities_pb2,
)
from onenumbers_research.discovery.definitions import Subject

_CONTRACTS: Final = (utilities_pb2, dates_pb2, names_pb2, systems_pb2, objects_pb2, compatibility_pb2, native_pb2)
LEFT_OUT: Final = {
    "calculate_destiny_number": "another name of calculate_expression_number",
    "batch_calculate": "the same numbers as analyze_numerology_profile",
    "compare_people": "the same numbers as compare_compatibility",
    "find_favourable_dates": "gives dates",
    "get_weekday_correspondences": "gives days and planets",
    "calculate_native_letters": "reads scripts in which no formula of the registry counts letters",
}
"""Tools that are not compared, and why."""
_COMPOUNDS: Final = (10, 9_999)
_LONGEST: Final = 32
_ANYBODY: Final = "A"
_JOINED: Final = {
    *("analyze_name", "analyze_numerology_profile", "calculate_karmic_debts", "calculate_minor_numbers"),
    *("compare_compatibility", "compare_names"),
}
"""Tools that join the numbers of others, whose options are tried there."""
_NO_EFFECT: Final = {"transliteration", "karmic_debt_scope", "debt_numbers", "letter_policy", "challenge_ages"}
"""Options without an effect on the number of a name in the letters A-Z, or of a date."""
_LEAN_ON_OTHERS: Final = {"digits", "year_turn", "unit_rule"}
"""Options that are refused unless another field is there too."""
_AS_OF_A_DAY: Final = {"analyze_numerology_profile", "calculate_transits_and_essence", "calculate_personal_cycles"}
"""Tools of a birth that also count to a day after it; others only mark with it what is in force."""


@dataclass(frozen=True, slots=True)
class Calculation:
    """A tool with its options."""

    tool: str
    label: str
    """Such as "calculate_soul_urge, y_rule ALWAYS_VOWEL"."""
    path: str
    """Of the RPC, such as "/onenumbers.utilities.v1.NameNumbersService/CalculateSoulUrge"."""
    method: MethodDescriptor
    options: tuple[tuple[str, int | str], ...]
    """Fields that differ from their defaults."""

    def request(self, subject: Subject) -> Message | None:
        """Returns the request for a row of inputs; None where the row lacks what the tool needs."""
        request = GetMessageClass(self.method.input_type)()
        for field in self.method.input_type.fields:
            if not _fill(request, field, subject, self.tool):
                return None
        for name, value in self.options:
            setattr(request, name, value)
        return request


@cache
def calculations() -> tuple[Calculation, ...]:
    """Returns all calculations with which a new one is compared: first each with its defaults, then the options."""
    plain: list[Calculation] = []
    varied: list[Calculation] = []
    for method in _methods():
        tool = method.GetOptions().Extensions[options_pb2.tool].name
        path = f"/{method.containing_service.full_name}/{method.name}"
        needed = [list(_choices(field)) for field in method.input_type.fields if _must_be_chosen(field)]
        defaults: list[tuple[tuple[str, int | str], ...]] = [(choice,) for choice in needed[0]] if needed else [()]
        plain += [Calculation(tool, _label(method, tool, options), path, method, options) for options in defaults]
        if tool in _JOINED:
            continue
        varied += [
            Calculation(tool, _label(method, tool, (*defaults[0], choice)), path, method, (*defaults[0], choice))
            for field in method.input_type.fields
            if not _must_be_chosen(field)
            for choice in _choices(field)
        ]
    return (*plain, *varied)


def _methods() -> Iterator[MethodDescriptor]:
    for contract in _CONTRACTS:
        for service in contract.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                tool = method.GetOptions().Extensions[options_pb2.tool].name
                if tool and tool not in LEFT_OUT and not method.client_streaming and not method.server_streaming:
                    yield method


def _must_be_chosen(field: FieldDescriptor) -> bool:
    return 0 in field.GetOptions().Extensions[validate_pb2.field].enum.not_in


def _choices(field: FieldDescriptor) -> Iterator[tuple[str, int | str]]:
    """Yields the settings of an option; the default ones need not be named."""
    if field.name in _NO_EFFECT or (field.name in _LEAN_ON_OTHERS and not _kua(field)):
        return
    if field.enum_type is not None and not field.is_repeated and (field.name != "formula" or _kua(field)):
        yield from ((field.name, value.number) for value in field.enum_type.values if value.number)


def _kua(field: FieldDescriptor) -> bool:
    return "CalculateKuaRequest." in field.full_name


def _label(method: MethodDescriptor, tool: str, options: tuple[tuple[str, int | str], ...]) -> str:
    told = [tool]
    for name, value in options:
        kind = method.input_type.fields_by_name[name].enum_type
        told.append(f"{name} {_short(kind, int(value)) if kind is not None else value}")
    return ", ".join(told)


def _short(kind: EnumDescriptor, number: int) -> str:
    prefix = kind.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return kind.values_by_number[number].name.removeprefix(prefix)


def _fill(request: Any, field: FieldDescriptor, subject: Subject, tool: str) -> bool:
    """Fills a field; returns whether the request can be made. What would be refused is not asked for."""
    name = field.name
    value: Any = None
    if name in ("day", "month", "year"):
        value = getattr(subject.born, name) if subject.born is not None else None
    elif name in ("name", "current_name", "first_name", "second_name"):
        value = subject.second_name if name == "second_name" else subject.name
    elif name in ("number", "phone", "plate"):
        value = _number(field, subject)
    elif name in ("include_pinnacles", "include_challenges", "explain"):
        value = name != "explain"
    elif name in ("first", "second"):
        return _fill_person(getattr(request, name), subject, first=name == "first")
    elif name == "as_of":
        return _fill_as_of(request, subject, tool)
    if value is not None:
        setattr(request, name, value)
    return value is not None or not _is_needed(field)


def _is_needed(field: FieldDescriptor) -> bool:
    rules = field.GetOptions().Extensions[validate_pb2.field]
    return bool(rules.string.min_len or (rules.int32.gte and not field.has_presence))


def _fill_as_of(request: Any, subject: Subject, tool: str) -> bool:
    day = subject.later if tool != "calculate_universal_cycles" else subject.later or subject.born
    after = day is not None and subject.born is not None and day >= subject.born
    if day is not None and (tool == "calculate_universal_cycles" or (tool in _AS_OF_A_DAY and after)):
        request.as_of.CopyFrom(date_pb2.Date(year=day.year, month=day.month, day=day.day))
        return True
    return tool not in ("calculate_universal_cycles", "calculate_personal_cycles")


def _fill_person(person: Any, subject: Subject, *, first: bool) -> bool:
    name, born = (subject.name, subject.born) if first else (subject.second_name, subject.later)
    if born is None or (name is None and (subject.name is not None or subject.second_name is not None)):
        return False
    # Two dates alone are two people of one name: the numbers of dates do not depend on it.
    person.MergeFrom(
        compatibility_pb2.ComparedPerson(name=name or _ANYBODY, day=born.day, month=born.month, year=born.year)
    )
    return True


def _number(field: FieldDescriptor, subject: Subject) -> int | str | None:
    """Returns a number, or what is written on a plate or a house; None where it would be refused."""
    if field.cpp_type == FieldDescriptor.CPPTYPE_INT32:
        inside = subject.number is not None and _COMPOUNDS[0] <= subject.number <= _COMPOUNDS[1]
        return subject.number if inside else None
    written = subject.text if subject.number is None else str(subject.number)
    if written is None or len(written) > _LONGEST or (field.name == "phone" and not written.isdigit()):
        return None
    return written if field.name == "plate" or any(char.isdigit() for char in written) else None
