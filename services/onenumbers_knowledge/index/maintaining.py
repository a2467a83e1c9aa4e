"""Snapshots of a collection: from the wire to a file, from a file into the store, and back."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.storage import snapshots
from onenumbers_runtime.errors import InvalidArgumentError, UnavailableError, invalid


async def import_snapshot(collection: Collection, chunks: AsyncIterator[tuple[bytes, str]]) -> snapshots.Sums:
    """Replaces the collection by an archive; nothing has changed where this raises.

    Args:
        collection: What is replaced.
        chunks: Bytes of the archive in order; the last ones come with the SHA-256 of the whole.

    Raises:
        InvalidArgumentError: The archive is damaged, no snapshot, or not what its checksum says.
        FailedPreconditionError: Its vectors are of another model.
        UnavailableError: The disk is full.
    """
    with tempfile.TemporaryDirectory(prefix="onenumbers-snapshot-") as folder:
        path = Path(folder) / "snapshot"
        try:
            await _kept(path, chunks)
        except OSError as error:
            raise UnavailableError(
                "the snapshot cannot be kept: is the disk full?", reason="SNAPSHOT_NOT_KEPT"
            ) from error
        return await collection.replace_all(path)


async def _kept(path: Path, chunks: AsyncIterator[tuple[bytes, str]]) -> None:
    """Writes the chunks to a file and compares their checksum."""
    digest, told = hashlib.sha256(), ""
    with path.open("wb") as file:
        async for chunk, checksum in chunks:
            if told:
                raise invalid("checksum", "came before the last chunk", rule="snapshot.checksum")
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
            told = checksum
    if not told:
        raise InvalidArgumentError(
            "the stream ended without a checksum: the snapshot was cut off", reason="SNAPSHOT_CUT_OFF"
        )
    if told.lower() != digest.hexdigest():
        raise invalid("checksum", "is not that of the chunks: the archive is damaged", rule="snapshot.checksum")
