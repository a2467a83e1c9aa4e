"""Quality of the knowledge base's search on public test collections: nDCG@10 by mode, beside its parts alone.

Usage: python bench/retrieval.py NAME=FOLDER [NAME=FOLDER ...] [--data-dir DIR]

A folder holds a collection in the layout of BEIR (corpus.jsonl, queries.jsonl, qrels/test.tsv) or as Cranfield is given
out (cran.all.1400, cran.qry, cranqrel). Nothing is downloaded. Documents are ingested as a client would hand them in,
with the default embedding model; with --data-dir the collection is kept for the next run. A document stands where its
best passage stands. Relevant is what the judgements give more than 0, all to the same degree.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import bm25s
import Stemmer
from running import machine, write_table

from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.documents import NewDocument
from onenumbers_knowledge.search.ranking import Mode
from onenumbers_knowledge.search.searching import LONGEST_QUERY, Search
from onenumbers_knowledge.settings import KnowledgeSettings
from onenumbers_knowledge.storage.store import open_store
from onenumbers_models.embedding.embedder import LlamaEmbedder
from onenumbers_models.weights.sources import resolve

CUTOFF = 10
RRF_K = 60


@dataclass(frozen=True)
class Judged:
    """A test collection."""

    documents: Mapping[str, tuple[str, str]]
    """Title and text by id."""
    queries: Mapping[str, str]
    relevant: Mapping[str, set[str]]
    """Ids of the relevant documents by query."""


def read(folder: Path) -> Judged:
    if (folder / "cran.all.1400").exists():
        return read_cranfield(folder)
    documents = {str(item["_id"]): (item.get("title", ""), item["text"]) for item in lines(folder / "corpus.jsonl")}
    queries = {str(item["_id"]): item["text"] for item in lines(folder / "queries.jsonl")}
    relevant: dict[str, set[str]] = {}
    for row in (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]:
        query, document, degree = row.split("\t")
        if int(degree) > 0:
            relevant.setdefault(query, set()).add(document)
    return Judged(documents, queries, relevant)


def read_cranfield(folder: Path) -> Judged:
    def records(name: str) -> Iterable[dict[str, str]]:
        for record in re.split(r"^\.I ", (folder / name).read_text(), flags=re.MULTILINE)[1:]:
            fields = re.split(r"^\.([TABW])\n", record, flags=re.MULTILINE)
            yield {"I": fields[0].strip(), **dict(zip(fields[1::2], fields[2::2], strict=True))}

    documents = {
        item["I"]: (" ".join(item["T"].split()), " ".join(item["W"].split())) for item in records("cran.all.1400")
    }
    # The judgements count the queries from 1, whatever their numbers are.
    queries = {str(number): " ".join(item["W"].split()) for number, item in enumerate(records("cran.qry"), 1)}
    relevant: dict[str, set[str]] = {}
    for row in (folder / "cranqrel").read_text().splitlines():
        query, document, degree = row.split()
        if int(degree) > 0:
            relevant.setdefault(query, set()).add(document)
    return Judged(documents, queries, relevant)


def lines(path: Path) -> Iterable[dict[str, str]]:
    with path.open() as file:
        yield from map(json.loads, file)


def ndcg(ranked: Sequence[str], relevant: set[str]) -> float:
    gained = sum(1 / math.log2(place + 2) for place, document in enumerate(ranked[:CUTOFF]) if document in relevant)
    return gained / sum(1 / math.log2(place + 2) for place in range(min(CUTOFF, len(relevant))))


def mean_ndcg(judged: Judged, ranked: Mapping[str, Sequence[str]]) -> float:
    return sum(ndcg(ranked[query], relevant) for query, relevant in judged.relevant.items()) / len(judged.relevant)


def bm25s_alone(judged: Judged) -> dict[str, list[str]]:
    """bm25s as its documentation shows it, over whole documents."""
    ids, stemmer = list(judged.documents), Stemmer.Stemmer("english")
    texts = [f"{title} {text}" for title, text in judged.documents.values()]
    engine = bm25s.BM25()
    engine.index(bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False), show_progress=False)
    chosen = list(judged.relevant)
    tokens = bm25s.tokenize(
        [judged.queries[query] for query in chosen], stopwords="en", stemmer=stemmer, show_progress=False
    )
    places, _ = engine.retrieve(tokens, k=CUTOFF, show_progress=False)
    return {query: [ids[place] for place in row] for query, row in zip(chosen, places, strict=True)}


async def ingest(collection: Collection, judged: Judged, names: Mapping[str, str]) -> None:
    known = set()
    after = ""
    while True:
        page, _ = await collection.page(after=after, limit=1000)
        if not page:
            break
        known |= {info.document_id for info in page}
        after = page[-1].document_id
    for number, (identifier, (title, text)) in enumerate(judged.documents.items(), 1):
        if names[identifier] not in known and (title.strip() or text.strip()):
            await collection.ingest(
                NewDocument(
                    title=title[:300].strip() or identifier,
                    content=text if text.strip() else title,
                    category="utility",
                    source="scientific",
                    document_id=names[identifier],
                )
            )
        if number % 500 == 0:
            print(f"  {number} of {len(judged.documents)} documents", file=sys.stderr)


async def ranked_by(
    collection: Collection, judged: Judged, mode: Mode, ids: Mapping[str, str]
) -> tuple[dict[str, list[str]], float]:
    """Returns documents by query, and seconds a search."""
    result = {}
    began = time.perf_counter()
    for query in judged.relevant:
        found = await collection.find(Search(query=judged.queries[query][:LONGEST_QUERY], count=200, mode=mode))
        result[query] = list(dict.fromkeys(ids[hit.passage.document_id] for hit in found.hits))
    return result, (time.perf_counter() - began) / len(judged.relevant)


def reciprocal(*rankings: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009)."""
    result = {}
    for query in rankings[0]:
        figures: dict[str, float] = {}
        for ranking in rankings:
            for place, document in enumerate(ranking[query], 1):
                figures[document] = figures.get(document, 0.0) + 1 / (RRF_K + place)
        result[query] = sorted(figures, key=lambda document: -figures[document])
    return result


async def measure(name: str, folder: Path, data_dir: Path, embedder: LlamaEmbedder) -> dict[str, float]:
    judged = read(folder)
    names = {identifier: f"d-{number}" for number, identifier in enumerate(judged.documents)}
    ids = {own: identifier for identifier, own in names.items()}
    path = data_dir / name / "documents.sqlite"
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(path))
        collection = Collection(store, index_path=path.with_name("index.faiss"))
        await collection.open(embedder)
        stack.push_async_callback(collection.close)
        await ingest(collection, judged, names)
        runs = {mode: await ranked_by(collection, judged, mode, ids) for mode in Mode}
        vectors = collection.index_state()[2]
    dense, lexical, hybrid = (runs[mode][0] for mode in (Mode.DENSE, Mode.LEXICAL, Mode.HYBRID))
    return {
        "documents": len(judged.documents),
        "passages": vectors,
        "questions": len(judged.relevant),
        "bm25s": mean_ndcg(judged, bm25s_alone(judged)),
        "lexical": mean_ndcg(judged, lexical),
        "dense": mean_ndcg(judged, dense),
        "reciprocal": mean_ndcg(judged, reciprocal(dense, lexical)),
        "hybrid": mean_ndcg(judged, hybrid),
        "milliseconds": runs[Mode.HYBRID][1] * 1000,
    }


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--data-dir", type=Path, help="keeps the ingested collections")
    parser.add_argument("--print", action="store_true", help="prints the table and leaves docs/benchmarks.md alone")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        data_dir = options.data_dir or Path(scratch)
        settings = KnowledgeSettings.load()
        model = resolve(settings.embedding_model, data_dir=data_dir)
        if model is None:
            sys.exit("MCP_EMBEDDING_MODEL is none: there is nothing to measure")
        embedder = await LlamaEmbedder.load(model, threads=settings.model_threads)
        try:
            for item in options.collections:
                name, _, folder = item.partition("=")
                found = await measure(name, Path(folder), data_dir, embedder)
                figures = " | ".join(
                    f"{found[part]:.3f}" for part in ("bm25s", "lexical", "dense", "reciprocal", "hybrid")
                )
                sizes = " | ".join(f"{found[part]:.0f}" for part in ("documents", "passages", "questions"))
                rows.append(f"| {name} | {sizes} | {figures} |")
                print(rows[-1], f"{found['milliseconds']:.1f} ms a search", file=sys.stderr)
        finally:
            await embedder.close()
    told = (
        f"`python bench/retrieval.py`, {machine()}. nDCG@10, judgements above 0 count as relevant; model "
        f"{model.model_id}. bm25s alone: its defaults with stemmer and stop words over whole documents. The other "
        "columns are the server's modes; RRF is reciprocal rank fusion of its dense and lexical mode; hybrid is the "
        "default."
    )
    table = "\n".join(
        (
            "## Retrieval",
            "",
            told,
            "",
            "| Collection | Documents | Passages | Questions | bm25s alone | Lexical | Dense | RRF | Hybrid |",
            "|---|---|---|---|---|---|---|---|---|",
            *rows,
        )
    )
    if options.print:
        print(table)
    else:
        write_table("retrieval", table)


if __name__ == "__main__":
    asyncio.run(main())
