"""kill -9 of the server in the middle of bulk ingestion, again and again on one store, on both databases.

The suite kills a few times; ONENUMBERS_KILLS=50 makes it fifty, ONENUMBERS_KILLS_SEED chooses other moments, and -s
shows what was counted.
"""

import asyncio
import os
import random
from dataclasses import dataclass, field

import grpc
import pytest

from onenumbers.knowledge.v1 import knowledge_pb2 as pb
from onenumbers.knowledge.v1 import maintenance_pb2

KILLS = int(os.environ.get("ONENUMBERS_KILLS", "2"))
SEED = int(os.environ.get("ONENUMBERS_KILLS_SEED", "20260131"))
IN_FLIGHT = 32
"""Documents that are sent ahead of their acknowledgements: more than the server works on at once."""
LONGEST_S = 4.0
"""Seconds after which a bulk is killed at the latest."""

pytestmark = pytest.mark.timeout(180 + 60 * KILLS)


def text(word: str) -> str:
    """Several passages, each with the word."""
    return " ".join(f"Sentence {number} of {word} says nothing else." for number in range(25))


@dataclass
class Sent:
    """What was sent to the server, and what it acknowledged."""

    words: dict[str, list[str]] = field(default_factory=dict)
    """Words of all versions of a document, in the order in which they were sent."""
    acknowledged: dict[str, int] = field(default_factory=dict)
    """Last version of a document that was acknowledged, counted from 0."""
    acknowledgements: int = 0
    touched: set[str] = field(default_factory=set)
    """Documents that were sent since the last check."""

    def requests(self, dice: random.Random):
        """Yields documents without end: new ones, and now and then a new version of one that was acknowledged."""
        while True:
            old = sorted(self.acknowledged)
            name = dice.choice(old) if old and dice.random() < 0.3 else f"note-{len(self.words):05}"
            versions = self.words.setdefault(name, [])
            versions.append(f"{name.replace('-', '')}v{len(versions)}")
            self.touched.add(name)
            yield maintenance_pb2.BulkIngestDocumentsRequest(
                sequence_id=f"{name} {len(versions) - 1}",
                document=pb.IngestDocumentRequest(
                    document_id=name, title=name, content=text(versions[-1]), category="utility"
                ),
            )

    def take(self, answer: maintenance_pb2.BulkIngestDocumentsResponse) -> None:
        """Notes an acknowledgement."""
        assert not answer.refusal, answer.refusal
        name, version = answer.sequence_id.split()
        self.acknowledged[name] = int(version)
        self.acknowledgements += 1


async def kill_in_bulk(server, sent: Sent, dice: random.Random) -> None:
    """Kills the server at a random moment of a bulk that has no end."""
    begun, room = asyncio.Event(), asyncio.Semaphore(IN_FLIGHT)

    async def requests():
        for request in sent.requests(dice):
            begun.set()
            yield request
            # gRPC would take thousands ahead of the server.
            await room.acquire()

    async def ingest() -> None:
        async for answer in server.maintenance.BulkIngestDocuments(requests()):
            sent.take(answer)
            room.release()

    bulk = asyncio.ensure_future(ingest())
    await begun.wait()
    await asyncio.sleep(dice.uniform(0, LONGEST_S))
    assert not bulk.done(), "it was killed in the middle"
    await server.kill()
    with pytest.raises(grpc.aio.AioRpcError):
        await bulk


async def check(server, sent: Sent, names) -> int:
    """Every acknowledged document is stored and found, and what is there is whole; returns how many more there are."""
    late = 0
    for name in sorted(names):
        words, acknowledged = sent.words[name], sent.acknowledged.get(name, -1)
        try:
            stored = (await server.documents.GetDocument(pb.GetDocumentRequest(document_id=name))).document
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            assert acknowledged < 0, f"{name} was acknowledged and is lost"
            continue
        contents = [text(word) for word in words]
        assert stored.content in contents, f"{name} is no version that was sent"
        standing = contents.index(stored.content)
        assert standing >= acknowledged, f"{name} is older than what was acknowledged"
        late += standing > acknowledged
        for number, word in enumerate(words):
            asked = pb.SemanticSearchRequest(query=word, top_k=50, mode=pb.SEARCH_MODE_LEXICAL)
            hits = [hit.passage.document_id for hit in (await server.documents.SemanticSearch(asked)).hits]
            assert hits == ([name] * stored.info.passages if number == standing else []), (name, word)
        assert stored.info.passages >= 2
    return late


async def check_counts(server) -> None:
    stats = await server.documents.GetDocumentStats(pb.GetDocumentStatsRequest())
    assert stats.passages == stats.index_vectors


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_nothing_acknowledged_is_lost_by_kill_9_and_no_half_document_is_there(kind, start_knowledge, request):
    variables = {}
    if kind == "postgresql":
        variables["DATABASE_URL"] = request.getfixturevalue("postgres").new_database("kills")
    dice, sent, late = random.Random(f"{kind} {SEED}"), Sent(), 0
    for _ in range(KILLS):
        async with start_knowledge(f"killed-{kind}", **variables) as server:
            await server.serves()
            late += await check(server, sent, sent.touched)
            await check_counts(server)
            sent.touched.clear()
            await kill_in_bulk(server, sent, dice)
    async with start_knowledge(f"killed-{kind}", **variables) as server:
        await server.serves()
        late += await check(server, sent, sent.touched)
        await check(server, sent, sent.words)
        await check_counts(server)
    assert sent.acknowledgements, "something was acknowledged before the kills"
    print(
        f"\n{kind}: {KILLS} kills (seed {SEED}); {sent.acknowledgements} acknowledgements, the last of each of "
        f"{len(sent.acknowledged)} documents found whole; {late} more stored whole and not acknowledged"
    )
