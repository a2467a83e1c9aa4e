"""Text by a GGUF model, off the event loop: many answers at once, each piece as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Protocol, Self

from onenumbers_models.errors import ModelError
from onenumbers_models.generation.batching import SequenceContext
from onenumbers_models.generation.jobs import Event, Job
from onenumbers_models.generation.prompts import ChatPrompt
from onenumbers_models.generation.requests import ChatMessage, Completion, GenerationOptions, JsonResult, Priority
from onenumbers_models.generation.scheduler import Scheduler
from onenumbers_models.generation.statistics import GenerationStatistics
from onenumbers_models.grammar.structured import parse_json, schema_grammar
from onenumbers_models.native import Model
from onenumbers_models.weights.sources import ResolvedModel

__all__ = ["ChatMessage", "Generator", "LlamaGenerator"]

_BATCH = 512
"""Tokens of a step at most."""


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
        priority: Priority = "interactive",
        deadline_s: float | None = None,
    ) -> AsyncGenerator[str, None]:
        """Yields the answer piece by piece. Leaving the iteration frees its place within one step.

        Raises:
            InvalidArgumentError: The conversation leaves no room for an answer, or an option is wrong.
            ResourceExhaustedError: Too many requests wait already.
            DeadlineExceededError: `deadline_s` passed.
            UnavailableError: The model's process is down.
        """
        ...

    async def generate_json(
        self,
        messages: Sequence[ChatMessage],
        schema: Mapping[str, Any],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        priority: Priority = "interactive",
        deadline_s: float | None = None,
    ) -> JsonResult:
        """Returns a value that follows a JSON Schema.

        Raises:
            InvalidArgumentError: Also where the schema has what no grammar is made of; names its path.
            ResourceExhaustedError: Also where the value did not end within `max_tokens`.
        """
        ...

    def statistics(self) -> GenerationStatistics:
        """Returns the present statistics."""
        ...

    async def close(self) -> None:
        """Frees the model."""
        ...


class StreamingGenerator(ABC):
    """What every generator makes of one stream of events."""

    @abstractmethod
    def events(
        self, messages: Sequence[ChatMessage], options: GenerationOptions
    ) -> AsyncGenerator[str | Completion, None]:
        """Yields the pieces of an answer, and at last how it ended."""

    async def generate(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        stop: Sequence[str] = (),
        priority: Priority = "interactive",
        deadline_s: float | None = None,
    ) -> AsyncGenerator[str, None]:
        """Yields the answer piece by piece."""
        options = GenerationOptions(
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            stop=tuple(stop),
            priority=priority,
            deadline_s=deadline_s,
        )
        async with aclosing(self.events(messages, options)) as events:
            async for event in events:
                if isinstance(event, str):
                    yield event

    async def generate_json(
        self,
        messages: Sequence[ChatMessage],
        schema: Mapping[str, Any],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        priority: Priority = "interactive",
        deadline_s: float | None = None,
    ) -> JsonResult:
        """Returns a value that follows a JSON Schema."""
        options = GenerationOptions(
            max_tokens=max_tokens,
            temperature=temperature,
            # Quotes and braces repeat in every value: a penalty would only bend what stands between them.
            repeat_penalty=1.0,
            seed=seed,
            grammar=schema_grammar(schema),
            priority=priority,
            deadline_s=deadline_s,
        )
        text = ""
        async with aclosing(self.events(messages, options)) as events:
            async for event in events:
                if isinstance(event, Completion):
                    return parse_json(text, event)
                text += event
        raise ModelError("the model ended without saying how")


class LlamaGenerator(StreamingGenerator):
    """A Generator in llama.cpp in this process. Made by `load`."""

    def __init__(
        self,
        model_id: str,
        model: Model,
        *,
        context_length: int,
        threads: int,
        slots: int = 8,
        queue: int = 32,
        memory: int = 0,
        kept_prompts: int = 16,
    ) -> None:
        self.model_id = model_id
        self.context_length = min(context_length, model.trained_context)
        self._model = model
        self._prompt = ChatPrompt(model, model_id=model_id, context_length=self.context_length)
        context = SequenceContext(
            model,
            cells=max(memory or 2 * self.context_length, self.context_length),
            batch=max(_BATCH, slots),
            slots=slots,
            kept=kept_prompts,
            threads=threads,
        )
        self._scheduler = Scheduler(model, context, slots=slots, max_waiting=queue)
        self._closed = False

    @classmethod
    async def load(cls, model: ResolvedModel, *, context_length: int, threads: int, **limits: int) -> Self:
        """Loads a model. Prove it safe first (onenumbers_models.process.probe).

        Args:
            model: The file.
            context_length: Tokens of prompt and answer together.
            threads: Threads of llama.cpp.
            limits: `slots` (answers at once), `queue` (requests that wait), `memory` (tokens held in all; 0 is twice
                the context) and `kept_prompts`.

        Raises:
            ModelError: It cannot be loaded.
        """
        return await asyncio.to_thread(cls._make, model, context_length, threads, limits)

    @classmethod
    def _make(cls, model: ResolvedModel, context_length: int, threads: int, limits: dict[str, int]) -> Self:
        loaded = Model(model.path, repack=model.repack, adapter=model.adapter)
        try:
            return cls(model.model_id, loaded, context_length=context_length, threads=threads, **limits)
        except BaseException:
            loaded.close()
            raise

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Returns the tokens of a conversation as the model reads it."""
        return len(self._prompt.tokens(messages))

    def statistics(self) -> GenerationStatistics:
        """Returns the present statistics."""
        return self._scheduler.statistics()

    async def events(
        self, messages: Sequence[ChatMessage], options: GenerationOptions
    ) -> AsyncGenerator[str | Completion, None]:
        """Yields the pieces of an answer, and at last how it ended."""
        options.check()
        tokens = self._prompt.fitting(messages)
        options = replace(options, max_tokens=min(options.max_tokens, self.context_length - len(tokens)))
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Event] = asyncio.Queue()  # bounded by max_tokens

        def sink(event: Event) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
                loop.call_soon_threadsafe(queue.put_nowait, event)

        job = Job(tokens, options, sink, submitted=time.monotonic())
        self._scheduler.submit(job)
        ended = False
        try:
            while not ended:
                event = await queue.get()
                ended = not isinstance(event, str)
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            if not ended:
                self._scheduler.cancel(job)

    async def close(self) -> None:
        """Ends what runs and frees the model."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._scheduler.close)
        self._model.close()
