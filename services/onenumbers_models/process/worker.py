"""The model's process: owns the model, answers over a socket, and ends when the server does.

Usage: `python -m onenumbers_models.process.worker FD MODEL_AS_JSON` (started by onenumbers_models.process.supervised)
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import json
import os
import signal
import socket
import sys
import time
from asyncio import StreamReader, StreamWriter
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from onenumbers_models.errors import ModelError
from onenumbers_models.generation.generator import LlamaGenerator
from onenumbers_models.generation.requests import GenerationOptions, decode_messages
from onenumbers_models.generation.statistics import GenerationStatistics
from onenumbers_models.process.wire import LINE_LIMIT, encode, encode_event, receive
from onenumbers_models.weights.sources import ResolvedModel
from onenumbers_runtime import logs
from onenumbers_runtime.errors import MeshError
from onenumbers_runtime.settings import MeshSettings

log = structlog.get_logger()

_REPORT_S = 0.5
"""Time between two reports of the statistics, where they changed."""
STALLED = 86
"""Exit status of a process that ended itself because llama.cpp did not come back."""


class Worker:
    """Serves one connection.

    Args:
        stall_s: Seconds that one step may take; after them the process ends itself.
    """

    def __init__(self, reader: StreamReader, writer: StreamWriter, *, stall_s: float) -> None:
        self._reader, self._writer = reader, writer
        self._stall_s = stall_s
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def serve(self, generator: LlamaGenerator) -> None:
        """Serves until the server is gone."""
        self._send({"ready": {"context_length": generator.context_length}})
        reporting = asyncio.create_task(self._report(generator))
        try:
            while (message := await receive(self._reader)) is not None:
                number = int(message["id"])
                if message["op"] == "generate":
                    task = asyncio.create_task(self._answer(generator, number, message))
                    self._tasks[number] = task
                    task.add_done_callback(partial(self._forget, number))
                elif number in self._tasks:
                    self._tasks[number].cancel()
        finally:
            reporting.cancel()

    async def fail(self, reason: str) -> None:
        """Says why there is no model."""
        self._send({"failed": reason})
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    async def _answer(self, generator: LlamaGenerator, number: int, message: dict[str, Any]) -> None:
        try:
            options = GenerationOptions.from_wire(message["options"])
            async with aclosing(generator.events(decode_messages(message["messages"]), options)) as events:
                async for event in events:
                    self._send(encode_event(number, event))
        except (MeshError, ModelError) as error:
            self._send(encode_event(number, error))
        except Exception as error:
            log.exception("generation_failed")
            self._send(encode_event(number, error))

    def _forget(self, number: int, _: asyncio.Task[None]) -> None:
        self._tasks.pop(number, None)

    async def _report(self, generator: LlamaGenerator) -> None:
        """Reports the statistics, and ends the process where a step does not come back: no thread can be ended."""
        sent: GenerationStatistics | None = None
        steps, since = 0, time.monotonic()
        while True:
            now = generator.statistics()
            if now != sent:
                self._send({"statistics": now.to_wire()})
                sent = now
            if now.steps != steps or not now.running:
                steps, since = now.steps, time.monotonic()
            elif time.monotonic() - since > self._stall_s:
                log.error("model_stalled", seconds=self._stall_s)
                os._exit(STALLED)
            await asyncio.sleep(_REPORT_S)

    def _send(self, message: dict[str, Any]) -> None:
        # Not awaited: what an answer may hold is bounded, and so is how many there are.
        if not self._writer.is_closing():
            self._writer.write(encode(message))


async def _run(descriptor: int, options: dict[str, Any]) -> int:
    connection = socket.socket(fileno=descriptor)
    reader, writer = await asyncio.open_connection(sock=connection, limit=LINE_LIMIT)
    worker = Worker(reader, writer, stall_s=float(options.pop("stall_s")))
    adapter = options.pop("adapter")
    model = ResolvedModel(
        path=Path(options.pop("path")),
        model_id=options.pop("model_id"),
        adapter=Path(adapter) if adapter else None,
        repack=options.pop("repack"),
    )
    loading = asyncio.create_task(LlamaGenerator.load(model, **options))
    # The server says nothing before the model is there: what comes until then is its end.
    gone = asyncio.create_task(receive(reader))
    await asyncio.wait({loading, gone}, return_when=asyncio.FIRST_COMPLETED)
    if not loading.done():
        os._exit(0)  # the server is gone, and a load cannot be stopped
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    try:
        generator = await loading
    except ModelError as error:
        await worker.fail(str(error))
        return 1
    await worker.serve(generator)
    return 0


def main(arguments: list[str]) -> int:
    """Returns the exit status: 0 after the server has gone, 1 where the model cannot be loaded."""
    faulthandler.enable()
    # A terminal's Ctrl-C and a service manager's SIGTERM reach all processes; the server decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    logs.configure(MeshSettings.load(), server="model")
    status = asyncio.run(_run(int(arguments[0]), json.loads(arguments[1])))
    sys.stderr.flush()
    # Without the interpreter's own end: it would wait for the step that is under way.
    os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1:])
