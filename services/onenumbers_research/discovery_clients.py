"""The knowledge server and the registry of utilities, as discovery uses them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, NoReturn

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from google.type import date_pb2

from onenumbers.knowledge.v1 import knowledge_pb2 as kpb
from onenumbers.knowledge.v1 import knowledge_pb2_grpc
from onenumbers.utilities.v1 import (
    calculation_pb2,
    counting_pb2,
    counting_pb2_grpc,
    registry_pb2,
    registry_pb2_grpc,
    utilities_pb2,
    utilities_pb2_grpc,
)
from onenumbers_research.comparison import Definition, Known, Person, Probe, Refused, contradiction
from onenumbers_research.discovery import DocumentRef, Text
from onenumbers_research.extraction import Input
from onenumbers_runtime.calls import outgoing_metadata
from onenumbers_runtime.errors import FailedPreconditionError, UnavailableError

_LIMIT_S: Final = 30.0
_PAGE: Final = 1_000
_NAMED: Final = 20
"""Examples that a refusal of the registry names at most."""
PATIENCE: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts while a server does not answer: a restart must not end a run."""
_KINDS: Final = {
    "integer": registry_pb2.UTILITY_INPUT_TYPE_INTEGER,
    "string": registry_pb2.UTILITY_INPUT_TYPE_STRING,
    "date": registry_pb2.UTILITY_INPUT_TYPE_DATE,
}
_KIND_NAMES: Final = {value: name for name, value in _KINDS.items()}
_STATUSES: Final = {
    registry_pb2.UTILITY_STATUS_PROPOSED: "proposed",
    registry_pb2.UTILITY_STATUS_VALIDATED: "validated",
    registry_pb2.UTILITY_STATUS_ACTIVE: "active",
    registry_pb2.UTILITY_STATUS_DEPRECATED: "deprecated",
}
_REFUSALS: Final = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.OUT_OF_RANGE,
}
_AWAY: Final = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


class _Client:
    """Calls that are made in the background: with a timeout each, and again while the server is away."""

    def __init__(self, server: str, *, token: str | None, patience: Sequence[float]) -> None:
        self._server = server
        self._token = token
        self._patience = tuple(patience)

    async def _call(self, method: Any, request: Message) -> Any:
        """Returns the response.

        Raises:
            Refused: The server says that the request cannot be met.
            UnavailableError: It does not answer.
            FailedPreconditionError: It answers otherwise, such as that the token is wrong.
        """
        for pause in (*self._patience, None):
            try:
                return await method(request, timeout=_LIMIT_S, metadata=outgoing_metadata(self._token))
            except grpc.aio.AioRpcError as error:
                if error.code() in _AWAY and pause is not None:
                    await asyncio.sleep(pause)
                    continue
                self._raise(error)
        raise UnavailableError(f"the {self._server} server does not answer", reason="SERVER_UNAVAILABLE")

    def _raise(self, error: grpc.aio.AioRpcError) -> NoReturn:
        if error.code() in _REFUSALS:
            raise _refused(error) from error
        if error.code() in _AWAY:
            raise UnavailableError(
                f"the {self._server} server does not answer", reason="SERVER_UNAVAILABLE", retry_after=5.0
            ) from error
        raise FailedPreconditionError(
            f"the {self._server} server refused a call with {error.code().name}", reason="SERVER_REFUSED"
        ) from error


class KnowledgeBase(_Client):
    """Documents of the knowledge server.

    Args:
        channel: Channel to it.
        token: Bearer token that it asks for, or None.
        patience: Seconds between attempts while it does not answer.
    """

    def __init__(self, channel: grpc.aio.Channel, *, token: str | None, patience: Sequence[float] = PATIENCE) -> None:
        super().__init__("knowledge", token=token, patience=patience)
        self._stub: Any = knowledge_pb2_grpc.KnowledgeServiceStub(channel)

    async def documents(self) -> list[DocumentRef]:
        """Returns all documents without their texts, the last changed first."""
        found: list[DocumentRef] = []
        token = ""
        while True:
            page = await self._call(
                self._stub.ListDocuments, kpb.ListDocumentsRequest(page_size=_PAGE, page_token=token)
            )
            for info in page.documents:
                metadata = json_format.MessageToDict(info.metadata)
                found.append(
                    DocumentRef(info.document_id, info.category, info.source, info.updated.ToNanoseconds(), metadata)
                )
            token = page.next_page_token
            if not token:
                return sorted(found, key=lambda item: (-item.updated, item.document_id))

    async def document(self, document_id: str) -> Text | None:
        """Returns a document with its text; None where it is gone."""
        try:
            found = await self._call(self._stub.GetDocument, kpb.GetDocumentRequest(document_id=document_id))
        except Refused:
            return None
        info = found.document.info
        return Text(info.document_id, info.title, found.document.content, info.version, info.source)

    async def ingest(
        self, *, document_id: str, title: str, content: str, source: str, metadata: Mapping[str, Any]
    ) -> None:
        """Adds a document of the category "utility"; the same again changes nothing."""
        request = kpb.IngestDocumentRequest(
            document_id=document_id, title=title[:300], content=content, category="utility", source=source
        )
        json_format.ParseDict(dict(metadata), request.metadata)
        await self._call(self._stub.IngestDocument, request)

    async def passages(self, query: str, *, numbers: Sequence[int], limit: int) -> kpb.SemanticSearchResponse:
        """Returns the passages nearest to a query among documents about the numbers, best first."""
        request = kpb.SemanticSearchRequest(query=query, top_k=limit, numbers=numbers)
        found: kpb.SemanticSearchResponse = await self._call(self._stub.SemanticSearch, request)
        return found


class UtilityRegistry(_Client):
    """The registry of utilities, and the built-in calculations that new ones are compared with.

    Args:
        channel: Channel to the utilities server.
        token: Bearer token that it asks for, or None.
        patience: Seconds between attempts while it does not answer.
    """

    def __init__(self, channel: grpc.aio.Channel, *, token: str | None, patience: Sequence[float] = PATIENCE) -> None:
        super().__init__("utilities", token=token, patience=patience)
        self._registry: Any = registry_pb2_grpc.UtilityRegistryServiceStub(channel)
        self._utilities: Any = utilities_pb2_grpc.UtilitiesServiceStub(channel)
        self._counting: Any = counting_pb2_grpc.CountingServiceStub(channel)

    async def probe(self, definition: Definition) -> Probe:
        """Returns how many of its examples a definition reproduces, by the registry's own check, storing nothing.

        A copy of one example that says something else is added: no formula can reproduce both, so the registry always
        refuses, and its refusal counts what was reproduced.

        Raises:
            Refused: The definition cannot be used.
        """
        given = len(definition.examples)
        message = _message(definition)
        message.examples.append(_example(*contradiction(definition.examples)))
        try:
            await self._call(self._registry.RegisterUtility, registry_pb2.RegisterUtilityRequest(definition=message))
        except Refused as refusal:
            if refusal.reason != "EXAMPLES_NOT_REPRODUCED":
                raise
            wrong = {
                int(field.split("[")[1].split("]")[0]): description
                for field, description in refusal.violations
                if field.startswith("definition.examples[")
            }
            # The copy says one more than an example that is itself wrong: then the copy may be what is reproduced.
            lucky = int(given not in wrong and len(wrong) < _NAMED)
            wrong.pop(given, None)
            return Probe(given, int(refusal.metadata["examples_reproduced"]) - lucky, wrong)
        raise FailedPreconditionError("the registry accepted examples that contradict each other", reason="NO_CHECK")

    async def register(self, definition: Definition, *, proposer: str) -> str:
        """Registers a definition; returns its status: "active", or "proposed" where it has no examples.

        Raises:
            Refused: The registry does not accept it.
        """
        request = registry_pb2.RegisterUtilityRequest(definition=_message(definition), proposer=proposer)
        found = await self._call(self._registry.RegisterUtility, request)
        return _STATUSES[found.utility.status]

    async def active(self) -> list[Known]:
        """Returns the utilities that are tools."""
        found: list[Known] = []
        token = ""
        while True:
            request = registry_pb2.ListUtilitiesRequest(
                page_size=_PAGE, page_token=token, status=registry_pb2.UTILITY_STATUS_ACTIVE
            )
            page = await self._call(self._registry.ListUtilities, request)
            found += (_known(utility) for utility in page.utilities)
            token = page.next_page_token
            if not token:
                return found

    async def get(self, utility_id: str) -> Known | None:
        """Returns a utility of any status, or None."""
        try:
            found = await self._call(self._registry.GetUtility, registry_pb2.GetUtilityRequest(utility_id=utility_id))
        except Refused:
            return None
        return _known(found.utility)

    async def evaluate(self, utility_id: str, inputs: Mapping[str, Any]) -> Any:
        """Returns what a registered utility gives; None where it has no result for these inputs."""
        request = registry_pb2.EvaluateUtilityRequest(utility_id=utility_id)
        json_format.ParseDict(dict(inputs), request.inputs)
        try:
            found = await self._call(self._registry.EvaluateUtility, request)
        except Refused:
            return None
        return json_format.MessageToDict(found.result)

    async def built_in(self, people: Sequence[Person]) -> dict[str, list[Any]]:
        """Returns what the built-in calculations give for people, by the name of each quantity, one value a person.

        They are the numbers of a profile, and the attitude and the life path by all methods. None stands for what
        somebody has no value of, such as a soul urge without vowels.
        """
        rows: list[dict[str, Any]] = []
        for person in people:
            request = utilities_pb2.AnalyzeNumerologyProfileRequest(
                name=person.name,
                day=person.born.day,
                month=person.born.month,
                year=person.born.year,
                include_pinnacles=True,
                include_challenges=True,
                as_of=_date(person.as_of),
                explain=False,
            )
            try:
                found = await self._call(self._utilities.AnalyzeNumerologyProfile, request)
            except Refused:
                rows.append({})
                continue
            rows.append(_quantities(found.profile))
        names = sorted(set().union(*rows))
        quantities: dict[str, list[Any]] = {name: [row.get(name) for row in rows] for name in names}
        born = [person.born for person in people]
        quantities["attitude"] = await self._date_numbers(counting_pb2.DATE_NUMBER_ATTITUDE, born)
        for name, method in calculation_pb2.LifePathMethod.items():
            if method:
                found = await self._date_numbers(counting_pb2.DATE_NUMBER_LIFE_PATH, born, method)
                quantities[f"life path ({name.removeprefix('LIFE_PATH_METHOD_').lower()})"] = found
        return quantities

    async def _date_numbers(self, number: Any, born: Sequence[date], method: int = 0) -> list[int]:
        request = counting_pb2.NumberDatesRequest(
            number=number,
            days=[day.day for day in born],
            months=[day.month for day in born],
            years=[day.year for day in born],
            life_path_method=method,  # type: ignore[arg-type]
        )
        return list((await self._call(self._counting.NumberDates, request)).values)


def _quantities(profile: utilities_pb2.NumerologyProfile) -> dict[str, Any]:
    """Returns the numbers of a profile by name: values, totals, ages and lists of numbers."""
    found: dict[str, Any] = {}
    for name in ("life_path", "expression", "soul_urge", "personality", "birthday", "maturity", "balance"):
        _number(found, name, getattr(profile, name))
    for name in ("personal_year", "personal_month", "personal_day", "universal_year", "universal_month"):
        _number(found, name, getattr(profile.cycles, name))
    found["age"] = profile.cycles.age
    found["inclusion table"] = list(profile.inclusion.counts)
    found["karmic lessons"] = list(profile.karmic_lessons)
    found["hidden passions"] = list(profile.hidden_passions)
    found["subconscious self"] = profile.subconscious_self
    for kind, periods in (("pinnacle", profile.pinnacles), ("challenge", profile.challenges)):
        for period in periods:
            _number(found, f"{kind} {period.ordinal}", period.number)
        found[f"{kind}s"] = [period.number.value for period in periods]
    return found


def _number(found: dict[str, Any], name: str, number: Any) -> None:
    if number.HasField("value"):
        label = name.replace("_", " ")
        found[label] = number.value
        found[f"{label} (total)"] = number.total
        found[f"{label} (root)"] = number.root


def _date(day: date) -> date_pb2.Date:
    return date_pb2.Date(year=day.year, month=day.month, day=day.day)


def _message(definition: Definition) -> registry_pb2.UtilityDefinition:
    return registry_pb2.UtilityDefinition(
        utility_id=definition.utility_id,
        title=definition.title,
        description=definition.description,
        inputs=[
            registry_pb2.UtilityInput(name=item.name, type=_KINDS[item.kind], description=item.description)
            for item in definition.inputs
        ],
        formula=definition.formula,
        category=definition.category,
        provenance=definition.provenance,
        examples=[_example(item.inputs, item.expected, item.quote) for item in definition.examples],
    )


def _example(inputs: Mapping[str, Any], expected: Any, source: str) -> registry_pb2.WorkedExample:
    values = {"inputs": dict(inputs), "expected": expected, "source": source[:500]}
    return json_format.ParseDict(values, registry_pb2.WorkedExample())


def _known(utility: registry_pb2.Utility) -> Known:
    definition = utility.definition
    return Known(
        utility_id=definition.utility_id,
        inputs=tuple(
            Input(item.name, _KIND_NAMES[item.type])  # type: ignore[arg-type]
            for item in definition.inputs
        ),
        formula=definition.formula,
        provenance=definition.provenance,
        status=_STATUSES[utility.status],
    )


def _refused(error: grpc.aio.AioRpcError) -> Refused:
    reason, metadata, violations = error.code().name, {}, []
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin" or not isinstance(value, bytes):
            continue
        for detail in status_pb2.Status.FromString(value).details:
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            if detail.Unpack(info):
                reason, metadata = info.reason, dict(info.metadata)
            elif detail.Unpack(bad):
                violations = [(item.field, item.description) for item in bad.field_violations]
    return Refused(error.details() or error.code().name, reason=reason, metadata=metadata, violations=violations)
