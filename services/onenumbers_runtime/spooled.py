"""Files that arrive in pieces: kept on the disk without a name, so that nothing is left of them whatever happens."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import IO, Any, Final, Self

from onenumbers_runtime.errors import ResourceExhaustedError, UnavailableError, invalid

MAX_ARRIVING: Final = 16
"""Files that may arrive in pieces at once: each takes room on the disk."""


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


class Arrivals:
    """The files that arrive at a server in pieces now.

    Args:
        max_bytes: Size of a file at most.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.count = 0
        """Files on their way, and those that are not answered yet."""

    @contextmanager
    def receiving(self) -> Iterator[SpooledFile]:
        """Yields the file that takes the pieces of an upload; it is gone when the context is left.

        Raises:
            ResourceExhaustedError: Too many files arrive at once.
        """
        if self.count >= MAX_ARRIVING:
            raise ResourceExhaustedError(
                f"{MAX_ARRIVING} files are arriving already", reason="UPLOADS_WAITING", retry_after=2.0
            )
        self.count += 1
        try:
            with SpooledFile(self._max_bytes) as spooled:
                yield spooled
        finally:
            self.count -= 1


async def take(requests: AsyncIterator[Any], into: SpooledFile, *, described: str) -> Any:
    """Keeps the pieces of a stream; returns the one message in it that says what they are.

    Args:
        requests: Messages with a oneof `part` of the bytes `chunk` and of that message.
        into: Takes the pieces.
        described: Name of the field that holds the message.

    Raises:
        InvalidArgumentError: The message is missing, or came twice.
        ResourceExhaustedError: The file is larger than it may be.
        UnavailableError: The disk is full.
    """
    found: Any = None
    async for request in requests:
        if request.WhichOneof("part") == "chunk":
            await into.write(request.chunk)
        elif found is not None:
            raise invalid(described, "came twice: a stream holds one file", rule=f"{described}.once")
        else:
            found = getattr(request, described)
    if found is None:
        raise invalid(described, "is missing: the stream says nowhere what the file is", rule=f"{described}.required")
    return found


def too_large(max_bytes: int) -> ResourceExhaustedError:
    """Returns the error for a file that is larger than it may be."""
    return ResourceExhaustedError(
        f"the file is larger than the {max_bytes} bytes that an upload may have",
        reason="FILE_TOO_LARGE",
        metadata={"limit_bytes": str(max_bytes)},
    )
