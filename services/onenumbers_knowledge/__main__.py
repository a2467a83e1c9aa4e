"""Runs the knowledge server: `python -m onenumbers_knowledge`; with `load` it only loads the starter corpus."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import structlog

from onenumbers_documents.model import Limits
from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.corpus_files import CorpusError
from onenumbers_knowledge.loading import load_embedder, load_previous, load_with_progress
from onenumbers_knowledge.maintenance_service import MaintenanceServicer, maintenance_service
from onenumbers_knowledge.service import KnowledgeServicer, knowledge_service
from onenumbers_knowledge.settings import KnowledgeSettings
from onenumbers_knowledge.store import Store, StoreError, open_store
from onenumbers_knowledge.upload import Uploader
from onenumbers_knowledge.upload_service import UploadServicer, upload_service
from onenumbers_models.errors import ModelError
from onenumbers_runtime.server import GrpcServer, StartupError, run
from onenumbers_runtime.settings import SettingsError

log = structlog.get_logger()

_RETRY_S = 30.0
"""Seconds after which a model that could not be loaded is tried again: a file may have come, memory been freed."""


async def serve(settings: KnowledgeSettings) -> None:
    """Serves until SIGTERM or SIGINT; NOT_SERVING until model, index and corpus are there."""
    async with _opened(settings) as store:
        collection = Collection(store, index_path=settings.index_path)
        async with AsyncExitStack() as stack:
            limits = Limits(max_bytes=settings.upload_max_bytes)
            uploader = await stack.enter_async_context(Uploader(collection, limits=limits))
            server = await stack.enter_async_context(
                GrpcServer(
                    name="knowledge",
                    settings=settings,
                    services=[
                        knowledge_service(KnowledgeServicer(collection)),
                        upload_service(UploadServicer(uploader)),
                        maintenance_service(MaintenanceServicer(collection)),
                    ],
                    port=settings.port,
                )
            )
            loading = asyncio.create_task(_load(settings, store, collection, server, stack), name="load")
            try:
                await server.serve_until_signal()
            finally:
                loading.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await loading
                await server.drain()
                # Before the embedder, which the stack closes: what is being split still counts tokens with it.
                await collection.close()


async def _load(
    settings: KnowledgeSettings, store: Store, collection: Collection, server: GrpcServer, stack: AsyncExitStack
) -> None:
    """Loads model, index and corpus, then reports SERVING; without a model it keeps trying and says why.

    After a change of the embedding model the one before serves until the documents are embedded anew.
    """
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
            previous = await load_previous(settings, store, embedder)
            if previous is not None:
                stack.push_async_callback(previous.close)
            await collection.open(embedder, spec=settings.embedding_model, previous=previous)
            if settings.load_corpus:
                await load_with_progress(collection)
        except Exception:
            collection.not_ready = "loading failed: see the server's log"
            log.exception("loading_failed")
            return
        await server.set_serving(True)
        if previous is not None:
            try:
                await collection.migrate(embedder, spec=settings.embedding_model)
            except Exception:
                # The previous model goes on serving; what was embedded is kept, and the next start goes on from there.
                log.exception("embedding_model_not_changed")
        return


async def load(settings: KnowledgeSettings) -> None:
    """Loads the starter corpus without serving, so that the first start finds it done.

    Raises:
        StartupError: The store is in use or damaged, or the model cannot be used.
    """
    async with _opened(settings) as store:
        try:
            embedder = await load_embedder(settings)
        except ModelError as error:
            raise StartupError(str(error)) from None
        collection = Collection(store, index_path=settings.index_path)
        try:
            await collection.open(embedder, spec=settings.embedding_model)
            await load_with_progress(collection)
        except CorpusError as error:
            raise StartupError(str(error)) from None
        finally:
            await collection.close()
            await embedder.close()


@asynccontextmanager
async def _opened(settings: KnowledgeSettings) -> AsyncIterator[Store]:
    """Holds and opens the store.

    Raises:
        StartupError: Another process holds it, or it cannot be opened.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(_only_one(settings))
        try:
            store = await stack.enter_async_context(open_store(settings.store_path))
        except StoreError as error:
            raise StartupError(str(error)) from None
        yield store


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m onenumbers_knowledge", description="Runs the knowledge server.")
    parser.add_argument(
        "command", nargs="?", choices=("serve", "load"), default="serve", help="load: only load the starter corpus"
    )
    parser.add_argument("--data-dir", type=Path, help="folder of the mesh's data (MCP_DATA_DIR)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 2 for settings that are wrong and for a port, store or model that cannot be used."""
    options = _parser().parse_args(arguments)
    work = load if options.command == "load" else serve
    try:
        overrides = {"data_dir": options.data_dir.absolute()} if options.data_dir is not None else {}
        settings = KnowledgeSettings.load(**overrides)
    except SettingsError as error:
        sys.stderr.write(f"knowledge: {error}\n")
        return 2
    try:
        return run(lambda: work(settings), settings=settings, server="knowledge")
    except KeyboardInterrupt:
        # What is loaded stays; the next start goes on from there.
        return 130


if __name__ == "__main__":
    sys.exit(main())
