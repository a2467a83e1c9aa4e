"""Contract to domain and back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp

from onenumbers.knowledge.v1 import knowledge_pb2 as pb
from onenumbers_knowledge.documents import Document, DocumentInfo, NewDocument
from onenumbers_knowledge.ingestion.writing import Outcome
from onenumbers_knowledge.search.duplicates import Duplicate
from onenumbers_runtime.errors import invalid

OUTCOMES = {
    Outcome.CREATED: pb.INGEST_OUTCOME_CREATED,
    Outcome.UPDATED: pb.INGEST_OUTCOME_UPDATED,
    Outcome.UNCHANGED: pb.INGEST_OUTCOME_UNCHANGED,
}


def new_document(request: pb.IngestDocumentRequest) -> NewDocument:
    """Returns the document of a request.

    Raises:
        InvalidArgumentError: The metadata holds a number that JSON has not.
    """
    try:
        metadata: dict[str, Any] = json_format.MessageToDict(request.metadata)
    except ValueError:
        raise invalid("metadata", "holds a number that is not finite", rule="metadata.json") from None
    return NewDocument(
        title=request.title,
        content=request.content,
        category=request.category,
        source=request.source or "modern",
        document_id=request.document_id,
        school=request.school,
        numbers=tuple(request.numbers),
        language=request.language or "en",
        metadata=metadata,
    )


def document_info(info: DocumentInfo) -> pb.DocumentInfo:
    """Returns what is known of a document as a message."""
    message = pb.DocumentInfo(
        document_id=info.document_id,
        title=info.title,
        category=info.category,
        source=info.source,
        school=info.school,
        numbers=info.numbers,
        language=info.language,
        version=info.version,
        content_hash=info.content_hash,
        characters=info.characters,
        passages=info.passages,
        updated=timestamp(info.updated),
        created=timestamp(info.created),
    )
    message.metadata.update(dict(info.metadata))
    return message


def document(stored: Document) -> pb.Document:
    """Returns a document as a message."""
    return pb.Document(info=document_info(stored.info), content=stored.content)


def timestamp(moment: datetime) -> Timestamp:
    """Returns a time of the store, UTC without zone, as a message."""
    message = Timestamp()
    message.FromDatetime(moment.replace(tzinfo=UTC))
    return message


def page_token(last_id: str) -> str:
    """Returns the token of the page after a document."""
    return base64.urlsafe_b64encode(f"after:{last_id}".encode()).decode().rstrip("=")


def after(token: str) -> str:
    """Returns the id that a page begins after; the first page begins after none.

    Raises:
        InvalidArgumentError: The token was not given out here.
    """
    if not token:
        return ""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        text = ""
    # A zero is no character of an id, and none that a database takes.
    if not text.startswith("after:") or "\0" in text:
        raise invalid("page_token", "is not one that this server gave out", rule="page_token.known")
    return text.removeprefix("after:")


def duplicates(found: Iterable[Duplicate]) -> list[pb.DuplicateDocument]:
    """Returns documents of nearly the same text as messages."""
    return [
        pb.DuplicateDocument(document_id=item.document_id, likeness=item.likeness, same_content=item.same_content)
        for item in found
    ]
