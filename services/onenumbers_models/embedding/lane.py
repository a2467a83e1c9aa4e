"""A queue of texts in front of a model: texts of several callers share a batch, and who leaves frees his places."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from onenumbers_runtime.errors import ResourceExhaustedError, UnavailableError
from onenumbers_runtime.precedence import Precedence

BATCH_TOKENS = 256
"""Tokens after which a batch is full. More gain nothing: attention skips what is of another text, but still looks at
it (bench/embedding.py --batches), and who comes next waits for the whole batch."""

SHORT_BATCH_TOKENS = 64
"""The same in the background while others come now and then: a batch that has begun is not interrupted."""

_NICEST: Final = 19
_NICE: Final = 10
"""What is added to the nice value of the process: the p99 of searches beside bulk ingestion fell from 64 to 52 ms, and
the ingestion became 6 % slower (bench/ingestion.py, 2,000 documents)."""


class Computes(Protocol):
    """Where vectors are computed (context.EmbeddingContext)."""

    def vectors(self, texts: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]: ...  # noqa: D102


class _Call:
    """Texts of one caller, and what was made of them."""

    def __init__(self, texts: Sequence[str], loop: asyncio.AbstractEventLoop) -> None:
        self.waiting = deque(enumerate(texts))
        self.left = len(texts)
        self.vectors: list[NDArray[np.float32]] = [np.empty(0, dtype=np.float32)] * len(texts)
        self.done: asyncio.Future[list[NDArray[np.float32]]] = loop.create_future()
        self.ended = False
        self._loop = loop

    def end(self, error: Exception | None) -> None:
        """Tells the caller from the lane's thread."""
        self.ended = True

        def tell() -> None:
            if self.done.done():
                return
            if error is None:
                self.done.set_result(self.vectors)
            else:
                self.done.set_exception(error)

        # A loop that is closed has nobody left to be told.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(tell)


class _Text(NamedTuple):
    call: _Call
    place: int
    tokens: NDArray[np.int32]


class Lane:
    """Texts wait here, and a thread of its own computes them batch by batch, one text of each caller in turn.

    Args:
        name: Name of the thread.
        context: Where vectors are computed; nobody else uses it.
        tokenize: Returns the tokens of a text; raises what its caller is told.
        places: Texts that wait at once; more are refused.
        batch_texts: Texts of one batch at most.
        behind: What goes before this lane where the processor is short; None where nothing does.
    """

    def __init__(
        self,
        name: str,
        context: Computes,
        *,
        tokenize: Callable[[str], NDArray[np.int32]],
        places: int,
        batch_texts: int,
        behind: Precedence | None = None,
    ) -> None:
        self._context, self._tokenize = context, tokenize
        self._places, self._batch_texts, self._behind = places, batch_texts, behind
        self._changed = threading.Condition()
        self._calls: deque[_Call] = deque()
        self._waiting = 0
        self._held: _Text | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Texts that are not done yet."""
        return self._waiting

    async def vectors(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Returns one vector per text. Texts of a caller who is cancelled are not computed any more.

        Raises:
            ResourceExhaustedError: Too many texts wait already.
            UnavailableError: The lane is closed.
        """
        call = _Call(texts, asyncio.get_running_loop())
        with self._changed:
            if self._closing:
                raise UnavailableError("the embedding model is being unloaded", reason="EMBEDDER_CLOSED")
            if self._waiting + len(texts) > self._places:
                raise ResourceExhaustedError(
                    f"{self._waiting} texts wait to be embedded already", reason="EMBEDDER_BUSY", retry_after=2.0
                )
            self._waiting += call.left
            self._calls.append(call)
            self._changed.notify()
        try:
            return await call.done
        finally:
            with self._changed:
                self._forget(call)

    def close(self) -> None:
        """Ends after the batch that is being computed; who waits is told so. Blocks until then."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _forget(self, call: _Call) -> None:
        call.ended = True
        self._waiting -= call.left
        call.left = 0
        with contextlib.suppress(ValueError):
            self._calls.remove(call)

    def _serve(self) -> None:
        if self._behind is not None and sys.platform == "linux":
            # Linux alone has a priority for each thread.
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, min(_NICEST, os.getpriority(os.PRIO_PROCESS, thread) + _NICE))
        while True:
            with self._changed:
                while not (self._calls or self._held or self._closing):
                    self._changed.wait()
                if self._closing:
                    for call in self._calls:
                        call.end(UnavailableError("the embedding model is being unloaded", reason="EMBEDDER_CLOSED"))
                    if self._held is not None:
                        self._held.call.end(
                            UnavailableError("the embedding model is being unloaded", reason="EMBEDDER_CLOSED")
                        )
                    return
            if self._behind is not None:
                self._behind.wait()
            batch = self._batch()
            if batch:
                self._compute(batch)

    def _batch(self) -> list[_Text]:
        """Returns the texts of the next batch."""
        short = self._behind is not None and self._behind.recent
        full = SHORT_BATCH_TOKENS if short else BATCH_TOKENS
        batch: list[_Text] = []
        used = 0
        while (text := self._next()) is not None:
            if batch and (used + len(text.tokens) > full or len(batch) == self._batch_texts):
                self._held = text
                break
            batch.append(text)
            used += len(text.tokens)
        return batch

    def _next(self) -> _Text | None:
        """Returns the next text of the caller whose turn it is; None where nobody waits."""
        held, self._held = self._held, None
        if held is not None and not held.call.ended:
            return held
        while True:
            with self._changed:
                if not self._calls:
                    return None
                call = self._calls.popleft()
                place, text = call.waiting.popleft()
                if call.waiting:
                    self._calls.append(call)
            try:
                return _Text(call, place, self._tokenize(text))
            except Exception as error:  # noqa: BLE001 - whatever it is, its caller is told, and the thread lives on
                self._fail(call, error)

    def _compute(self, batch: list[_Text]) -> None:
        try:
            found = self._context.vectors([text.tokens for text in batch])
        except Exception as error:  # noqa: BLE001 - as above
            for text in batch:
                self._fail(text.call, error)
            return
        with self._changed:
            for text, vector in zip(batch, found, strict=True):
                call = text.call
                if call.ended:
                    continue
                call.vectors[text.place] = vector
                call.left -= 1
                self._waiting -= 1
                if call.left == 0:
                    call.end(None)

    def _fail(self, call: _Call, error: Exception) -> None:
        with self._changed:
            if call.ended:
                return
            self._forget(call)
            call.end(error)
