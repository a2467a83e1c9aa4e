"""Snapshots: the whole collection as one archive, with checksums, and back.

An archive is gzip over lines of JSON: a header, one line for each document with its passages and vectors, the ids of
the starter corpus's documents that were deleted, and an end that counts. A truncated or altered archive is refused
before anything changes; the collection is replaced in one transaction.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select

from onenumbers_knowledge.documents import CATEGORIES, SOURCES
from onenumbers_knowledge.storage.store import Store
from onenumbers_knowledge.storage.tables import documents, passages, removed
from onenumbers_runtime.errors import FailedPreconditionError, InvalidArgumentError, invalid

CHUNK = 1024 * 1024
"""Bytes of a chunk at most."""
FORMAT = "onenumbers-knowledge-snapshot"
VERSION = 1
_LONGEST_LINE = 64 * 1024 * 1024
"""Bytes of a line at most: a document of a million characters with its vectors has a tenth of that."""
_GZIP = 16 + zlib.MAX_WBITS
_COLUMNS = ("id", "title", "content", "category", "source", "school", "numbers", "language", "metadata", "version")
_HASHES = ("content_hash", "record_hash")
_LONGEST = {"id": 100, "school": 100, "language": 35, "content_hash": 64, "record_hash": 64}
"""Characters that the store has room for; the contract lets no more in."""
_LARGEST_VERSION = 2**31


@dataclass(frozen=True, slots=True)
class Sums:
    """What an archive holds."""

    documents: int
    passages: int


async def export(store: Store, *, model: str, dimensions: int) -> AsyncGenerator[tuple[bytes, str], None]:
    """Yields the archive in chunks of at most 1 MiB; the last one comes with the SHA-256 of the whole.

    It is one moment of the collection: a read transaction stays open until the end, and writers go on beside it.

    Args:
        store: What is written out.
        model: Model of the vectors; passages of other models are left out.
        dimensions: Length of a vector.
    """
    packer, digest, held = zlib.compressobj(6, zlib.DEFLATED, _GZIP), hashlib.sha256(), bytearray()
    async with aclosing(_lines(store, model, dimensions)) as lines:
        async for line in lines:
            held += packer.compress(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            while len(held) > CHUNK:
                chunk = bytes(held[:CHUNK])
                del held[:CHUNK]
                digest.update(chunk)
                yield chunk, ""
    held += packer.flush()
    while len(held) > CHUNK:
        chunk = bytes(held[:CHUNK])
        del held[:CHUNK]
        digest.update(chunk)
        yield chunk, ""
    digest.update(held)
    yield bytes(held), digest.hexdigest()


async def _lines(store: Store, model: str, dimensions: int) -> AsyncGenerator[dict[str, Any], None]:
    yield {"format": FORMAT, "version": VERSION, "model": model, "dimensions": dimensions}
    counted = [0, 0]
    async with store.reading_one_moment() as connection:
        last = ""
        while True:
            chosen = select(documents).where(documents.c.id > last).order_by(documents.c.id).limit(20)
            rows = (await connection.execute(chosen)).all()
            for row in rows:
                found = select(passages).where(passages.c.document_id == row.id, passages.c.model == model)
                pieces = (await connection.execute(found.order_by(passages.c.position))).all()
                counted = [counted[0] + 1, counted[1] + len(pieces)]
                yield {
                    **{name: getattr(row, name) for name in (*_COLUMNS, *_HASHES)},
                    "created": row.created.isoformat(),
                    "updated": row.updated.isoformat(),
                    "passages": [
                        [item.section, item.start, item.end, base64.b64encode(item.vector).decode()] for item in pieces
                    ],
                }
            if not rows:
                break
            last = rows[-1].id
        yield {"removed": sorted((await connection.execute(select(removed.c.id))).scalars())}
    yield {"end": True, "documents": counted[0], "passages": counted[1]}


def checked(path: Path, *, model: str, dimensions: int) -> Sums:
    """Reads an archive to its end and returns what it holds; nothing is kept in memory.

    Raises:
        InvalidArgumentError: It is damaged, or no snapshot.
        FailedPreconditionError: Its vectors are of another model.
    """
    lines = _read(path)
    header = next(lines, {})
    if header.get("format") != FORMAT or header.get("version") != VERSION:
        raise _damaged("is not a snapshot of this version")
    if header.get("model") != model or header.get("dimensions") != dimensions:
        raise FailedPreconditionError(
            f"the snapshot's vectors are of the model {header.get('model')!r}, this server uses {model!r}",
            reason="SNAPSHOT_MODEL",
        )
    counted, before, ended = [0, 0], "", False
    for line in lines:
        if ended:
            raise _damaged("goes on after its end")
        if line.get("end") is True:
            ended = line.get("documents") == counted[0] and line.get("passages") == counted[1]
            if not ended:
                raise _damaged("does not hold what its end counts")
        elif "removed" in line:
            _check_removed(line["removed"])
        else:
            _check_document(line, dimensions, before)
            before = line["id"]
            counted = [counted[0] + 1, counted[1] + len(line["passages"])]
    if not ended:
        raise _damaged("has no end: it was cut off")
    return Sums(*counted)


async def replace(store: Store, path: Path, *, model: str) -> None:
    """Puts the documents of a checked archive in the place of all that are there, in one transaction."""
    async with store.replacing(model) as connection:
        for table in (passages, documents, removed):
            await connection.execute(delete(table))
        for line in _read(path):
            if "removed" in line:
                for identifier in line["removed"]:
                    await connection.execute(insert(removed).values(id=identifier))
            elif "id" in line:
                values = {name: line[name] for name in (*_COLUMNS, *_HASHES)}
                values |= {name: datetime.fromisoformat(line[name]) for name in ("created", "updated")}
                values |= {"characters": len(line["content"]), "passages": len(line["passages"])}
                await connection.execute(insert(documents).values(values))
                rows = [
                    {
                        "document_id": line["id"],
                        "position": position,
                        "section": section,
                        "start": start,
                        "end": end,
                        "model": model,
                        "vector": base64.b64decode(vector),
                    }
                    for position, (section, start, end, vector) in enumerate(line["passages"])
                ]
                if rows:
                    await connection.execute(insert(passages), rows)


def _read(path: Path) -> Iterator[dict[str, Any]]:
    """Yields the lines of an archive; memory is bounded by the longest line."""
    unpacker, held = zlib.decompressobj(_GZIP), bytearray()
    try:
        with path.open("rb") as file:
            while packed := file.read(CHUNK):
                # Not more than a chunk at a time comes out, however tightly it was packed.
                while packed and not unpacker.eof:
                    held += unpacker.decompress(packed, CHUNK)
                    packed = unpacker.unconsumed_tail
                    *lines, rest = held.split(b"\n")
                    held = bytearray(rest)
                    if len(held) > _LONGEST_LINE:
                        raise _damaged("has a line without end")
                    for line in lines:
                        yield _object(line)
        if not unpacker.eof or unpacker.unused_data or held:
            raise _damaged("was cut off, or goes on after its end")
    except zlib.error:
        raise _damaged("is not gzip, or damaged") from None


def _object(line: bytes | bytearray) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        raise _damaged("holds a line that is not JSON") from None
    if not isinstance(found, dict):
        raise _damaged("holds a line that is no object")
    return found


def _check_document(line: dict[str, Any], dimensions: int, before: str) -> None:
    try:
        texts = ("id", "title", "content", "category", "source", "school", "numbers", "language", "metadata")
        whole = all(isinstance(line[name], str) for name in (*texts, *_HASHES)) and isinstance(line["version"], int)
        whole = whole and not any("\0" in line[name] for name in texts) and 0 < line["version"] < _LARGEST_VERSION
        whole = whole and all(len(line[name]) <= most for name, most in _LONGEST.items())
        whole = whole and before < line["id"] and line["category"] in CATEGORIES and line["source"] in SOURCES
        whole = whole and hashlib.sha256(line["content"].encode()).hexdigest() == line["content_hash"]
        whole = (
            whole and isinstance(json.loads(line["numbers"]), list) and isinstance(json.loads(line["metadata"]), dict)
        )
        datetime.fromisoformat(line["created"])
        datetime.fromisoformat(line["updated"])
        for section, start, end, vector in line["passages"]:
            size = len(base64.b64decode(vector, validate=True))
            whole = whole and isinstance(section, str) and 0 <= start < end <= len(line["content"])
            whole = whole and size == 4 * dimensions
    except (KeyError, TypeError, ValueError, binascii.Error):
        whole = False
    if not whole:
        raise _damaged("holds a document that is not whole")


def _check_removed(found: Any) -> None:
    ids = found if isinstance(found, list) else [None]
    if not all(isinstance(one, str) and len(one) <= _LONGEST["id"] and "\0" not in one for one in ids):
        raise _damaged("holds ids that are none")
    if len(set(ids)) != len(ids):
        raise _damaged("holds an id twice")


def _damaged(what: str) -> InvalidArgumentError:
    return invalid("chunk", f"the archive {what}", rule="snapshot.whole")
