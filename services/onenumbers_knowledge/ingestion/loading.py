"""Brings the model and the starter corpus into a collection at start."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence

import structlog

from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.ingestion.corpus_files import CorpusFile, read_corpus
from onenumbers_knowledge.ingestion.writing import Outcome
from onenumbers_knowledge.settings import KnowledgeSettings
from onenumbers_knowledge.storage.store import Store
from onenumbers_models.embedding.embedder import LlamaEmbedder
from onenumbers_models.errors import ModelError
from onenumbers_models.process.probe import prove
from onenumbers_models.weights.sources import resolve
from onenumbers_runtime.precedence import Precedence

log = structlog.get_logger()

Advance = Callable[[int, int], None]
"""Told how many documents are done, of how many."""


async def load_embedder(settings: KnowledgeSettings, *, precedence: Precedence | None = None) -> LlamaEmbedder:
    """Returns the embedding model of the settings, proven safe in a child process first.

    Args:
        settings: Of the server.
        precedence: What goes before documents; nothing where it is not given.

    Raises:
        ModelError: There is none, or it cannot be used.
    """
    model = await asyncio.to_thread(resolve, settings.embedding_model, data_dir=settings.data_dir)
    if model is None:
        raise ModelError("MCP_EMBEDDING_MODEL is none: without embeddings nothing can be searched")
    model = settings.as_used("embedding", model)
    await prove(model, "embedding", data_dir=settings.data_dir, threads=settings.model_threads)
    return await LlamaEmbedder.load(
        model, threads=settings.model_threads, options=settings.embedding_options, precedence=precedence
    )


async def load_previous(
    settings: KnowledgeSettings, store: Store, embedder: LlamaEmbedder, *, precedence: Precedence | None = None
) -> LlamaEmbedder | None:
    """Returns the model that the store's vectors are of, where it is another one than the settings' and at hand."""
    spec = await store.fact("active_spec")
    if not spec or spec == settings.embedding_model or await store.active_model() in ("", embedder.model_id):
        return None
    try:
        return await load_embedder(settings.model_copy(update={"embedding_model": spec}), precedence=precedence)
    except ModelError as error:
        log.warning("previous_embedding_model_unusable", reason=str(error))
        return None


async def load_corpus(
    collection: Collection, *, files: Sequence[CorpusFile] | None = None, advance: Advance | None = None
) -> dict[Outcome, int]:
    """Ingests the documents of the corpus that are new or have changed.

    Left alone are documents that somebody deleted, and those that somebody replaced by one of their own. What was
    done before an interruption is not done again.

    Returns:
        How many documents were created, updated, and left unchanged.
    """
    chosen = files if files is not None else await asyncio.to_thread(read_corpus)
    removed = await collection.removed()
    counts = dict.fromkeys(Outcome, 0)
    for number, file in enumerate(chosen, start=1):
        identifier = file.document.document_id
        known = await collection.info(identifier)
        replaced = known is not None and not known.metadata.get("corpus")
        if identifier in removed or replaced:
            counts[Outcome.UNCHANGED] += 1
        else:
            _, outcome = await collection.ingest(file.document)
            counts[outcome] += 1
        if advance is not None:
            advance(number, len(chosen))
    if counts[Outcome.CREATED] or counts[Outcome.UPDATED]:
        await collection.save()
    log.info("corpus_loaded", **{outcome.value: count for outcome, count in counts.items()})
    return counts


async def load_with_progress(collection: Collection) -> dict[Outcome, int]:
    """Loads the corpus with a progress bar on a terminal, and an event for every tenth part otherwise."""
    if not sys.stderr.isatty():
        last = -1

        def tell(done: int, total: int) -> None:
            nonlocal last
            tenth = done * 10 // total
            if tenth != last:
                last = tenth
                log.info("corpus_loading", done=done, total=total)

        return await load_corpus(collection, advance=tell)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("loading the corpus"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        return await load_corpus(
            collection, advance=lambda done, total: progress.update(task, completed=done, total=total)
        )
