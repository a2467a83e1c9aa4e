"""What the built-in calculations give, as quantities by name: each number that is anywhere in their answers."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import grpc
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from onenumbers.utilities.v1 import names_pb2, names_pb2_grpc, systems_pb2, systems_pb2_grpc
from onenumbers_research.discovery.built_in_requests import Calculation, calculations
from onenumbers_research.discovery.definitions import Letter, Refused, Subject
from onenumbers_research.discovery.patient_client import PATIENCE, PatientClient

_AT_ONCE: Final = 16
"""Calls in flight."""
_REMEMBERED: Final = 4_096
"""Answers that are kept for the rest of a run."""
_MOST_ITEMS: Final = 12
"""Items of a list that are looked at one by one."""
_DEEPEST: Final = 5
_NUMBERS: Final = {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_DOUBLE}
_IGNORED: Final = {"Warning", "Component", "LetterValue", "AppliedRule", "CompoundMeaning", "Date", "Status"}
"""Messages that hold no quantity of their own."""


class BuiltInCalculations(PatientClient):
    """Asks the built-in calculations, and remembers their answers: one for each run.

    Args:
        channel: Channel to the utilities server.
        token: Bearer token that it asks for, or None.
        patience: Seconds between attempts while it does not answer.
    """

    def __init__(self, channel: grpc.aio.Channel, *, token: str | None, patience: Sequence[float] = PATIENCE) -> None:
        super().__init__("utilities", token=token, patience=patience)
        self._channel = channel
        self._names: Any = names_pb2_grpc.NameNumbersServiceStub(channel)
        self._systems: Any = systems_pb2_grpc.NumberSystemsServiceStub(channel)
        self._answers: OrderedDict[tuple[str, bytes], Mapping[str, Any]] = OrderedDict()
        self._methods: dict[str, Any] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def quantities(
        self, subjects: Sequence[Subject], *, only: Collection[str] | None = None
    ) -> dict[str, list[Any]]:
        """Returns what the calculations give, one value for each subject, by the name of each quantity.

        A quantity is named after its tool, its options where they are not the defaults, and its place in the answer.
        None stands for what somebody has no value of, such as a soul urge without vowels.

        Args:
            subjects: Rows of inputs.
            only: Names of the quantities that are wanted; all when None.
        """
        wanted = None if only is None else {name.partition(": ")[0] for name in only}
        chosen = [each for each in calculations() if wanted is None or each.label in wanted]
        answers = await asyncio.gather(
            *(self._answer(calculation, subject) for calculation in chosen for subject in subjects)
        )
        found: dict[str, list[Any]] = {}
        for place, calculation in enumerate(chosen):
            rows = answers[place * len(subjects) : (place + 1) * len(subjects)]
            for path in dict.fromkeys(path for row in rows for path in row):
                name = f"{calculation.label}: {path}"
                if only is None or name in only:
                    found[name] = [row.get(path) for row in rows]
        return found

    async def letters(self, names: Sequence[str]) -> dict[str, tuple[tuple[Letter, ...], ...]]:
        """Returns the letters of full names, name by name; those that have none are left out."""
        found = await asyncio.gather(*(self._letters(name) for name in names))
        return {name: letters for name, letters in zip(names, found, strict=True) if letters}

    async def _letters(self, name: str) -> tuple[tuple[Letter, ...], ...]:
        try:
            async with self._places:
                plain = await self._call(self._names.CalculateSoulUrge, names_pb2.CalculateSoulUrgeRequest(name=name))
                chaldean = await self._call(
                    self._systems.CalculateChaldeanName, systems_pb2.CalculateChaldeanNameRequest(name=name)
                )
        except Refused:
            return ()
        parts = zip(plain.result.components, chaldean.result.components, strict=True)
        return tuple(
            tuple(
                Letter(letter.value, other.value, letter.vowel)
                for letter, other in zip(part.letters, others.letters, strict=True)
            )
            for part, others in parts
        )

    async def _answer(self, calculation: Calculation, subject: Subject) -> Mapping[str, Any]:
        request = calculation.request(subject)
        if request is None:
            return {}
        key = (calculation.path, request.SerializeToString(deterministic=True))
        known = self._answers.get(key)
        if known is not None:
            self._answers.move_to_end(key)
            return known
        async with self._places:
            try:
                answer = await self._call(self._method(calculation), request)
            except Refused:
                answer = None
        found = dict(_quantities(answer, "", 0)) if answer is not None else {}
        self._answers[key] = found
        if len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)
        return found

    def _method(self, calculation: Calculation) -> Any:
        if calculation.path not in self._methods:
            self._methods[calculation.path] = self._channel.unary_unary(
                calculation.path,
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=GetMessageClass(calculation.method.output_type).FromString,
            )
        return self._methods[calculation.path]


def _quantities(message: Message, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yields every number below a message with its path, such as "result.value" or "pinnacles[2].number.root"."""
    if message.DESCRIPTOR.name in _IGNORED or depth > _DEEPEST:
        return
    if message.DESCRIPTOR.name == "NumberResult" and not message.HasField("value"):
        return
    for field in message.DESCRIPTOR.fields:
        place = f"{path}.{field.name}" if path else field.name
        if field.is_repeated:
            yield from _listed(field, getattr(message, field.name), place, depth)
        elif field.cpp_type in _NUMBERS:
            if not field.has_presence or message.HasField(field.name):
                yield place, getattr(message, field.name)
        elif field.message_type is not None and message.HasField(field.name):
            yield from _quantities(getattr(message, field.name), place, depth + 1)


def _listed(field: Any, items: Any, place: str, depth: int) -> Iterator[tuple[str, Any]]:
    if field.cpp_type in _NUMBERS:
        yield place, list(items)
        yield from ((f"{place}[{number}]", item) for number, item in enumerate(items[:_MOST_ITEMS]))
    elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
        for number, item in enumerate(items[:_MOST_ITEMS]):
            yield from _quantities(item, f"{place}[{number}]", depth + 1)
        numbers = [item.number.value for item in items if "number" in item.DESCRIPTOR.fields_by_name
                   and item.DESCRIPTOR.fields_by_name["number"].message_type is not None]  # fmt: skip
        if numbers:
            yield f"{place}[].number.value", numbers
