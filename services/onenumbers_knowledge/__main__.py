"""Runs the knowledge server: `python -m onenumbers_knowledge`."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import structlog

from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.loading import load_embedder, load_with_progress
from onenumbers_knowledge.service import KnowledgeServicer, knowledge_service
from onenumbers_knowledge.settings import KnowledgeSettings
from onenumbers_knowledge.store import open_store
from onenumbers_models.errors import ModelError
from onenumbers_runtime.server import GrpcServer, StartupError, run
from onenumbers_runtime.settings import SettingsError

log = structlog.get_logger()

_RETRY_S = 30.0
"""Seconds after which a model that could not be loaded is tried again: a file may have come, memory been freed."""


async def serve(settings: KnowledgeSettings) -> None:
    """Serves until SIGTERM or SIGINT; NOT_SERVING until model, index and corpus are there."""
    with _only_one(settings):
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(open_store(settings.store_path))
            collection = Collection(store, index_path=settings.index_path)
            stack.push_async_callback(collection.close)
            server = await stack.enter_async_context(
                GrpcServer(
                    name="knowledge",
                    settings=settings,
                    services=[knowledge_service(KnowledgeServicer(collection))],
                    port=settings.port,
                )
            )
            loading = asyncio.create_task(_load(settings, collection, server, stack), name="load")
            try:
                await server.serve_until_signal()
            finally:
                loading.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await loading
                await server.drain()


async def _load(settings: KnowledgeSettings, collection: Collection, server: GrpcServer, stack: AsyncExitStack) -> None:
    """Loads model, index and corpus, then reports SERVING; without a model it keeps trying and says why."""
    while True:
        try:
            embedder = await load_embedder(settings)
        except ModelError as error:
            collection.not_ready = str(error)
            log.error("embedding_model_unusable", reason=str(error))
            await server.set_serving(False, reason=str(error))
            await asyncio.sleep(_RETRY_S)
            continue
        stack.push_async_callback(embedder.close)
        try:
            await collection.open(embedder)
            if settings.load_corpus:
                await load_with_progress(collection)
        except Exception:
            collection.not_ready = "loading failed: see the server's log"
            log.exception("loading_failed")
            return
        await server.set_serving(True)
        return


@contextmanager
def _only_one(settings: KnowledgeSettings) -> Iterator[None]:
    """Holds the store: a second process would not see the first one's index.

    Raises:
        StartupError: Another process holds it.
    """
    path = settings.store_path.with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartupError(
                f"another knowledge server uses {settings.store_path}: stop it, or set DATABASE_URL to another file"
            ) from None
        yield


def main() -> int:
    """Returns the exit status: 2 for settings that are wrong and for a taken port or store."""
    try:
        settings = KnowledgeSettings.load()
    except SettingsError as error:
        sys.stderr.write(f"knowledge: {error}\n")
        return 2
    return run(lambda: serve(settings), settings=settings, server="knowledge")


if __name__ == "__main__":
    sys.exit(main())
