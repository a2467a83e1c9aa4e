"""The servicer of KnowledgeUploadService: converts, hands the file on, converts back."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format

from onenumbers.knowledge.v1 import upload_pb2 as pb
from onenumbers.knowledge.v1 import upload_pb2_grpc
from onenumbers_knowledge import convert
from onenumbers_knowledge.upload import Upload, Uploader
from onenumbers_runtime.errors import invalid
from onenumbers_runtime.server import Service


class UploadServicer(upload_pb2_grpc.KnowledgeUploadServiceServicer):
    """Serves uploads into a collection.

    Args:
        uploader: Reads the files.
    """

    def __init__(self, uploader: Uploader) -> None:
        self._uploader = uploader

    async def UploadDocument(self, request: pb.UploadDocumentRequest, context: Any) -> pb.UploadDocumentResponse:  # noqa: ARG002, N802
        """Reads a file and ingests its documents."""
        try:
            metadata: dict[str, Any] = json_format.MessageToDict(request.metadata)
        except ValueError:
            raise invalid("metadata", "holds a number that is not finite", rule="metadata.json") from None
        uploaded = await self._uploader.upload(
            Upload(
                filename=request.filename,
                content=request.content,
                content_type=request.content_type,
                category=request.category,
                source=request.source,
                document_id=request.document_id,
                metadata=metadata,
            )
        )
        return pb.UploadDocumentResponse(
            documents=[
                pb.UploadedDocument(document=convert.document_info(info), outcome=convert.OUTCOMES[outcome])
                for info, outcome in uploaded.documents
            ],
            warnings=uploaded.warnings,
        )


def upload_service(servicer: UploadServicer) -> Service:
    """Returns the service to register with a server."""
    return Service(
        full_name=pb.DESCRIPTOR.services_by_name["KnowledgeUploadService"].full_name,
        add=upload_pb2_grpc.add_KnowledgeUploadServiceServicer_to_server,
        servicer=servicer,
    )
