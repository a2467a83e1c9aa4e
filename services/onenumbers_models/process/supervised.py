"""A Generator whose model lives in a process of its own: native code that crashes takes no server down.

The process is started again with growing pauses; meanwhile calls get UNAVAILABLE, and `serving` is false.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import signal
import socket
import sys
import time
from asyncio import StreamReader, StreamWriter, Task
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from typing import Any, Self

import structlog

from onenumbers_models.errors import ModelError, ModelUnsafeError
from onenumbers_models.generation.generator import StreamingGenerator
from onenumbers_models.generation.prompts import ChatPrompt
from onenumbers_models.generation.requests import ChatMessage, Completion, GenerationOptions, encode_messages
from onenumbers_models.generation.statistics import GenerationStatistics
from onenumbers_models.native import Model
from onenumbers_models.process.wire import LINE_LIMIT, decode_event, encode, receive
from onenumbers_models.settings import ModelSettings
from onenumbers_models.weights.repack import safe_variant
from onenumbers_models.weights.sources import ResolvedModel
from onenumbers_runtime.errors import UnavailableError

log = structlog.get_logger()

Listener = Callable[[bool, str], None]
"""Told whether the model serves now, and why not."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 30.0
_SOUND_S = 60.0
"""A process that ran this long begins anew with the first pause."""
_LOAD_S = 300.0
"""A load that takes longer is given up."""
_STALL_S = 180.0
"""A step that takes longer ends the process."""


class SupervisedGenerator(StreamingGenerator):
    """A Generator in llama.cpp in a child process. Made by `load`."""

    def __init__(self, model: ResolvedModel, settings: ModelSettings, vocabulary: Model) -> None:
        self.model_id = model.model_id
        self.context_length = settings.generation_context
        """Tokens of prompt and answer together; the process says how many the model reads."""
        self.serving = False
        self.reason = "the model is still being loaded"
        """Why it does not serve."""
        self.restarts = 0
        """Starts of the process after the first."""
        self._plain, self._model = model, model
        """The file as it is, and how it is loaded."""
        self._options: dict[str, Any] = {
            "model_id": model.model_id,
            "context_length": self.context_length,
            "threads": settings.model_threads,
            "slots": settings.generation_slots,
            "queue": settings.generation_queue,
            "memory": settings.generation_memory,
            "kept_prompts": settings.generation_kept_prompts,
            "stall_s": _STALL_S,
        }
        self._vocabulary = vocabulary
        self._prompt = self._prompter()
        self._numbers = itertools.count(1)
        self._pending: dict[int, asyncio.Queue[str | Completion | Exception]] = {}
        self._statistics = GenerationStatistics()
        self._listeners: list[Listener] = []
        self._process: Process | None = None
        self._writer: StreamWriter | None = None
        self._retry_at = 0.0
        self._supervising: Task[None] | None = None
        self._closed = False

    @classmethod
    async def load(cls, model: ResolvedModel, settings: ModelSettings) -> Self:
        """Starts the process and returns once it serves. Prove the model safe first (onenumbers_models.process.probe).

        The vocabulary alone is read in this process too, for counting tokens.

        Raises:
            ModelUnsafeError: The process crashed or took too long.
            ModelError: The model cannot be loaded.
        """
        vocabulary = await asyncio.to_thread(Model, model.path, vocabulary_only=True)
        made = cls(model, settings, vocabulary)
        try:
            if settings.generation_repack:
                made._model = await safe_variant(model, data_dir=settings.data_dir, threads=settings.model_threads)
            reader = await made._start()
        except BaseException:
            await made.close()
            raise
        made._supervising = asyncio.create_task(made._supervise(reader), name="model-process")
        return made

    @property
    def process_id(self) -> int | None:
        """Of the model's process, while there is one."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    def on_change(self, listener: Listener) -> None:
        """Has `listener` told now, and whenever the model begins or ceases to serve."""
        self._listeners.append(listener)
        listener(self.serving, self.reason)

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Returns the tokens of a conversation as the model reads it."""
        return len(self._prompt.tokens(messages))

    def statistics(self) -> GenerationStatistics:
        """Returns the statistics as the process last reported them: at most a second old; from 0 after a restart."""
        return self._statistics

    async def events(
        self, messages: Sequence[ChatMessage], options: GenerationOptions
    ) -> AsyncGenerator[str | Completion, None]:
        """Yields the pieces of an answer, and at last how it ended.

        Raises:
            UnavailableError: The process is down, or goes down before the answer ends.
        """
        options.check()
        tokens = self._prompt.fitting(messages)
        options = replace(options, max_tokens=min(options.max_tokens, self.context_length - len(tokens)))
        if not self.serving:
            raise self._unavailable()
        number = next(self._numbers)
        queue = self._pending[number] = asyncio.Queue()  # bounded by max_tokens
        self._send(
            {"op": "generate", "id": number, "messages": encode_messages(messages), "options": options.to_wire()}
        )
        ended = False
        try:
            while not ended:
                event = await queue.get()
                ended = not isinstance(event, str)
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            del self._pending[number]
            if not ended:
                self._send({"op": "cancel", "id": number})

    async def close(self) -> None:
        """Ends the process and frees the vocabulary. Safe to call again."""
        if self._closed:
            return
        self._closed = True
        self._down("the model is being closed")
        if self._supervising is not None:
            self._supervising.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervising
        await self._end()
        self._vocabulary.close()

    async def _supervise(self, reader: StreamReader) -> None:
        """Passes on what the process says; starts it again when it ends."""
        pauses = itertools.count()
        started = time.monotonic()
        while True:
            await self._listen(reader)
            why = await self._end()
            if time.monotonic() - started > _SOUND_S:
                pauses = itertools.count()
            self._model = self._plain  # what rearranged weights may have had to do with it is not tried twice
            self._down(why)
            log.error("model_process_ended", model=self.model_id, reason=why)
            while True:
                pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(next(pauses), 20))
                self._retry_at = time.monotonic() + pause
                await asyncio.sleep(pause)
                started = time.monotonic()
                try:
                    self.restarts += 1
                    reader = await self._start()
                    break
                except (ModelError, OSError) as error:
                    self._down(str(error))
                    log.error("model_process_not_started", model=self.model_id, reason=str(error))

    async def _start(self) -> StreamReader:
        """Starts the process and waits until it has loaded the model."""
        model = self._model
        where = {"path": str(model.path), "adapter": str(model.adapter or ""), "repack": model.repack}
        task = json.dumps(self._options | where)
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *(
                        sys.executable,
                        "-m",
                        "onenumbers_models.process.worker",
                        str(theirs.fileno()),
                        task,
                    ),
                    pass_fds=(theirs.fileno(),),
                    stdin=asyncio.subprocess.DEVNULL,
                )
            except BaseException:
                ours.close()
                raise
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=LINE_LIMIT)
        try:
            async with asyncio.timeout(_LOAD_S):
                said = await receive(reader)
        except TimeoutError:
            await self._end()
            raise ModelUnsafeError(f"{self.model_id} was not loaded within {_LOAD_S:g} s") from None
        if said is None:
            raise ModelUnsafeError(await self._end())
        if "failed" in said:
            await self._end()
            raise ModelError(said["failed"])
        # Known only where the weights are: a vocabulary alone does not say it.
        self.context_length = int(said["ready"]["context_length"])
        self._prompt = self._prompter()
        self.serving, self.reason = True, ""
        self._statistics = GenerationStatistics()
        log.info("model_process_ready", model=self.model_id, process=self._process.pid, restarts=self.restarts)
        self._tell()
        return reader

    async def _listen(self, reader: StreamReader) -> None:
        while (message := await receive(reader)) is not None:
            if "statistics" in message:
                self._statistics = GenerationStatistics.from_wire(message["statistics"])
            elif (queue := self._pending.get(message["id"])) is not None:
                queue.put_nowait(decode_event(message))

    async def _end(self) -> str:
        """Ends the process where it still runs; returns how it ended, in words."""
        process, writer = self._process, self._writer
        self._writer = None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        if process is None:
            return "the model's process was not started"
        crashed = True
        if process.returncode is None:
            try:
                # One that crashes has closed its socket and is about to be gone: its own status says more than ours.
                await asyncio.wait_for(process.wait(), timeout=0.0 if self._closed else 2.0)
            except TimeoutError:
                crashed = False
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        status = process.returncode or 0
        if not crashed:
            return "the model's process was ended"
        if status < 0:
            return f"the model's process crashed: {signal.Signals(-status).name}"
        return f"the model's process ended with status {status}"

    def _prompter(self) -> ChatPrompt:
        return ChatPrompt(self._vocabulary, model_id=self.model_id, context_length=self.context_length)

    def _down(self, reason: str) -> None:
        """Ends all waiting calls."""
        changed = self.serving or self.reason != reason
        self.serving, self.reason = False, reason
        for queue in self._pending.values():
            queue.put_nowait(self._unavailable())
        if changed:
            self._tell()

    def _unavailable(self) -> UnavailableError:
        wait = max(0.1, self._retry_at - time.monotonic())
        return UnavailableError(
            f"{self.model_id} is not there now: {self.reason}", reason="MODEL_DOWN", retry_after=round(wait, 2)
        )

    def _tell(self) -> None:
        for listener in self._listeners:
            listener(self.serving, self.reason)

    def _send(self, message: dict[str, Any]) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(encode(message))
