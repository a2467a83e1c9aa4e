"""The servicer of KnowledgeMaintenanceService: bulk ingestion, new embeddings, snapshots."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from onenumbers.knowledge.v1 import maintenance_pb2 as pb
from onenumbers.knowledge.v1 import maintenance_pb2_grpc
from onenumbers_knowledge import convert
from onenumbers_knowledge.collection import Collection, Outcome
from onenumbers_knowledge.index.maintaining import import_snapshot
from onenumbers_knowledge.ingestion.bulk import in_order
from onenumbers_knowledge.search.duplicates import duplicates_of
from onenumbers_runtime.errors import DataLossError, MeshError, UnavailableError, invalid
from onenumbers_runtime.server import Service
from onenumbers_runtime.validation import RequestValidator


@dataclass(frozen=True, slots=True)
class _Item:
    request: pb.BulkIngestDocumentsRequest

    @property
    def key(self) -> str:
        """Versions of one document are stored in the order in which they came."""
        return self.request.document.document_id or f"\0{self.request.document.content}"


class MaintenanceServicer(maintenance_pb2_grpc.KnowledgeMaintenanceServiceServicer):
    """Serves work on a whole collection.

    Args:
        collection: The documents.
    """

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._validator = RequestValidator()

    async def BulkIngestDocuments(  # noqa: N802 - named after the contract
        self,
        request_iterator: AsyncIterator[pb.BulkIngestDocumentsRequest],
        context: Any,  # noqa: ARG002
    ) -> AsyncIterator[pb.BulkIngestDocumentsResponse]:
        """Ingests any number of documents; each acknowledgement comes after its document is stored."""

        async def items() -> AsyncIterator[_Item]:
            async for request in request_iterator:
                yield _Item(request)

        acknowledgements = in_order(items(), self._ingest)
        try:
            async for acknowledgement in acknowledgements:
                yield acknowledgement
        finally:
            await acknowledgements.aclose()

    async def UpdateEmbeddings(  # noqa: N802 - named after the contract
        self,
        request: pb.UpdateEmbeddingsRequest,
        context: Any,  # noqa: ARG002
    ) -> AsyncIterator[pb.UpdateEmbeddingsResponse]:
        """Embeds documents anew and tells the progress."""
        steps = self._collection.update_embeddings(request.document_ids, everything=request.reindex_all)
        try:
            async for progress in steps:
                yield pb.UpdateEmbeddingsResponse(
                    passages_done=progress.done,
                    passages_total=progress.total,
                    complete=progress.complete,
                    embedding_model=progress.model,
                    dimensions=progress.dimensions,
                )
        finally:
            await steps.aclose()

    async def ExportSnapshot(  # noqa: N802 - named after the contract
        self,
        request: pb.ExportSnapshotRequest,  # noqa: ARG002
        context: Any,  # noqa: ARG002
    ) -> AsyncIterator[pb.ExportSnapshotResponse]:
        """Writes the collection out in chunks."""
        chunks = self._collection.export()
        try:
            async for chunk, checksum in chunks:
                yield pb.ExportSnapshotResponse(chunk=chunk, checksum=checksum)
        finally:
            await chunks.aclose()

    async def ImportSnapshot(  # noqa: N802 - named after the contract
        self,
        request_iterator: AsyncIterator[pb.ImportSnapshotRequest],
        context: Any,  # noqa: ARG002
    ) -> pb.ImportSnapshotResponse:
        """Replaces the collection by one that was written out."""

        async def chunks() -> AsyncIterator[tuple[bytes, str]]:
            async for request in request_iterator:
                yield request.chunk, request.checksum

        sums = await import_snapshot(self._collection, chunks())
        return pb.ImportSnapshotResponse(documents=sums.documents, passages=sums.passages)

    async def _ingest(self, item: _Item) -> pb.BulkIngestDocumentsResponse:
        request = item.request
        try:
            if not request.HasField("document"):
                raise invalid("document", "is missing", rule="required")
            self._validator.check(request.document)
            info, outcome = await self._collection.ingest(convert.new_document(request.document))
            alike = [] if outcome is Outcome.UNCHANGED else await duplicates_of(info, self._collection)
        except (UnavailableError, DataLossError):
            # It is not this document's fault, and the next ones would fare no better.
            raise
        except MeshError as error:
            return pb.BulkIngestDocumentsResponse(sequence_id=request.sequence_id, refusal=error.message)
        return pb.BulkIngestDocumentsResponse(
            sequence_id=request.sequence_id,
            document=convert.document_info(info),
            outcome=convert.OUTCOMES[outcome],
            duplicates=convert.duplicates(alike),
        )


def maintenance_service(servicer: MaintenanceServicer) -> Service:
    """Returns the service to register with a server."""
    return Service(
        full_name=pb.DESCRIPTOR.services_by_name["KnowledgeMaintenanceService"].full_name,
        add=maintenance_pb2_grpc.add_KnowledgeMaintenanceServiceServicer_to_server,
        servicer=servicer,
    )
