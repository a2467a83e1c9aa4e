"""The servicer of KnowledgeService: converts, asks the collection, converts back."""

from __future__ import annotations

from typing import Any

from onenumbers.knowledge.v1 import knowledge_pb2 as pb
from onenumbers.knowledge.v1 import knowledge_pb2_grpc
from onenumbers_knowledge import convert, convert_search
from onenumbers_knowledge.collection import Collection, Outcome
from onenumbers_knowledge.index.filters import Filters
from onenumbers_knowledge.search.duplicates import duplicates_of
from onenumbers_runtime.server import Service

_DEFAULT_LIMIT = 10
_DEFAULT_PAGE, _LARGEST_PAGE = 100, 1_000
_PAGE_BYTES = 3 * 1024 * 1024
"""Texts of one page together: a page ends early rather than being lost on the way."""


class KnowledgeServicer(knowledge_pb2_grpc.KnowledgeServiceServicer):
    """Serves the documents of a collection.

    Args:
        collection: The documents.
    """

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def IngestDocument(self, request: pb.IngestDocumentRequest, context: Any) -> pb.IngestDocumentResponse:  # noqa: ARG002
        """Adds a document, or a new version of one."""
        info, outcome = await self._collection.ingest(convert.new_document(request))
        alike = [] if outcome is Outcome.UNCHANGED else await duplicates_of(info, self._collection)
        return pb.IngestDocumentResponse(
            document=convert.document_info(info),
            outcome=convert.OUTCOMES[outcome],
            duplicates=convert.duplicates(alike),
        )

    async def SemanticSearch(self, request: pb.SemanticSearchRequest, context: Any) -> pb.SemanticSearchResponse:  # noqa: ARG002
        """Finds the passages that answer a query best."""
        asked = convert_search.search(request)
        return convert_search.response(asked, await self._collection.find(asked))

    async def RetrieveByCategory(
        self,
        request: pb.RetrieveByCategoryRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.RetrieveByCategoryResponse:
        """Lists the documents of a category with their texts."""
        limit = request.limit if request.HasField("limit") else _DEFAULT_LIMIT
        after, filters = convert.after(request.page_token), convert_search.filters(request, [request.category])
        if filters == Filters(categories=filters.categories):
            infos, total = await self._collection.page(after=after, limit=limit + 1, category=request.category)
            found = [info.document_id for info in infos]
        else:
            found, total = await self._collection.look(
                lambda index: index.documents_of(filters, after=after, limit=limit + 1)
            )
        response = pb.RetrieveByCategoryResponse(total=total)
        used = 0
        for document_id in found[:limit]:
            document = convert.document(await self._collection.get(document_id))
            used += document.ByteSize()
            if response.documents and used > _PAGE_BYTES:
                break
            response.documents.append(document)
        if len(response.documents) < len(found):
            response.next_page_token = convert.page_token(response.documents[-1].info.document_id)
        return response

    async def GetDocumentStats(self, request: pb.GetDocumentStatsRequest, context: Any) -> pb.GetDocumentStatsResponse:  # noqa: ARG002
        """Counts what the knowledge base holds."""
        counts = await self._collection.counts(request.category)
        model, dimensions, vectors = self._collection.index_state()
        response = pb.GetDocumentStatsResponse(
            documents=counts.documents,
            passages=counts.passages,
            characters=counts.characters,
            documents_by_category=counts.by_category,
            documents_by_source=counts.by_source,
            embedding_model=model,
            dimensions=dimensions,
            index_kind=self._collection.index_kind(),
            index_vectors=vectors,
            store_bytes=await self._collection.store_bytes(),
        )
        if counts.last_updated is not None:
            response.last_updated.CopyFrom(convert.timestamp(counts.last_updated))
        return response

    async def GetDocument(self, request: pb.GetDocumentRequest, context: Any) -> pb.GetDocumentResponse:  # noqa: ARG002
        """Returns one document with its text."""
        return pb.GetDocumentResponse(document=convert.document(await self._collection.get(request.document_id)))

    async def ListDocuments(self, request: pb.ListDocumentsRequest, context: Any) -> pb.ListDocumentsResponse:  # noqa: ARG002
        """Lists documents without their texts."""
        size = min(request.page_size or _DEFAULT_PAGE, _LARGEST_PAGE)
        infos, total = await self._collection.page(
            after=convert.after(request.page_token), limit=size + 1, category=request.category, source=request.source
        )
        response = pb.ListDocumentsResponse(
            documents=[convert.document_info(info) for info in infos[:size]], total=total
        )
        if len(infos) > size:
            response.next_page_token = convert.page_token(infos[size - 1].document_id)
        return response

    async def DeleteDocument(self, request: pb.DeleteDocumentRequest, context: Any) -> pb.DeleteDocumentResponse:  # noqa: ARG002
        """Deletes a document and its passages."""
        info, passages = await self._collection.delete(request.document_id)
        return pb.DeleteDocumentResponse(document=convert.document_info(info), passages_deleted=passages)


def knowledge_service(servicer: KnowledgeServicer) -> Service:
    """Returns the service to register with a server."""
    return Service(
        full_name=pb.DESCRIPTOR.services_by_name["KnowledgeService"].full_name,
        add=knowledge_pb2_grpc.add_KnowledgeServiceServicer_to_server,
        servicer=servicer,
    )
