"""The generation model: loaded in the background, after a child process has proven it safe."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from onenumbers_models.errors import ModelError
from onenumbers_models.generation.generator import Generator
from onenumbers_models.generation.statistics import GenerationStatistics
from onenumbers_models.process.probe import prove
from onenumbers_models.process.supervised import Listener, SupervisedGenerator
from onenumbers_models.settings import ModelSettings
from onenumbers_models.weights.sources import resolve

log = structlog.get_logger()


class ModelSlot:
    """Holds the model, or why there is none."""

    def __init__(self, generator: Generator | None = None, *, reason: str = "the model is still being loaded") -> None:
        self.generator = generator
        self.reason = "" if generator is not None else reason
        self.settled = asyncio.Event()
        """Set once the model is there, or it is clear that it will not be."""
        self._serving: Listener | None = None
        self._supervised: SupervisedGenerator | None = None
        if generator is not None:
            self.settled.set()

    def on_serving(self, listener: Listener) -> None:
        """Has a listener told, from now on, whether the model serves, and why not."""
        self._serving = listener
        listener(self.generator is not None, self.reason)

    def follow(self, generator: SupervisedGenerator) -> None:
        """Passes on what the generator says of itself."""
        self._supervised = generator
        generator.on_change(self._changed)

    def statistics(self) -> GenerationStatistics | None:
        """Returns the statistics of the model's process; None while there is none."""
        return self._supervised.statistics() if self._supervised is not None else None

    def restarts(self) -> int:
        """Returns how often the model's process was started again."""
        return self._supervised.restarts if self._supervised is not None else 0

    def _changed(self, serving: bool, reason: str) -> None:
        if self._serving is not None:
            self._serving(serving, reason)


@asynccontextmanager
async def loading_model(settings: ModelSettings) -> AsyncIterator[ModelSlot]:
    """Yields a slot at once and loads the model into it; whatever goes wrong ends in the slot's reason."""
    slot = ModelSlot()
    task = asyncio.create_task(_load(slot, settings), name="load-model")
    try:
        yield slot
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        if slot.generator is not None:
            await slot.generator.close()


async def _load(slot: ModelSlot, settings: ModelSettings) -> None:
    try:
        model = await asyncio.to_thread(resolve, settings.generation_model, data_dir=settings.data_dir)
        if model is None:
            slot.reason = "MCP_GENERATION_MODEL is none"
            return
        await prove(model, "generation", data_dir=settings.data_dir, threads=settings.model_threads)
        generator = await SupervisedGenerator.load(model, settings)
        slot.generator = generator
        slot.follow(generator)
        slot.reason = ""
        log.info("generation_model_loaded", model=model.model_id)
    except ModelError as error:
        slot.reason = str(error)
        log.error("generation_model_unusable", reason=str(error))
    except Exception:
        slot.reason = "the model could not be loaded: see the server's log"
        log.exception("generation_model_failed")
    finally:
        slot.settled.set()
