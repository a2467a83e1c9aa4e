"""The servicer of KnowledgeUploadService: converts, hands the file on, converts back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from google.protobuf import json_format

from onenumbers.knowledge.v1 import upload_pb2 as pb
from onenumbers.knowledge.v1 import upload_pb2_grpc
from onenumbers_knowledge import convert
from onenumbers_knowledge.ingestion.upload import Upload, Uploaded, Uploader
from onenumbers_runtime.errors import invalid
from onenumbers_runtime.server import Service
from onenumbers_runtime.spooled import SpooledFile, take


class UploadServicer(upload_pb2_grpc.KnowledgeUploadServiceServicer):
    """Serves uploads into a collection.

    Args:
        uploader: Reads the files.
    """

    def __init__(self, uploader: Uploader) -> None:
        self._uploader = uploader

    async def UploadDocument(self, request: pb.UploadDocumentRequest, context: Any) -> pb.UploadDocumentResponse:  # noqa: ARG002, N802
        """Reads a file and ingests its documents."""
        uploaded = await self._uploader.upload(_upload(request, request.content))
        return pb.UploadDocumentResponse(documents=_documents(uploaded), warnings=uploaded.warnings)

    async def UploadFile(  # noqa: N802 - named after the contract
        self,
        request_iterator: AsyncIterator[pb.UploadFileRequest],
        context: Any,  # noqa: ARG002
    ) -> pb.UploadFileResponse:
        """Takes a file in pieces, reads it and ingests its documents."""
        with self._uploader.arrivals.receiving() as received:
            described: pb.UploadedFile = await take(request_iterator, received, described="file")
            if not received.size:
                raise invalid("chunk", "is missing: the file is empty", rule="content.empty")
            uploaded = await self._uploader.upload(_upload(described, received))
        return pb.UploadFileResponse(documents=_documents(uploaded), warnings=uploaded.warnings)


def _upload(told: pb.UploadDocumentRequest | pb.UploadedFile, content: bytes | SpooledFile) -> Upload:
    """Returns a file as the request tells of it.

    Raises:
        InvalidArgumentError: Its metadata are not JSON.
    """
    try:
        metadata: dict[str, Any] = json_format.MessageToDict(told.metadata)
    except ValueError:
        raise invalid("metadata", "holds a number that is not finite", rule="metadata.json") from None
    return Upload(
        filename=told.filename,
        content=content,
        content_type=told.content_type,
        category=told.category,
        source=told.source,
        document_id=told.document_id,
        metadata=metadata,
    )


def _documents(uploaded: Uploaded) -> Iterator[pb.UploadedDocument]:
    for info, outcome, alike in uploaded.documents:
        yield pb.UploadedDocument(
            document=convert.document_info(info),
            outcome=convert.OUTCOMES[outcome],
            duplicates=convert.duplicates(alike),
        )


def upload_service(servicer: UploadServicer) -> Service:
    """Returns the service to register with a server."""
    return Service(
        full_name=pb.DESCRIPTOR.services_by_name["KnowledgeUploadService"].full_name,
        add=upload_pb2_grpc.add_KnowledgeUploadServiceServicer_to_server,
        servicer=servicer,
    )
