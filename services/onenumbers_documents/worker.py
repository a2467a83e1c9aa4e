"""The child process that parses: files in, documents out, until its parent closes the pipe.

Started by `reader.Reader`, never by hand. It limits its own memory before the first file.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

from onenumbers_documents.model import Columns, DocumentError, Limits
from onenumbers_documents.parse import parse
from onenumbers_documents.wire import LENGTH, frame_of, packed

_SPARE_S = 10.0
_IN_MEMORY = 8 * 1024 * 1024
"""Bytes of a file that are kept in memory at most."""
_PIECE = 256 * 1024


def main() -> None:
    """Answers requests until standard input ends."""
    # Ctrl-C on a terminal reaches the whole group; the parent decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests = sys.stdin.buffer
    # What a parser prints must not get between the frames.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    logging.disable(logging.CRITICAL)
    limits = Limits(**json.loads(sys.argv[1]))
    _limit_memory(limits.memory_bytes)
    while (request := _request(requests)) is not None:
        _limit_time(limits)
        try:
            _answer(request, answers, limits)
        except BrokenPipeError:
            return
        signal.setitimer(signal.ITIMER_PROF, 0)


def _limit_memory(size: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard))
    # A crash of native code leaves no core file behind.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_time(limits: Limits) -> None:
    """A parent that was killed cannot end this process at the deadline: then the kernel does, by processor time."""
    signal.setitimer(signal.ITIMER_PROF, 2 * limits.deadline_s + _SPARE_S)


def _request(requests: BinaryIO) -> dict[str, Any] | None:
    head = requests.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    request: dict[str, Any] = json.loads(requests.read(LENGTH.unpack(head)[0]))
    if "size" in request:
        request["data"] = _received(requests, request["size"])
    return request


def _received(requests: BinaryIO, size: int) -> IO[bytes] | OSError:
    """Returns the bytes that follow a request, large ones in a file; or why they cannot be kept.

    All of them are read in either case: the next request begins behind them.
    """
    kept: IO[bytes] | OSError = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - its user closes it
    while size > 0 and (piece := requests.read(min(size, _PIECE))):
        size -= len(piece)
        if not isinstance(kept, OSError):
            try:
                kept.write(piece)
            except OSError as error:
                kept.close()
                kept = error
    return kept


def _answer(request: dict[str, Any], answers: BinaryIO, limits: Limits) -> None:
    last: dict[str, Any] = {"end": True}
    try:
        with _opened(request) as file:
            columns = Columns(**request["columns"])
            for item in parse(
                file, name=request["name"], media_type=request["media_type"], columns=columns, limits=limits
            ):
                answers.write(frame_of(item))
                answers.flush()
                _limit_time(limits)
    except DocumentError as error:
        last = {"error": str(error)}
    except MemoryError:
        last = {"error": f"needs more than {limits.memory_bytes // 2**20} MiB of memory to be read"}
    except BrokenPipeError:
        raise
    except OSError as error:
        last = {"error": f"cannot be read: {error.strerror or type(error).__name__}"}
    except RecursionError:
        last = {"error": "is nested too deeply"}
    except Exception as error:  # noqa: BLE001 - no file may end the process; the kind of the error is all that is told
        last = {"error": f"cannot be parsed ({type(error).__name__})"}
    answers.write(packed(last))
    answers.flush()


@contextmanager
def _opened(request: dict[str, Any]) -> Iterator[BinaryIO]:
    if "data" in request:
        data = request.pop("data")
        if isinstance(data, OSError):
            raise data
        with data:
            data.seek(0)
            yield data
        return
    with Path(os.fsdecode(bytes.fromhex(request["path"]))).open("rb") as file:
        yield file


if __name__ == "__main__":
    main()
