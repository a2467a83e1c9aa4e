"""Runs the knowledge server: `python -m onenumbers_knowledge`; with `load` it only loads the starter corpus."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from onenumbers_documents.model import Limits
from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.index.following import Follower
from onenumbers_knowledge.ingestion.corpus_files import CorpusError
from onenumbers_knowledge.ingestion.loading import load_embedder, load_with_progress
from onenumbers_knowledge.ingestion.upload import Uploader
from onenumbers_knowledge.ingestion.upload_service import UploadServicer, upload_service
from onenumbers_knowledge.maintenance_service import MaintenanceServicer, maintenance_service
from onenumbers_knowledge.service import KnowledgeServicer, knowledge_service
from onenumbers_knowledge.settings import KnowledgeSettings
from onenumbers_knowledge.starting import Readiness, Starting
from onenumbers_knowledge.storage.store import Store, open_store
from onenumbers_models.errors import ModelError
from onenumbers_runtime.database import DatabaseError, held_alone
from onenumbers_runtime.errors import MeshError
from onenumbers_runtime.memory import keep_large_apart
from onenumbers_runtime.server import GrpcServer, StartupError, run
from onenumbers_runtime.settings import SettingsError

_SWITCH_S: Final = 0.0005
"""Seconds after which a thread that runs Python lets another one. A search gives the interpreter away in each of some
fifty array operations and waits this long to have it back while segments of words are merged beside it: with Python's
5 ms the slowest search beside 2,500 documents took 275 and 300 ms, with this 75 and 84 (two runs each in turn)."""


async def serve(settings: KnowledgeSettings) -> None:
    """Serves until SIGTERM or SIGINT; NOT_SERVING until model, index and corpus are there."""
    sys.setswitchinterval(_SWITCH_S)
    keep_large_apart()
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
            readiness = Readiness(server.set_serving)
            starting = Starting(settings=settings, store=store, collection=collection, readiness=readiness, stack=stack)
            tasks = [asyncio.create_task(starting.run(), name="load")]
            if store.shared:
                follower = Follower(store, collection.follow, readiness.store_reachable)
                tasks.append(asyncio.create_task(follower.run(), name="follow"))
            try:
                await server.serve_until_signal()
            finally:
                await _ended(tasks)
                await server.drain()
                # Before the embedder, which the stack closes: what is being split still counts tokens with it.
                await collection.close()


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task


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
            async with collection.once("corpus"):
                await load_with_progress(collection)
        except (CorpusError, MeshError) as error:
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
    file = settings.store_file
    async with AsyncExitStack() as stack:
        try:
            if file is not None:
                # A second process would not see the first one's index.
                stack.enter_context(held_alone(file))
            store = await stack.enter_async_context(open_store(settings.store_url))
        except BlockingIOError:
            raise StartupError(
                f"another knowledge server uses {file}: stop it, or share a PostgreSQL by DATABASE_URL"
            ) from None
        except (DatabaseError, OSError) as error:
            raise StartupError(str(error)) from None
        yield store


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
