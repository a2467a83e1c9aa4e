"""The way in: files as documents, parsed in a child process with a deadline and a memory limit."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from onenumbers_documents.model import Columns, DocumentError, Limits, Note, ParsedDocument
from onenumbers_documents.wire import LARGEST_FRAME, LENGTH, item_of, packed

_WORKER = "onenumbers_documents.worker"
_READ = 256 * 1024
_START_S = 30.0
"""Seconds that the process may take to start beside the time for the file."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody sent."""

    name: str
    """As the sender calls it; never opened."""
    data: bytes | IO[bytes]
    """Its bytes, or a file of them, which is read from its beginning."""
    media_type: str = ""

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self.data) if isinstance(self.data, bytes) else self.data.seek(0, os.SEEK_END)


class Reader:
    """Reads files one after another. Its process starts with the first one and again after one that ended it.

    Not for several threads at once. A context manager: the process ends with it.

    Args:
        limits: What a file may cost.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits if limits is not None else Limits()
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = bytearray()
        self._busy = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process. Safe to call again; the next file starts another one."""
        process, self._process = self._process, None
        self._buffer.clear()
        self._busy = False
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        process.wait()

    def abort(self) -> None:
        """Ends the process from another thread; who reads from it gets a DocumentError."""
        process = self._process
        if process is not None:
            process.kill()

    def read(
        self, source: Path | Upload, *, columns: Columns | None = None
    ) -> Generator[ParsedDocument | Note, None, None]:
        """Yields the documents of a file as they are read, and what should be known of it.

        Args:
            source: A file, or what was uploaded.
            columns: Which columns of a table are what.

        Raises:
            DocumentError: It is too large, cannot be read, or costs more than the limits allow. One line, without
                the file's name.
        """
        request: dict[str, Any] = {"columns": dataclasses.asdict(columns or Columns())}
        data: bytes | IO[bytes] = b""
        if isinstance(source, Upload):
            data, size = source.data, source.size
            request |= {"name": source.name, "media_type": source.media_type, "size": size}
        else:
            size = _size(source)
            request |= {"name": _shown(source.name), "media_type": "", "path": os.fsencode(source.absolute()).hex()}
        if size > self.limits.max_bytes:
            raise DocumentError(
                f"has {-(-size // 2**20)} MiB, at most {self.limits.max_bytes // 2**20} MiB may be: it was not read"
            )
        # Somebody who left the file before in the middle must not get its rest.
        if self._busy:
            self.close()
        self._busy = True
        try:
            yield from self._items(packed(request), data)
        except (DocumentError, GeneratorExit):
            raise
        except BaseException:
            self.close()
            raise

    def _items(self, request: bytes, data: bytes | IO[bytes]) -> Iterator[ParsedDocument | Note]:
        left = self.limits.deadline_s + (_START_S if self._process is None else 0.0)
        process = self._started()
        sender = threading.Thread(target=_send, args=(process, request, data), daemon=True)
        sender.start()
        while True:
            message = self._message(process, left)
            # A table goes on as long as its rows come.
            left = self.limits.deadline_s
            try:
                item = item_of(message)
            except DocumentError:
                self._busy = False
                raise
            if item is None:
                self._busy = False
                return
            yield item

    def _started(self) -> subprocess.Popen[bytes]:
        process = self._process
        if process is not None and process.poll() is None:
            return process
        self.close()
        self._busy = True
        self._process = subprocess.Popen(  # noqa: S603 - our own module, on the interpreter that runs this
            [sys.executable, "-P", "-m", _WORKER, json.dumps(dataclasses.asdict(self.limits))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        return self._process

    def _message(self, process: subprocess.Popen[bytes], seconds: float) -> dict[str, Any]:
        """Returns the next frame.

        Raises:
            DocumentError: None came in time, or the process ended.
        """
        end = time.monotonic() + seconds
        length = LENGTH.unpack(self._bytes(process, LENGTH.size, end))[0]
        if length > LARGEST_FRAME:
            self.close()
            raise DocumentError("holds a document that is too large")
        message: dict[str, Any] = json.loads(self._bytes(process, length, end))
        return message

    def _bytes(self, process: subprocess.Popen[bytes], count: int, end: float) -> bytes:
        pipe = process.stdout
        assert pipe is not None  # noqa: S101 - it was asked for
        while len(self._buffer) < count:
            # Not select(): a server may hold more than 1,024 files open.
            poll = select.poll()
            poll.register(pipe, select.POLLIN)
            if not poll.poll(max(0.0, end - time.monotonic()) * 1000):
                self.close()
                raise DocumentError(f"took more than {self.limits.deadline_s:g} s to read")
            part = os.read(pipe.fileno(), _READ)
            if not part:
                status = process.wait()
                self.close()
                raise DocumentError(_ended(status))
            self._buffer += part
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


def _send(process: subprocess.Popen[bytes], request: bytes, data: bytes | IO[bytes]) -> None:
    """Hands the file over while the answers are read: neither side waits for the other with a full pipe."""
    pipe = process.stdin
    # A process that ended is told by its other pipe.
    with contextlib.suppress(OSError, ValueError):
        assert pipe is not None  # noqa: S101 - it was asked for
        pipe.write(request)
        if isinstance(data, bytes):
            pipe.write(data)
        else:
            data.seek(0)
            shutil.copyfileobj(data, pipe, _READ)
        pipe.flush()


def _size(path: Path) -> int:
    try:
        status = path.stat()
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise DocumentError("is not a file")
    return status.st_size


def _shown(name: str) -> str:
    return name.encode(errors="replace").decode()


def _ended(status: int) -> str:
    if status < 0:
        return f"ended the process that read it (signal {-status}): it is damaged, or needs too much memory"
    return f"ended the process that read it (status {status}): it is damaged, or needs too much memory"


def _environment() -> dict[str, str]:
    """The child finds our modules where this process does; secrets of the environment are none of its business."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(part for part in sys.path if part), "PYTHONUTF8": "1"}
