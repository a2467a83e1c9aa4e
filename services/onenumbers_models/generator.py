"""Text by a GGUF model, token by token, off the event loop. One answer at a time; others wait in a short queue."""

from __future__ import annotations

import asyncio
import codecs
import ctypes
import re
import threading
from collections.abc import AsyncGenerator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self

from onenumbers_models.errors import ModelError
from onenumbers_models.native import Model
from onenumbers_models.sources import ResolvedModel
from onenumbers_runtime.errors import InvalidArgumentError, ResourceExhaustedError

MAX_WAITING = 8
"""Answers that are written or wait at once; more are refused."""
_CHUNK = 128
"""Tokens of a prompt that are read before a cancellation is looked for."""
_PENALTY_LAST, _PENALTY = 128, 1.1
"""Small models repeat themselves without it."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Generator(Protocol):
    """Writes answers."""

    @property
    def model_id(self) -> str:
        """Name of the model."""
        ...

    @property
    def context_length(self) -> int:
        """Tokens of prompt and answer together."""
        ...

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Returns the tokens of a conversation as the model reads it."""
        ...

    def generate(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        stop: Sequence[str] = (),
    ) -> AsyncGenerator[str, None]:
        """Yields the answer piece by piece. Leaving the iteration stops the model within one token.

        Raises:
            InvalidArgumentError: The conversation leaves no room for an answer.
            ResourceExhaustedError: Too many answers wait already.
        """
        ...

    async def close(self) -> None:
        """Frees the model."""
        ...


@dataclass(slots=True)
class _Job:
    tokens: list[int]
    max_tokens: int
    temperature: float
    seed: int
    stop: tuple[str, ...]
    cancelled: threading.Event


class LlamaGenerator:
    """A Generator in llama.cpp. Made by `load`."""

    def __init__(self, model_id: str, model: Model, *, context_length: int, threads: int) -> None:
        self.model_id = model_id
        self.context_length = min(context_length, model.trained_context)
        self._model = model
        words = [word for word in model.control_words() if len(word) > 1]
        self._control = re.compile("|".join(map(re.escape, words))) if words else None
        self._context = model.context(tokens=self.context_length, batch=512, threads=threads, embeddings=False)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="generator")
        self._waiting = 0
        self._jobs: set[threading.Event] = set()
        self._closed = False

    @classmethod
    async def load(cls, model: ResolvedModel, *, context_length: int, threads: int) -> Self:
        """Loads a model. Prove it safe first (onenumbers_models.probe).

        Raises:
            ModelError: It cannot be loaded.
        """
        return await asyncio.to_thread(
            lambda: cls(model.model_id, Model(model.path), context_length=context_length, threads=threads)
        )

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Returns the tokens of a conversation as the model reads it."""
        return len(self._prompt(messages))

    async def generate(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        stop: Sequence[str] = (),
    ) -> AsyncGenerator[str, None]:
        """Yields the answer piece by piece."""
        tokens = self._prompt(messages)
        room = self.context_length - len(tokens)
        if room < 1:
            raise InvalidArgumentError(
                f"the prompt has {len(tokens)} tokens, the model {self.model_id} reads {self.context_length} "
                "with its answer",
                reason="PROMPT_TOO_LONG",
                metadata={"tokens": str(len(tokens)), "limit": str(self.context_length)},
            )
        if self._waiting >= MAX_WAITING:
            raise ResourceExhaustedError(
                f"{self._waiting} answers are being written or wait already", reason="MODEL_BUSY", retry_after=5.0
            )
        job = _Job(tokens, min(max_tokens, room), temperature, seed, tuple(stop), threading.Event())
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[str | None] = asyncio.Queue()  # bounded by max_tokens

        def run() -> None:
            try:
                for piece in self._write(job):
                    loop.call_soon_threadsafe(pieces.put_nowait, piece)
            finally:
                loop.call_soon_threadsafe(pieces.put_nowait, None)

        self._waiting += 1
        self._jobs.add(job.cancelled)
        future = loop.run_in_executor(self._executor, run)
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            await future
        finally:
            job.cancelled.set()
            self._jobs.discard(job.cancelled)
            self._waiting -= 1

    async def close(self) -> None:
        """Cancels what runs and frees the model."""
        if self._closed:
            return
        self._closed = True
        for cancelled in self._jobs:
            cancelled.set()
        await asyncio.to_thread(self._executor.shutdown)
        self._model.lib.llama_free(self._context)
        self._model.close()

    def _prompt(self, messages: Sequence[ChatMessage]) -> list[int]:
        """Returns the conversation's tokens, by the chat template that the model carries."""
        lib = self._model.lib
        template = lib.llama_model_chat_template(self._model.pointer, None)
        encoded = [(item.role.encode(), self._plain(item.content).encode(errors="replace")) for item in messages]
        chat = (lib.llama_chat_message * len(encoded))(*(lib.llama_chat_message(*item) for item in encoded))
        room = 2 * sum(len(role) + len(content) for role, content in encoded) + 1024
        buffer = ctypes.create_string_buffer(room)
        count = lib.llama_chat_apply_template(template or b"chatml", chat, len(encoded), True, buffer, room)
        if not 0 <= count <= room:
            raise ModelError(f"the chat template of {self.model_id} is not understood")
        return self._model.tokenize(buffer.raw[:count].decode("utf-8", errors="replace"), special=True)

    def _plain(self, content: str) -> str:
        """Returns a message in which no text is read as a control token: a passage must not pose as the system."""
        if self._control is None:
            return content
        return self._control.sub(lambda found: f"{found[0][0]} {found[0][1:]}", content)

    def _write(self, job: _Job) -> Iterator[str]:
        """Reads the prompt and yields text; runs in the worker thread."""
        lib = self._model.lib
        lib.llama_memory_clear(lib.llama_get_memory(self._context), True)
        for start in range(0, len(job.tokens), _CHUNK):
            if job.cancelled.is_set():
                return
            self._decode(job.tokens[start : start + _CHUNK])
        sampler = self._sampler(job)
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        held = ""
        try:
            for _ in range(job.max_tokens):
                token = lib.llama_sampler_sample(sampler, self._context, -1)
                if job.cancelled.is_set() or lib.llama_vocab_is_eog(self._model.vocabulary, token):
                    break
                held += decoder.decode(self._model.piece(token))
                cut = min((held.find(word) for word in job.stop if word in held), default=-1)
                if cut >= 0:
                    held = held[:cut]
                    break
                # What may be the beginning of a stop string waits for the rest of it.
                keep = max((_overlap(held, word) for word in job.stop), default=0)
                if len(held) > keep:
                    yield held[: len(held) - keep]
                    held = held[len(held) - keep :]
                self._decode([token])
            held += decoder.decode(b"", final=True)
            if held:
                yield held
        finally:
            lib.llama_sampler_free(sampler)

    def _decode(self, tokens: Sequence[int]) -> None:
        lib = self._model.lib
        buffer = (lib.llama_token * len(tokens))(*tokens)
        if lib.llama_decode(self._context, lib.llama_batch_get_one(buffer, len(tokens))) != 0:
            raise ModelError(f"the model {self.model_id} failed")

    def _sampler(self, job: _Job) -> Any:
        lib = self._model.lib
        words = lib.llama_vocab_n_tokens(self._model.vocabulary)
        penalties = lib.llama_sampler_init_penalties(words, _PENALTY_LAST, _PENALTY, 0.0, 0.0)
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        lib.llama_sampler_chain_add(chain, penalties)
        if job.temperature <= 0:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_greedy())
            return chain
        lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_top_k(40))
        lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_top_p(0.95, 1))
        lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_temp(job.temperature))
        lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_dist(job.seed & 0xFFFFFFFF))
        return chain


def _overlap(text: str, word: str) -> int:
    """Returns how many characters at the end of `text` begin `word`."""
    return next((size for size in range(min(len(text), len(word) - 1), 0, -1) if text.endswith(word[:size])), 0)
