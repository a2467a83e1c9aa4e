"""Uploaded files as documents of a collection: read in a child process, checked as a whole, then ingested."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from onenumbers_documents.identifiers import key_id
from onenumbers_documents.model import DocumentError, Limits, Note, ParsedDocument, file_name
from onenumbers_documents.reader import Reader
from onenumbers_documents.reader import Upload as SentFile
from onenumbers_knowledge.collection import Collection, Outcome
from onenumbers_knowledge.documents import CATEGORIES, SOURCES, DocumentInfo, NewDocument, check
from onenumbers_knowledge.search.duplicates import Duplicate, duplicates_of
from onenumbers_runtime.errors import FieldViolation, InvalidArgumentError, ResourceExhaustedError, invalid
from onenumbers_runtime.spooled import Arrivals, SpooledFile

MAX_DOCUMENTS = 200
"""Documents that one upload may hold: more take longer to embed than a call may last."""
MAX_WAITING = 8
"""Uploads that may wait for the one that is read."""
_SMALL = 4 * 1024 * 1024
"""Bytes up to which files are not counted as large: those are read and ingested one after another."""
_SHOWN_ROWS = 20


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent."""

    filename: str
    content: bytes | SpooledFile
    content_type: str = ""
    category: str = ""
    """What the file says itself when empty."""
    source: str = ""
    """What the file says itself when empty."""
    document_id: str = ""
    """Made from the content when empty."""
    metadata: Mapping[str, Any] | None = None

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.size

    @property
    def digest(self) -> str:
        """SHA-256 of the file, hexadecimal."""
        if isinstance(self.content, bytes):
            return hashlib.sha256(self.content).hexdigest()
        return self.content.digest


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What became of a file."""

    documents: list[tuple[DocumentInfo, Outcome, list[Duplicate]]]
    warnings: list[str]


class Uploader:
    """Reads uploaded files, one at a time, and ingests their documents. An async context manager.

    Args:
        collection: Where the documents go.
        limits: What a file may cost.
    """

    def __init__(self, collection: Collection, *, limits: Limits | None = None) -> None:
        self._collection = collection
        self._limits = limits if limits is not None else Limits()
        self.arrivals = Arrivals(self._limits.max_bytes)
        """Files that come in pieces."""
        self._reader = Reader(self._limits)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="uploads")
        self._turn = asyncio.Lock()
        self._large = asyncio.Lock()
        self._waiting = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.abort()
        await asyncio.to_thread(self._executor.shutdown)
        self._reader.close()

    async def upload(self, upload: Upload) -> Uploaded:
        """Ingests the documents of a file; either all of them pass the rules, or none is ingested.

        Raises:
            InvalidArgumentError: The file cannot be read, a row is broken, or a document breaks a rule.
            ResourceExhaustedError: Too many uploads wait.
            UnavailableError: No embedding model is loaded, or the store cannot be written.
        """
        if self._waiting >= MAX_WAITING:
            raise ResourceExhaustedError(
                f"{MAX_WAITING} uploads wait to be read already", reason="UPLOADS_WAITING", retry_after=2.0
            )
        if upload.size <= _SMALL:
            return await self._ingested(upload)
        # What a large file holds stays in memory until it is ingested: that of one at a time.
        async with self._large:
            return await self._ingested(upload)

    async def _ingested(self, upload: Upload) -> Uploaded:
        self._waiting += 1
        try:
            async with self._turn:
                items = await self._read(upload)
        finally:
            self._waiting -= 1
        documents, warnings = _documents(items, upload)
        for document in documents:
            check(document)
        return Uploaded(documents=[await self._kept(document) for document in documents], warnings=warnings)

    async def _kept(self, document: NewDocument) -> tuple[DocumentInfo, Outcome, list[Duplicate]]:
        info, outcome = await self._collection.ingest(document)
        return info, outcome, [] if outcome is Outcome.UNCHANGED else await duplicates_of(info, self._collection)

    async def _read(self, upload: Upload) -> list[ParsedDocument | Note]:
        reading = asyncio.get_running_loop().run_in_executor(self._executor, self._items, upload)
        try:
            return await asyncio.shield(reading)
        except asyncio.CancelledError:
            # Nobody waits for it any more: the next upload shall not either.
            self._reader.abort()
            await asyncio.wait([reading])
            reading.exception()
            raise

    def _items(self, upload: Upload) -> list[ParsedDocument | Note]:
        found: list[ParsedDocument | Note] = []
        content = upload.content if isinstance(upload.content, bytes) else upload.content.file
        items = self._reader.read(SentFile(upload.filename, content, upload.content_type))
        try:
            for item in items:
                found.append(item)
                if len(found) > 2 * MAX_DOCUMENTS:
                    break
        except DocumentError as error:
            raise invalid("content", f"{file_name(upload.filename)} {error}", rule="content.readable") from None
        finally:
            items.close()
        return found


def _documents(items: list[ParsedDocument | Note], upload: Upload) -> tuple[list[NewDocument], list[str]]:
    """Returns the documents to ingest and the warnings.

    Raises:
        InvalidArgumentError: Rows are broken, or there are too many or no documents.
    """
    name = file_name(upload.filename)
    refused = [item.text for item in items if isinstance(item, Note) and item.refused]
    if refused:
        raise InvalidArgumentError(
            f"content: {name}: {refused[0]}; nothing of the file was ingested",
            reason="INVALID_FIELD",
            violations=[FieldViolation("content", text, "content.rows") for text in refused[:_SHOWN_ROWS]],
        )
    parsed = [item for item in items if isinstance(item, ParsedDocument)]
    if len(parsed) > MAX_DOCUMENTS:
        raise invalid(
            "content",
            f"{name} holds more than {MAX_DOCUMENTS} documents: send it in pieces, or use BulkIngestDocuments",
            rule="content.max_documents",
        )
    if not parsed:
        raise invalid("content", f"{name} holds no documents", rule="content.empty")
    warnings = [item.text for item in items if isinstance(item, Note)]
    documents: dict[str, NewDocument] = {}
    for item in parsed:
        document = _new(item, upload)
        if document.identifier in documents:
            warnings.append(f"{item.title}: left out, an earlier row is the same document")
        else:
            documents[document.identifier] = document
    return list(documents.values()), warnings


def _new(item: ParsedDocument, upload: Upload) -> NewDocument:
    category = upload.category or item.category or "interpretation"
    source = upload.source or item.source or "modern"
    for field, value, known in (("category", category, CATEGORIES), ("source", source, SOURCES)):
        if value not in known:
            raise invalid(field, f"the file says {value!r}, which is none of {', '.join(known)}", rule=f"{field}.known")
    base = upload.document_id
    if not base and item.key.startswith("part-"):
        # Parts may be alike; what they are parts of tells them from each other.
        base = f"doc-{upload.digest[:16]}"
    return NewDocument(
        title=item.title,
        content=item.content,
        category=category,
        source=source,
        document_id=key_id(base, item.key) if base else "",
        school=item.school,
        numbers=item.numbers,
        language=item.language or "en",
        metadata={**item.metadata, **(upload.metadata or {})},
    )
