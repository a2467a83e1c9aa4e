"""A file that arrives in pieces: kept on the disk without a name, so that nothing is left of it whatever happens."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from types import TracebackType
from typing import IO, Self

from onenumbers_runtime.errors import ResourceExhaustedError, UnavailableError


class SpooledFile:
    """Bytes in the order in which they came. A context manager: the file is gone with it, and with the process.

    Args:
        max_bytes: Size of the file at most.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._digest = hashlib.sha256()
        # It has no name from the start: a server that is killed leaves nothing behind.
        self.file: IO[bytes] = tempfile.TemporaryFile(prefix="onenumbers-upload-")  # noqa: SIM115 - closed on leaving
        self.size = 0
        """Bytes so far."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes so far, hexadecimal."""
        return self._digest.hexdigest()

    async def write(self, chunk: bytes) -> None:
        """Adds the next bytes.

        Raises:
            ResourceExhaustedError: The file is larger than it may be.
            UnavailableError: The disk is full.
        """
        self.size += len(chunk)
        if self.size > self._max_bytes:
            raise too_large(self._max_bytes)
        try:
            await asyncio.to_thread(self._add, chunk)
        except OSError as error:
            raise UnavailableError(
                "the file cannot be kept while it is read: is the disk full?", reason="FILE_NOT_KEPT"
            ) from error

    def _add(self, chunk: bytes) -> None:
        self.file.write(chunk)
        self._digest.update(chunk)


def too_large(max_bytes: int) -> ResourceExhaustedError:
    """Returns the error for a file that is larger than it may be."""
    return ResourceExhaustedError(
        f"the file is larger than the {max_bytes} bytes that an upload may have",
        reason="FILE_TOO_LARGE",
        metadata={"limit_bytes": str(max_bytes)},
    )
