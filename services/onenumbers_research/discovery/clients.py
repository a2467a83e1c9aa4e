"""The knowledge server and the registry of utilities, as discovery uses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import grpc
from google.protobuf import json_format

from onenumbers.knowledge.v1 import knowledge_pb2 as kpb
from onenumbers.knowledge.v1 import knowledge_pb2_grpc
from onenumbers.utilities.v1 import registry_pb2, registry_pb2_grpc
from onenumbers_research.discovery.built_in_calculations import BuiltInCalculations
from onenumbers_research.discovery.comparison import contradiction
from onenumbers_research.discovery.definitions import Definition, Known, Probe, Refused
from onenumbers_research.discovery.documents import TOPIC, DocumentRef, Text
from onenumbers_research.discovery.extraction import Input
from onenumbers_research.discovery.patient_client import PATIENCE, PatientClient
from onenumbers_runtime.errors import FailedPreconditionError

_PAGE: Final = 1_000
_NAMED: Final = 20
"""Examples that a refusal of the registry names at most."""
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


class KnowledgeBase(PatientClient):
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
        topic = json_format.MessageToDict(info.metadata).get(TOPIC, "")
        return Text(
            *(info.document_id, info.title, found.document.content, info.version, info.source),
            category=info.category,
            topic=topic if isinstance(topic, str) else "",
        )

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


class UtilityRegistry(PatientClient):
    """The registry of utilities, and the built-in calculations that new ones are compared with.

    Args:
        channel: Channel to the utilities server.
        token: Bearer token that it asks for, or None.
        patience: Seconds between attempts while it does not answer.
    """

    def __init__(self, channel: grpc.aio.Channel, *, token: str | None, patience: Sequence[float] = PATIENCE) -> None:
        super().__init__("utilities", token=token, patience=patience)
        self._registry: Any = registry_pb2_grpc.UtilityRegistryServiceStub(channel)
        self._channel = channel

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

    def built_in(self) -> BuiltInCalculations:
        """Returns the built-in calculations, with a memory of their own."""
        return BuiltInCalculations(self._channel, token=self._token, patience=self._patience)


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
